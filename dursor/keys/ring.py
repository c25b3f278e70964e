"""Where keys are kept: what both places can do, and which one new keys go to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dursor.domain import KeySource
from dursor.errors import UsageError

if TYPE_CHECKING:
    from dursor.domain import Secret
    from dursor.keys.system import SystemKeyring


class KeyRing(Protocol):
    """A place that keeps secrets by name ("model:gpt", "provider:openai", "github:token").

    Each method raises an AuthError that says what to do when the place cannot be used.
    """

    @property
    def source(self) -> KeySource:
        """What this place is called in the store."""
        ...

    def get(self, name: str) -> Secret | None:
        """Read a secret; None when there is none of this name."""
        ...

    def set(self, name: str, secret: Secret) -> None:
        """Keep a secret, in place of the one that had the name."""
        ...

    def delete(self, name: str) -> bool:
        """Forget a secret; False when there was none."""
        ...


@dataclass(frozen=True)
class KeyRings:
    """Both places, and the user's choice: "auto", "keyring" or "file"."""

    choice: str
    system: SystemKeyring
    file: KeyRing

    def ring_at(self, source: KeySource) -> KeyRing:
        """Give the place where a key was stored, whatever the choice is now."""
        if source is KeySource.ENV:
            raise UsageError("a key in the environment is in no key store")
        return self.system if source is KeySource.KEYRING else self.file

    def choose(self) -> tuple[KeyRing, str | None]:
        """Give the place for new keys, and why "auto" passed the OS keyring by if it did."""
        if self.choice == "file":
            return self.file, None
        if self.choice == "keyring":
            return self.system, None
        trouble = self.system.find_problem()
        return (self.system, None) if trouble is None else (self.file, trouble)
