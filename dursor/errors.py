"""The one error tree.

DursorError
 ├─ UsageError            usage            2   the words of the command are off
 ├─ NotFoundError         not_found        2   the thing named does not exist
 ├─ ConflictError         conflict         8   the world moved, or is already otherwise
 ├─ InternalError         internal         1   something broke on this machine
 ├─ InterruptedRunError   interrupted    130   the process that owned the run is gone
 ├─ PolicyError           policy           7   forbidden path, limit or secret
 ├─ BudgetError           budget           6   refused before sending, or cut
 ├─ PatchError                             1   the reply could not become a patch
 │   ├─ NoPatchError      no_patch
 │   ├─ ApplyFailedError  apply_failed
 │   └─ NoChangeError     no_change
 └─ CallError                                  the model did not give a whole answer
     ├─ AuthError             auth             4
     ├─ ModelNotFoundError    model_not_found  4
     ├─ RateLimitedError      rate_limited     5
     ├─ ProviderError         provider_error   5
     ├─ NetworkError          network          5
     ├─ DeadlineError         timeout          5
     ├─ ContextTooLargeError  context_too_large 1
     ├─ TruncatedError        truncated        1
     └─ RefusedError          refused          1

Foreign exceptions are translated where they enter, `raise ... from error`; nothing else is caught.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from dursor.domain import HunkFailure, RunError, Usage


class DursorError(Exception):
    """Anything a user is told in one line; `hint` is what to type next."""

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DursorError):
    """The words of the command are off; nothing was created or sent."""

    code = "usage"
    exit_code = 2


class NotFoundError(DursorError):
    """The thing named does not exist."""

    code = "not_found"
    exit_code = 2


class ConflictError(DursorError):
    """The world moved on, or the thing is already there and different."""

    code = "conflict"
    exit_code = 8


class InternalError(DursorError):
    """Something on this machine broke: disk, database, git."""


class InterruptedRunError(DursorError):
    """The process that owned the run is gone."""

    code = "interrupted"
    exit_code = 130


class PolicyError(DursorError):
    """A forbidden path, a limit, or a secret."""

    code = "policy"
    exit_code = 7


class BudgetError(DursorError):
    """The money limit: refused before sending, or cut."""

    code = "budget"
    exit_code = 6


class PatchError(DursorError):
    """The reply could not become a patch."""

    def __init__(
        self, message: str, *, hint: str | None = None, failures: tuple[HunkFailure, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.failures = failures


class NoPatchError(PatchError):
    """There is nothing to resolve in the reply."""

    code = "no_patch"


class ApplyFailedError(PatchError):
    """Some hunk cannot be placed with certainty; `failures` says which and why."""

    code = "apply_failed"


class NoChangeError(PatchError):
    """The reply resolves to the base itself."""

    code = "no_change"


class CallError(DursorError):
    """The model did not give a whole answer; `usage` is what was spent all the same."""

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
    """The vendor does not know the model, or this key may not use it."""

    code = "model_not_found"
    exit_code = 4


class RateLimitedError(CallError):
    """429, also after retries."""

    code = "rate_limited"
    exit_code = 5


class ProviderError(CallError):
    """5xx, an error event, a malformed stream or body."""

    code = "provider_error"
    exit_code = 5


class NetworkError(CallError):
    """No connection, or one cut before the terminal event."""

    code = "network"
    exit_code = 5


class DeadlineError(CallError):
    """The connect, first-byte, idle or total limit passed."""

    code = "timeout"
    exit_code = 5


class ContextTooLargeError(CallError):
    """The vendor says the input is too long."""

    code = "context_too_large"


class TruncatedError(CallError):
    """The output limit was reached."""

    code = "truncated"


class RefusedError(CallError):
    """The vendor or the model refused."""

    code = "refused"


def describe(error: DursorError | RunError) -> dict[str, str | None]:
    """The envelope's form of an error: `{code, message, hint}`."""
    return {"code": error.code, "message": error.message, "hint": error.hint}
