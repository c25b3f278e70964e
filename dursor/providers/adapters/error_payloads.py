"""Read a vendor's errors: bodies, events in a stream, retry headers."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MESSAGE_LIMIT = 500  # characters of a vendor's message that a user sees
BODY_EXCERPT = 200  # characters of a body in an unknown format
ID_LIMIT = 100  # characters of a request id
DURATION = re.compile(r"(\d+(?:\.\d+)?)s")


@dataclass(frozen=True)
class ErrorPayload:
    """The content of an error; `status` is None inside a stream that began with 200."""

    status: int | None
    codes: frozenset[str]  # every type, code, status and reason in it
    message: str
    param: str = ""
    request_id: str | None = None
    retry_after: float | None = None
    should_retry: bool | None = None
    quota_exhausted: bool = False  # a quota that is not renewed within minutes


class ReportedError(Exception):
    """A vendor reported an error inside a stream; the caller decides whether to retry."""

    def __init__(self, payload: ErrorPayload) -> None:
        super().__init__(payload.message)
        self.payload = payload


def raise_reported(payload: Mapping[str, Any]) -> NoReturn:
    """Raise the error in an event."""
    raise ReportedError(read_payload(payload) or ErrorPayload(None, frozenset(), "no reason given"))


def to_one_line(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Remove control characters and line breaks from TEXT and cut it, for a terminal."""
    head = text[: limit * 8]
    clean = " ".join("".join(c if c.isprintable() else " " for c in head).split())
    return clean if len(clean) <= limit else clean[:limit] + "…"


def read_response(status: int, headers: Mapping[str, str], body: bytes) -> ErrorPayload:
    """Read a non-200 response; BODY may be a vendor's JSON, a proxy's HTML, or empty."""
    payload = _read_body(status, body)
    should_retry = headers.get("x-should-retry", "").lower()
    wait = read_retry_after(headers)
    return replace(
        payload,
        request_id=read_request_id(headers) or payload.request_id,
        retry_after=payload.retry_after if wait is None else wait,
        should_retry={"true": True, "false": False}.get(should_retry),
    )


def read_request_id(headers: Mapping[str, str]) -> str | None:
    """Return the vendor's id of this request, for a support ticket."""
    text = headers.get("x-request-id") or headers.get("request-id")
    return to_one_line(text, ID_LIMIT) if text else None


def _read_body(status: int, body: bytes) -> ErrorPayload:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, list) and data:  # Google wraps its error in an array
        data = data[0]
    payload = read_payload(data, status) if isinstance(data, dict) else None
    if payload is not None:
        return payload
    excerpt = to_one_line(body.decode("utf-8", "replace"), BODY_EXCERPT)
    return ErrorPayload(status, frozenset(), excerpt)


def read_payload(data: Mapping[str, Any], status: int | None = None) -> ErrorPayload | None:
    """Read any vendor's error object, flat or nested; None when DATA is not an error."""
    error = data.get("error")
    if isinstance(error, str):
        return ErrorPayload(status, frozenset(), to_one_line(error))
    if not isinstance(error, dict):
        if not isinstance(data.get("message"), str):
            return None
        error = data
    details = list(_list_details(error))
    message, param = error.get("message"), error.get("param")
    request_id = data.get("request_id") or data.get("responseId")
    return ErrorPayload(
        status=status,
        codes=frozenset(_list_codes(error, details)),
        message=to_one_line(message) if isinstance(message, str) else "",
        param=param if isinstance(param, str) else "",
        request_id=to_one_line(request_id, ID_LIMIT) if isinstance(request_id, str) else None,
        retry_after=next((s for d in details if (s := _read_delay(d)) is not None), None),
        quota_exhausted=any(map(_is_exhausted, details)) or "limit: 0" in str(message),
    )


def _list_details(error: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    details = error.get("details")
    if isinstance(details, dict):
        yield details
    elif isinstance(details, list):
        yield from (d for d in details if isinstance(d, dict))


def _list_codes(error: Mapping[str, Any], details: list[Mapping[str, Any]]) -> Iterator[str]:
    codes = [error.get(key) for key in ("type", "code", "status")]
    codes += [detail.get(key) for detail in details for key in ("reason", "error_code")]
    yield from (str(code) for code in codes if isinstance(code, str | int))


def _read_delay(detail: Mapping[str, Any]) -> float | None:
    """Read the seconds of a RetryInfo's `retryDelay`, such as "46s"."""
    match = DURATION.fullmatch(str(detail.get("retryDelay", "")))
    return float(match[1]) if match else None


def _is_exhausted(detail: Mapping[str, Any]) -> bool:
    """Return whether a QuotaFailure is about a daily quota or a quota of zero."""
    violations = detail.get("violations")
    if not isinstance(violations, list):
        return False
    return any(
        "PerDay" in str(v.get("quotaId")) or str(v.get("quotaValue")) == "0"
        for v in violations
        if isinstance(v, dict)
    )


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that the server asks for: milliseconds, seconds or a date."""
    for name, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        try:
            seconds = float(value) / scale
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    try:
        date = parsedate_to_datetime(headers.get("retry-after", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, date - time.time())
