"""The errors that dursor reports; each class has its code in JSON and its exit code.

Foreign exceptions are converted where they enter, by `raise ... from error`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from dursor.domain import HunkFailure, RunError, Usage


class DursorError(Exception):
    """An error that is printed in one line; `hint` is a command or an instruction."""

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DursorError):
    """Invalid usage of a command; nothing was created or sent."""

    code = "usage"
    exit_code = 2


class NotFoundError(DursorError):
    """Something that the command names does not exist."""

    code = "not_found"
    exit_code = 2


class ConflictError(DursorError):
    """Something changed in the meantime, or already exists and differs."""

    code = "conflict"
    exit_code = 8


class InternalError(DursorError):
    """A failure of this machine: disk, database, git."""


class InterruptedRunError(DursorError):
    """The process that owned the run ended before it."""

    code = "interrupted"
    exit_code = 130


class PolicyError(DursorError):
    """A forbidden path, a limit, or a secret."""

    code = "policy"
    exit_code = 7


class BudgetError(DursorError):
    """The budget would be exceeded, or was exceeded during a call."""

    code = "budget"
    exit_code = 6


class PatchError(DursorError):
    """The reply cannot be resolved into a patch."""

    def __init__(
        self, message: str, *, hint: str | None = None, failures: tuple[HunkFailure, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.failures = failures


class NoPatchError(PatchError):
    """The reply contains no patch."""

    code = "no_patch"


class ApplyFailedError(PatchError):
    """Some hunks cannot be placed with certainty; `failures` lists them with the reasons."""

    code = "apply_failed"


class NoChangeError(PatchError):
    """The reply resolves to the base itself."""

    code = "no_change"


class CallError(DursorError):
    """The model did not complete its reply; `usage` was spent nevertheless."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        usage: Usage | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.usage = usage
        self.retry_after = retry_after


class AuthError(CallError):
    """A key or token is missing or refused."""

    code = "auth"
    exit_code = 4


class ModelNotFoundError(CallError):
    """The model does not exist, or this key has no access to it."""

    code = "model_not_found"
    exit_code = 4


class RateLimitedError(CallError):
    """Status 429 after all retries."""

    code = "rate_limited"
    exit_code = 5


class ProviderError(CallError):
    """Status 5xx, an error event, or a malformed stream or body."""

    code = "provider_error"
    exit_code = 5


class NetworkError(CallError):
    """There is no connection, or it broke before the terminal event."""

    code = "network"
    exit_code = 5


class DeadlineError(CallError):
    """A time limit was exceeded: connect, first byte, idle or total."""

    code = "timeout"
    exit_code = 5


class ContextTooLargeError(CallError):
    """The vendor rejected the input as too long."""

    code = "context_too_large"


class TruncatedError(CallError):
    """The output limit was reached."""

    code = "truncated"


class RefusedError(CallError):
    """The vendor or the model refused."""

    code = "refused"


def describe(error: DursorError | RunError) -> dict[str, str | None]:
    """Return ERROR as the envelope lists it."""
    return {"code": error.code, "message": error.message, "hint": error.hint}
