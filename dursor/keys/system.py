"""The operating system's keyring; each call runs in its own thread for at most 3 seconds."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from dursor.domain import KeySource, Secret
from dursor.errors import AuthError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

SERVICE = "dursor"
LIMIT = 3.0
HINT = "export DURSOR_KEY_STORE=file DURSOR_ENCRYPTION_KEY=PASSPHRASE"


@dataclass
class SystemKeyring:
    """The OS keyring; a backend that stores plain text is not used."""

    limit: float = LIMIT
    source: KeySource = field(default=KeySource.KEYRING, init=False)
    _timeout_message: str | None = field(default=None, init=False)

    def find_problem(self) -> str | None:
        """Probe the keyring; return why it cannot be used, or None."""
        try:
            self._run(lambda: _find_backend().get_password(SERVICE, "probe"))
        except AuthError as error:
            return error.message
        return None

    def get(self, name: str) -> Secret | None:
        """Read a secret; None if it does not exist."""
        value = self._run(lambda: _find_backend().get_password(SERVICE, name))
        return None if value is None else Secret(value)

    def set(self, name: str, secret: Secret) -> None:
        """Store a secret and read it back: some backends fail silently."""

        def store() -> bool:
            backend = _find_backend()
            backend.set_password(SERVICE, name, secret.reveal())
            return bool(backend.get_password(SERVICE, name) == secret.reveal())

        if not self._run(store):
            raise AuthError("the OS keyring did not store the key", hint=HINT)

    def delete(self, name: str) -> bool:
        """Delete a secret; False if it did not exist."""

        def delete() -> bool:
            backend = _find_backend()
            if backend.get_password(SERVICE, name) is None:
                return False
            backend.delete_password(SERVICE, name)
            return True

        return self._run(delete)

    def _run(self, call: Callable[[], T]) -> T:
        if self._timeout_message is not None:  # it timed out before: do not wait again
            raise AuthError(self._timeout_message, hint=HINT)
        values: list[T] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                values.append(call())
            except BaseException as error:  # noqa: BLE001 - a backend may raise any exception
                errors.append(error)

        thread = threading.Thread(target=run, name="keyring", daemon=True)
        thread.start()
        thread.join(self.limit)
        if thread.is_alive():
            self._timeout_message = f"the OS keyring timed out after {self.limit:g} s"
            raise AuthError(self._timeout_message, hint=HINT)
        if errors:
            raise _explain(errors[0]) from errors[0]
        return values[0]


class _AbsentError(Exception):
    """No safe keyring exists on this machine."""


def _find_backend() -> Any:
    """Return the active backend; called in the thread, since even the import can hang."""
    import keyring

    chosen = keyring.get_keyring()
    for backend in getattr(chosen, "backends", None) or [chosen]:
        name = f"{type(backend).__module__}.{type(backend).__name__}".lower()
        if "plaintext" not in name and ".backends.fail." not in name and ".null." not in name:
            return backend
    raise _AbsentError


def _explain(error: BaseException) -> AuthError:
    if isinstance(error, _AbsentError | ImportError):
        return AuthError("this machine has no OS keyring", hint=HINT)
    text = " ".join(str(error).split())[:200]
    detail = f": {text}" if text else f" ({type(error).__name__})"
    return AuthError(f"the OS keyring failed{detail}", hint=HINT)
