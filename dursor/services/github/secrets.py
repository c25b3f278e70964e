"""GitHub's secrets in the key store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from dursor.domain import Secret
    from dursor.keys.resolve import Keys
    from dursor.store.write import Store

CACHE, APP = "github:cache:", "github:app:"


@dataclass(frozen=True)
class GitHubSecrets:
    """Keeps secrets by name. QUIET is the same key store without prompts."""

    keys: Keys
    quiet: Keys
    open_store: Callable[[], Store]

    def get(self, name: str) -> Secret | None:
        return self._choose_keys(name).get(name)

    def put(self, name: str, secret: Secret) -> None:
        """Keep a secret; AuthError if there is no place for it."""
        keys = self._choose_keys(name)
        source = keys.store(name, secret)
        if keys.find_stored(name) is not source:
            self.open_store().set_key_source(name, source)

    def drop(self, name: str) -> bool:
        """Delete a secret; True if it existed."""
        source = self.keys.find_stored(name)
        if source is None:
            return False
        self.keys.delete(name, source)
        self.open_store().set_key_source(name, None)
        return True

    def _choose_keys(self, name: str) -> Keys:
        """Prompt for a passphrase only where the App's key needed it before, not for a cache."""
        if not name.startswith(CACHE):
            return self.keys
        is_app_stored = self.keys.find_stored(APP + name.removeprefix(CACHE)) is not None
        return self.keys if is_app_stored else self.quiet
