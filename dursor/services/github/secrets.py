"""The key store as GitHub logins use it: secrets by name, their places remembered."""

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
    """Keeps secrets in the key store. QUIET is the same key store, but asks nobody anything."""

    keys: Keys
    quiet: Keys
    open_store: Callable[[], Store]

    def get(self, name: str) -> Secret | None:
        """Read a secret; None when there is none of this name."""
        return self._keys(name).get(name)

    def put(self, name: str, secret: Secret) -> None:
        """Keep a secret; AuthError when there is no place for it."""
        keys = self._keys(name)
        source = keys.store(name, secret)
        if keys.stored(name) is not source:
            self.open_store().set_key_source(name, source)

    def drop(self, name: str) -> None:
        """Forget a secret."""
        source = self.keys.stored(name)
        if source is not None:
            self.keys.delete(name, source)
            self.open_store().set_key_source(name, None)

    def _keys(self, name: str) -> Keys:
        """Choose who reads: nobody types a passphrase only to save a request.

        Where the App's own key is kept it has been typed already.
        """
        if not name.startswith(CACHE):
            return self.keys
        app_is_kept = self.keys.stored(APP + name.removeprefix(CACHE)) is not None
        return self.keys if app_is_kept else self.quiet
