"""The operating system's keyring: each call in a thread of its own, for 3 seconds at most."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeVar

from dursor.domain import KeySource, Secret
from dursor.errors import AuthError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

T = TypeVar("T")

SERVICE = "dursor"
LIMIT = 3.0
HINT = "export DURSOR_KEY_STORE=file DURSOR_ENCRYPTION_KEY=PASSPHRASE"


class _Outcome:
    """What a call in another thread came to. A keyring backend may raise anything at all."""

    def __init__(self) -> None:
        self.value: Any = None
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.error = error
        return True


@dataclass
class SystemKeyring:
    """The OS keyring by way of `keyring`; a backend that stores plain text counts as none."""

    limit: float = LIMIT
    source: KeySource = field(default=KeySource.KEYRING, init=False)
    _trouble: str | None = field(default=None, init=False)

    def find_problem(self) -> str | None:
        """Say why the keyring cannot be used, or None; asks it once for a key that is not there."""
        try:
            self._within_limit(lambda: _backend().get_password(SERVICE, "probe"))
        except AuthError as error:
            return error.message
        return None

    def get(self, name: str) -> Secret | None:
        """Read a secret; None when there is none of this name."""
        found = self._within_limit(lambda: _backend().get_password(SERVICE, name))
        return None if found is None else Secret(found)

    def set(self, name: str, secret: Secret) -> None:
        """Keep a secret, and read it back: some backends say nothing when they fail."""

        def store() -> bool:
            backend = _backend()
            backend.set_password(SERVICE, name, secret.reveal())
            return bool(backend.get_password(SERVICE, name) == secret.reveal())

        if not self._within_limit(store):
            raise AuthError("the OS keyring did not keep the key", hint=HINT)

    def delete(self, name: str) -> bool:
        """Forget a secret; False when there was none."""

        def forget() -> bool:
            backend = _backend()
            if backend.get_password(SERVICE, name) is None:
                return False
            backend.delete_password(SERVICE, name)
            return True

        return self._within_limit(forget)

    def _within_limit(self, call: Callable[[], T]) -> T:
        if self._trouble is not None:  # it hung before: do not wait again
            raise AuthError(self._trouble, hint=HINT)
        outcome = _Outcome()

        def run() -> None:
            with outcome:
                outcome.value = call()

        thread = threading.Thread(target=run, name="keyring", daemon=True)
        thread.start()
        thread.join(self.limit)
        if thread.is_alive():
            self._trouble = f"the OS keyring did not answer within {self.limit:g} s"
            raise AuthError(self._trouble, hint=HINT)
        if outcome.error is not None:
            raise _translated(outcome.error) from outcome.error
        return outcome.value  # type: ignore[no-any-return] # it is what CALL gave


class _AbsentError(Exception):
    """There is no keyring on this machine that is safe to use."""


def _backend() -> Any:
    """Find the keyring in use. Runs inside the thread: even the import has been seen to hang."""
    import keyring

    chosen = keyring.get_keyring()
    for backend in getattr(chosen, "backends", None) or [chosen]:
        name = f"{type(backend).__module__}.{type(backend).__name__}".lower()
        if "plaintext" not in name and ".backends.fail." not in name and ".null." not in name:
            return backend
    raise _AbsentError


def _translated(error: BaseException) -> AuthError:
    if isinstance(error, _AbsentError | ImportError):
        return AuthError("there is no OS keyring here", hint=HINT)
    words = " ".join(str(error).split())[:200]
    detail = f": {words}" if words else f" ({type(error).__name__})"
    return AuthError(f"the OS keyring failed{detail}", hint=HINT)
