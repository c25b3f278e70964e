"""Map a vendor's error to dursor's error classes, and decide whether a retry may help."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.errors import (
    AuthError,
    CallError,
    ContextTooLargeError,
    ModelNotFoundError,
    ProviderError,
    RateLimitedError,
    RefusedError,
)
from dursor.providers.adapters.failures import WITHOUT_TOOLS
from dursor.providers.vendor import ErrorKind
from dursor.providers.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.providers.adapters.error_payloads import ErrorPayload
    from dursor.providers.base import Endpoint

# A gateway passes on the codes of any vendor, and HTTP statuses as codes inside a stream.
KINDS: Mapping[str, ErrorKind] = {
    **dict.fromkeys(("500", "502", "503", "504", "529"), ErrorKind.TRANSIENT),
    "429": ErrorKind.RATE_LIMITED,
    **{
        code: kind
        for vendor in VENDORS.values()
        for kind, codes in vendor.error_codes.items()
        for code in codes
    },
}
TOO_LARGE = re.compile(
    "|".join(
        [
            r"maximum context|context (length|window|size|limit)",
            *(
                re.escape(words)
                for vendor in VENDORS.values()
                for words in vendor.too_large_phrases
            ),
        ]
    ),
    re.IGNORECASE,
)
TOOLS = re.compile(r"\btools?\b|function.call", re.IGNORECASE)
NO_CREDIT_HINT = "add credit to the account in the vendor's console"
BY_STATUS: Mapping[int, type[CallError]] = {
    401: AuthError,
    402: AuthError,
    403: AuthError,
    404: ModelNotFoundError,
    413: ContextTooLargeError,
    429: RateLimitedError,
}
BY_KIND: Mapping[ErrorKind, type[CallError]] = {
    ErrorKind.MODEL_NOT_FOUND: ModelNotFoundError,
    ErrorKind.NO_ACCESS: AuthError,
    ErrorKind.RATE_LIMITED: RateLimitedError,
}
RETRYABLE = frozenset({408, 409, 429})


@dataclass(frozen=True)
class CallFailure:
    """The error of a failed attempt, and whether another attempt may succeed."""

    error: CallError
    retryable: bool = False


def classify(endpoint: Endpoint, payload: ErrorPayload) -> CallFailure:
    """Map PAYLOAD to an error for the user of ENDPOINT."""
    kinds = {KINDS[code] for code in payload.codes if code in KINDS}
    error_class = _select_class(payload, kinds)
    message = _format_message(endpoint, payload)
    hint = _build_hint(error_class, endpoint)
    if ErrorKind.OUT_OF_CREDIT in kinds:
        hint = NO_CREDIT_HINT
    elif (
        error_class is ProviderError
        and payload.status in {None, 400, 422}
        and TOOLS.search(message)
    ):
        hint = WITHOUT_TOOLS
    error = error_class(message, hint=hint, retry_after=payload.retry_after)
    return CallFailure(error, _is_retryable(error_class, payload, kinds))


def _select_class(payload: ErrorPayload, kinds: set[ErrorKind]) -> type[CallError]:
    """Prefer the codes to the status: vendors reuse 400 and 429 for many errors."""
    status = payload.status
    if ErrorKind.OUT_OF_CREDIT in kinds:
        return RateLimitedError if status == 429 else AuthError
    is_too_large = payload.status in {None, 400} and TOO_LARGE.search(payload.message)
    if ErrorKind.CONTEXT_TOO_LARGE in kinds or is_too_large:
        return ContextTooLargeError
    if ErrorKind.REFUSED in kinds:
        return RefusedError
    if status is None or status == 400:
        return next((error for kind, error in BY_KIND.items() if kind in kinds), ProviderError)
    if status == 403 and ErrorKind.MODEL_NOT_FOUND in kinds:
        return ModelNotFoundError
    return BY_STATUS.get(status, ProviderError)


def _is_retryable(
    error_class: type[CallError], payload: ErrorPayload, kinds: set[ErrorKind]
) -> bool:
    if ErrorKind.OUT_OF_CREDIT in kinds or payload.quota_exhausted:
        return False
    if error_class not in {RateLimitedError, ProviderError}:
        return False
    if payload.should_retry is not None:
        return payload.should_retry
    if payload.status is None:
        return error_class is RateLimitedError or ErrorKind.TRANSIENT in kinds
    return payload.status in RETRYABLE or payload.status >= 500


def _format_message(endpoint: Endpoint, payload: ErrorPayload) -> str:
    vendor = f"{endpoint.provider} ({endpoint.model_name})"
    event = "reported an error" if payload.status is None else f"answered {payload.status}"
    message = f": {payload.message}" if payload.message else ""
    request = f" (request {payload.request_id})" if payload.request_id else ""
    return f"{vendor} {event}{message}{request}"


def scrub(error: CallError, endpoint: Endpoint) -> None:
    """Remove ENDPOINT's key from a server's message: some servers quote it."""
    error.message = error.message.replace(endpoint.key.reveal(), "…")
    error.args = (error.message,)


def _build_hint(error_class: type[CallError], endpoint: Endpoint) -> str | None:
    if error_class is AuthError:
        return build_key_hint(endpoint)
    if error_class is ModelNotFoundError:
        return f"check the model name and base URL: dursor models show {endpoint.name or 'NAME'}"
    if error_class is ContextTooLargeError:
        return "send less: dursor run --context-budget 32000 ..."
    if error_class is RateLimitedError:
        return "wait, or run fewer models at once: dursor run --jobs 2 ..."
    return None


def build_key_hint(endpoint: Endpoint) -> str:
    """Return the hint for a missing or rejected key."""
    variables = " or ".join(VENDORS[endpoint.provider].key_variables)
    return f"check {variables}, or run: dursor models set-key {endpoint.name or endpoint.provider}"
