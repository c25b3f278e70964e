"""The interface of a key store, and the choice between the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dursor.domain import KeySource
from dursor.errors import UsageError

if TYPE_CHECKING:
    from dursor.domain import Secret
    from dursor.keys.system import SystemKeyring


class KeyRing(Protocol):
    """A store of secrets by name ("model:gpt", "provider:openai", "github:token").

    Each method raises an AuthError with a hint if the store cannot be used.
    """

    @property
    def source(self) -> KeySource:
        """The name of this key store in the database."""
        ...

    def get(self, name: str) -> Secret | None:
        """Read a secret; None if it does not exist."""
        ...

    def set(self, name: str, secret: Secret) -> None:
        """Store a secret and replace the former one."""
        ...

    def delete(self, name: str) -> bool:
        """Delete a secret; False if it did not exist."""
        ...


@dataclass(frozen=True)
class KeyRings:
    """Both key stores, and the user's choice: "auto", "keyring" or "file"."""

    choice: str
    system: SystemKeyring
    file: KeyRing

    def get_ring(self, source: KeySource) -> KeyRing:
        """Return the key store SOURCE, whatever the choice is."""
        if source is KeySource.ENV:
            raise UsageError("a key in the environment is not in a key store")
        return self.system if source is KeySource.KEYRING else self.file

    def choose(self) -> tuple[KeyRing, str | None]:
        """Return the key store for new keys, and why "auto" did not choose the OS keyring."""
        if self.choice == "file":
            return self.file, None
        if self.choice == "keyring":
            return self.system, None
        problem = self.system.find_problem()
        return (self.system, None) if problem is None else (self.file, problem)
