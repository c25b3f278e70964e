"""From what a vendor says to the one error tree, and whether another attempt may do better."""

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
from dursor.providers.adapters.wire import WITHOUT_TOOLS
from dursor.providers.catalogue import KEY_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.providers.adapters.error_payloads import Problem
    from dursor.providers.base import Endpoint

OUT_OF_MONEY = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "billing_hard_limit_reached",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "enforced_spend_limit_reached",
    }
)
TOO_LARGE = frozenset({"context_length_exceeded", "request_too_large", "exceed_context_size_error"})
NO_MODEL = frozenset({"model_not_found", "not_found_error", "NOT_FOUND"})
NO_ACCESS = frozenset(
    {
        "invalid_api_key",
        "authentication_error",
        "permission_error",
        "billing_error",
        "API_KEY_INVALID",
        "UNAUTHENTICATED",
        "PERMISSION_DENIED",
        "FAILED_PRECONDITION",  # a country or account that is not served
    }
)
DECLINED = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "invalid_prompt",
        "bio_policy",
        "misalignment_policy_violation",
    }
)
RATE = frozenset({"rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED", "429"})
PASSING = frozenset(
    {
        "overloaded_error",
        "server_is_overloaded",
        "slow_down",
        "server_error",
        "api_error",
        "timeout_error",
        "UNAVAILABLE",
        "INTERNAL",
        "DEADLINE_EXCEEDED",
        "MALFORMED_FUNCTION_CALL",
        *("500", "502", "503", "504", "529"),  # as gateways put it inside a stream
    }
)
# Two vendors give an over-long prompt no code of its own; only their words tell it apart.
TOO_LARGE_WORDS = re.compile(
    r"prompt is too long|input token count|maximum context|context (length|window|size|limit)",
    re.IGNORECASE,
)
TOOLS = re.compile(r"\btools?\b|function.call", re.IGNORECASE)
NO_MONEY_HINT = "the account is out of credit: add some in the vendor's console"
BY_STATUS: Mapping[int | None, type[CallError]] = {
    401: AuthError,
    402: AuthError,
    403: AuthError,
    404: ModelNotFoundError,
    413: ContextTooLargeError,
    429: RateLimitedError,
}
BY_WORDS: tuple[tuple[frozenset[str], type[CallError]], ...] = (
    (NO_MODEL, ModelNotFoundError),
    (NO_ACCESS, AuthError),
    (RATE, RateLimitedError),
)
RETRYABLE = frozenset({408, 409, 429})


@dataclass(frozen=True)
class Fault:
    """A failed attempt: its error, and whether another attempt may do better."""

    error: CallError
    retryable: bool = False


def classify(endpoint: Endpoint, problem: Problem) -> Fault:
    """Find the error that PROBLEM is for the user of ENDPOINT."""
    kind = _kind(problem)
    message = _message(endpoint, problem)
    hint = NO_MONEY_HINT if problem.words & OUT_OF_MONEY else _hint(kind, endpoint)
    if kind is ProviderError and problem.status in {None, 400, 422} and TOOLS.search(message):
        hint = WITHOUT_TOOLS
    error = kind(message, hint=hint, retry_after=problem.retry_after)
    return Fault(error, _is_retryable(kind, problem))


def _kind(problem: Problem) -> type[CallError]:
    """Go by what is said before going by the status: vendors reuse 400 and 429 for much."""
    if problem.words & OUT_OF_MONEY:
        return RateLimitedError if problem.status == 429 else AuthError
    if problem.words & TOO_LARGE or _says_too_large(problem):
        return ContextTooLargeError
    if problem.words & DECLINED:
        return RefusedError
    if problem.status in BY_STATUS:
        if problem.status == 403 and problem.words & NO_MODEL:
            return ModelNotFoundError
        return BY_STATUS[problem.status]
    return _by_words(problem)


def _by_words(problem: Problem) -> type[CallError]:
    """Judge a bad request, or an error inside a stream, by the words it names."""
    if problem.status not in {None, 400}:
        return ProviderError
    for words, kind in BY_WORDS:
        if problem.words & words:
            return kind
    return ProviderError


def _says_too_large(problem: Problem) -> bool:
    return problem.status in {None, 400} and bool(TOO_LARGE_WORDS.search(problem.message))


def _is_retryable(kind: type[CallError], problem: Problem) -> bool:
    if problem.words & OUT_OF_MONEY or problem.quota_spent:
        return False
    if kind not in {RateLimitedError, ProviderError}:
        return False
    if problem.should_retry is not None:
        return problem.should_retry
    if problem.status is None:
        return kind is RateLimitedError or bool(problem.words & PASSING)
    return problem.status in RETRYABLE or problem.status >= 500


def _message(endpoint: Endpoint, problem: Problem) -> str:
    where = f"{endpoint.provider} ({endpoint.model_name})"
    said = f": {problem.message}" if problem.message else ""
    how = "broke off with an error" if problem.status is None else f"answered {problem.status}"
    request = f" (request {problem.request_id})" if problem.request_id else ""
    return f"{where} {how}{said}{request}"


def scrub(error: CallError, endpoint: Endpoint) -> None:
    """Take ENDPOINT's key out of what a server said; some quote it back."""
    error.message = error.message.replace(endpoint.key.reveal(), "…")
    error.args = (error.message,)


def _hint(kind: type[CallError], endpoint: Endpoint) -> str | None:
    if kind is AuthError:
        return key_hint(endpoint)
    if kind is ModelNotFoundError:
        name = endpoint.name or "NAME"
        return f"see its model name and base URL: dursor models show {name}"
    if kind is ContextTooLargeError:
        return "send less: dursor run --context-budget 32000 ..."
    if kind is RateLimitedError:
        return "wait a little, or ask fewer at once: dursor run --jobs 2 ..."
    return None


def key_hint(endpoint: Endpoint) -> str:
    """Tell where to look, and what to type, when a key is missing or refused."""
    variables = " or ".join(KEY_VARIABLES[endpoint.provider])
    return f"check {variables}, or type: dursor models set-key {endpoint.name or endpoint.provider}"
