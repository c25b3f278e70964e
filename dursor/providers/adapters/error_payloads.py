"""Read what a vendor says instead of an answer: error bodies, error events, retry headers."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MESSAGE_LIMIT = 500  # characters of a vendor's message that a user sees
BODY_EXCERPT = 200  # characters of a body that is no vendor's error
ID_LIMIT = 100  # characters of a request's id
DURATION = re.compile(r"(\d+(?:\.\d+)?)s")


@dataclass(frozen=True)
class Problem:
    """What an error says; `status` is None inside a stream that began with 200."""

    status: int | None
    words: frozenset[str]  # every type, code, status and reason it names
    message: str
    param: str = ""
    request_id: str | None = None
    retry_after: float | None = None
    should_retry: bool | None = None
    quota_spent: bool = False  # a quota that does not come back within minutes


class ReportedError(Exception):
    """A vendor reported a problem inside a stream; whether to retry is decided elsewhere."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def one_line(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Take control characters and line breaks out of TEXT, and cut it: it goes to a terminal."""
    head = text[: limit * 8]
    clean = " ".join("".join(c if c.isprintable() else " " for c in head).split())
    return clean if len(clean) <= limit else clean[:limit] + "…"


def read_response(status: int, headers: Mapping[str, str], body: bytes) -> Problem:
    """Read a non-200 response; BODY may be a vendor's JSON, a proxy's HTML, or nothing."""
    problem = _read_body(status, body)
    asked = headers.get("x-should-retry", "").lower()
    wait = retry_after(headers)
    return replace(
        problem,
        request_id=request_id(headers) or problem.request_id,
        retry_after=problem.retry_after if wait is None else wait,
        should_retry={"true": True, "false": False}.get(asked),
    )


def request_id(headers: Mapping[str, str]) -> str | None:
    """Find what the vendor calls this request, for a support ticket."""
    named = headers.get("x-request-id") or headers.get("request-id")
    return one_line(named, ID_LIMIT) if named else None


def _read_body(status: int, body: bytes) -> Problem:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    if isinstance(payload, list) and payload:  # one vendor wraps its error in an array
        payload = payload[0]
    problem = read_payload(payload, status) if isinstance(payload, dict) else None
    if problem is not None:
        return problem
    return Problem(status, frozenset(), one_line(body.decode("utf-8", "replace"), BODY_EXCERPT))


def read_payload(payload: Mapping[str, Any], status: int | None = None) -> Problem | None:
    """Read an error object, flat or nested, whichever vendor's; None when it is no error."""
    error = payload.get("error")
    if isinstance(error, str):
        return Problem(status, frozenset(), one_line(error))
    if not isinstance(error, dict):
        if not isinstance(payload.get("message"), str):
            return None
        error = payload
    details = list(_details(error))
    message, param = error.get("message"), error.get("param")
    named = payload.get("request_id") or payload.get("responseId")
    return Problem(
        status=status,
        words=frozenset(_words(error, details)),
        message=one_line(message) if isinstance(message, str) else "",
        param=param if isinstance(param, str) else "",
        request_id=one_line(named, ID_LIMIT) if isinstance(named, str) else None,
        retry_after=next((s for d in details if (s := _delay(d)) is not None), None),
        quota_spent=any(_is_spent(d) for d in details) or "limit: 0" in str(message),
    )


def _details(error: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    details = error.get("details")
    if isinstance(details, dict):
        yield details
    elif isinstance(details, list):
        yield from (d for d in details if isinstance(d, dict))


def _words(error: Mapping[str, Any], details: list[Mapping[str, Any]]) -> Iterator[str]:
    named = [error.get(key) for key in ("type", "code", "status")]
    named += [detail.get(key) for detail in details for key in ("reason", "error_code")]
    yield from (str(word) for word in named if isinstance(word, str | int))


def _delay(detail: Mapping[str, Any]) -> float | None:
    """Seconds of a RetryInfo's `retryDelay`, such as "46s"."""
    found = DURATION.fullmatch(str(detail.get("retryDelay", "")))
    return float(found[1]) if found else None


def _is_spent(detail: Mapping[str, Any]) -> bool:
    """Whether a QuotaFailure is about a day's quota, or one that is nought."""
    violations = detail.get("violations")
    if not isinstance(violations, list):
        return False
    return any(
        "PerDay" in str(v.get("quotaId")) or str(v.get("quotaValue")) == "0"
        for v in violations
        if isinstance(v, dict)
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Find the seconds that the server asks to wait: milliseconds, seconds or a date."""
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
