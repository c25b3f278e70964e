"""From what a vendor says to the one error tree, and whether another attempt may do better."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.domain import ProviderName
from dursor.errors import (
    AuthError,
    CallError,
    ContextTooLargeError,
    ModelNotFoundError,
    ProviderError,
    RateLimitedError,
    RefusedError,
)
from dursor.providers.catalogue import KEY_VARIABLES

if TYPE_CHECKING:
    from dursor.providers.base import Endpoint
    from dursor.providers.problems import Problem

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
RATE = frozenset({"rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED"})
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
    }
)
# Two vendors give an over-long prompt no code of its own; only their words tell it apart.
TOO_LARGE_WORDS = re.compile(
    r"prompt is too long|input token count|maximum context|context (length|window|size)",
    re.IGNORECASE,
)
RETRYABLE = frozenset({408, 409, 429})


@dataclass(frozen=True)
class Fault:
    """A failed attempt: its error, and whether another attempt may do better."""

    error: CallError
    retryable: bool = False


def classify(endpoint: Endpoint, problem: Problem) -> Fault:
    """The error that PROBLEM is, for the user of ENDPOINT."""
    kind, hint = _kind(endpoint, problem)
    error = kind(_message(endpoint, problem), hint=hint, retry_after=problem.retry_after)
    return Fault(error, _is_retryable(kind, problem))


def _kind(endpoint: Endpoint, problem: Problem) -> tuple[type[CallError], str | None]:
    status, words = problem.status, problem.words
    if words & OUT_OF_MONEY:
        spent = RateLimitedError if status == 429 else AuthError
        return spent, "the account is out of credit: add some in the vendor's console"
    if words & TOO_LARGE or status == 413 or _says_too_large(problem):
        return ContextTooLargeError, "send less: dursor run --context-budget 32000 ..."
    if words & DECLINED:
        return RefusedError, None
    if status == 404 or (words & NO_MODEL and status in {None, 400, 403}):
        return ModelNotFoundError, _model_hint(endpoint)
    if status in {401, 402, 403} or words & NO_ACCESS or _is_barred(endpoint, problem):
        return AuthError, key_hint(endpoint)
    if status == 429 or (status is None and words & RATE):
        return RateLimitedError, "wait a little, or ask fewer at once: dursor run --jobs 2 ..."
    return ProviderError, None


def _says_too_large(problem: Problem) -> bool:
    return problem.status in {None, 400} and bool(TOO_LARGE_WORDS.search(problem.message))


def _is_barred(endpoint: Endpoint, problem: Problem) -> bool:
    """Whether this is Google's answer to a country or account it does not serve."""
    return (
        endpoint.provider is ProviderName.GOOGLE
        and problem.status == 400
        and "FAILED_PRECONDITION" in problem.words
    )


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


def key_hint(endpoint: Endpoint) -> str:
    """Where to look, and what to type, when a key is missing or refused."""
    variables = " or ".join(KEY_VARIABLES[endpoint.provider])
    return f"check {variables}, or type: dursor models set-key {endpoint.name or endpoint.provider}"


def _model_hint(endpoint: Endpoint) -> str:
    name = endpoint.name or "NAME"
    return f"see its model name and base URL: dursor models show {name}"
