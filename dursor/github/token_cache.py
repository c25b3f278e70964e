"""Installation tokens kept between commands, encrypted in the key store."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dursor.domain import Secret
from dursor.errors import AuthError, InternalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.github.clock import Clock
    from dursor.github.credentials import SecretStore

LONGEST = 59 * 60.0  # seconds a token is used, though it lives for an hour
MARGIN = 60.0  # before its end
MOST = 20


@dataclass(frozen=True)
class InstallationToken:
    """A token: when it was made by this machine's clock, when it ends by GitHub's."""

    token: str
    minted_at: float
    expires_at: float
    skew: float  # of GitHub's clock against this machine's, when it was made

    def is_fresh(self, clock: Clock) -> bool:
        """Tell whether it may still be used."""
        age = clock.local() - self.minted_at
        ends = self.expires_at - self.skew - clock.local()
        return 0 <= age < LONGEST and ends > MARGIN


class TokenCache:
    """Remembers tokens under NAME in VAULT; without one, for this process only."""

    def __init__(self, vault: SecretStore | None, name: str, clock: Clock) -> None:
        self._vault = vault
        self._name = name
        self._clock = clock
        self._known: dict[str, InstallationToken] | None = None

    def get(self, key: str) -> InstallationToken | None:
        """Find the token for KEY that may still be used."""
        found = self._entries().get(key)
        return found if found is not None and found.is_fresh(self._clock) else None

    def tokens(self) -> list[Secret]:
        """List every token that may still be used."""
        return [Secret(one.token) for one in self._read().values() if one.is_fresh(self._clock)]

    def put(self, key: str, minted: InstallationToken) -> None:
        """Remember a token."""
        fresh = {k: v for k, v in self._read().items() if v.is_fresh(self._clock) and k != key}
        newest = sorted(fresh.items(), key=lambda item: item[1].minted_at)[-MOST + 1 :]
        self._keep({**dict(newest), key: minted})

    def drop(self, key: str, token: str) -> None:
        """Forget TOKEN, unless another process has put a new one in its place."""
        entries = self._read()
        if (found := entries.get(key)) is not None and found.token == token:
            del entries[key]
            self._keep(entries)

    def _entries(self) -> dict[str, InstallationToken]:
        if self._known is None:
            self._known = self._read()
        return self._known

    def _read(self) -> dict[str, InstallationToken]:
        if self._vault is None:
            return dict(self._known or {})
        try:
            stored = self._vault.get(self._name)
        except (AuthError, InternalError):  # a key store that is closed costs a request
            return dict(self._known or {})
        return {} if stored is None else _loaded(stored.reveal())

    def _keep(self, entries: dict[str, InstallationToken]) -> None:
        self._known = entries
        if self._vault is None:
            return
        text = json.dumps({key: asdict(one) for key, one in entries.items()})
        try:
            self._vault.put(self._name, Secret(text))
        except (AuthError, InternalError):  # as above; the token itself works
            return


def _loaded(text: str) -> dict[str, InstallationToken]:
    """Read what was kept; what is not understood is as if it were not there."""
    try:
        found: Mapping[str, Mapping[str, Any]] = json.loads(text)
        return {key: InstallationToken(**one) for key, one in found.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
