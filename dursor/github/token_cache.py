"""Installation tokens kept between commands, encrypted in the key store."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from dursor.domain import Secret
from dursor.errors import AuthError, InternalError

if TYPE_CHECKING:
    from dursor.github.clock import Clock
    from dursor.github.credentials import SecretStore

MAX_AGE = 59 * 60.0  # seconds; GitHub's tokens live for an hour
MARGIN = 60.0  # seconds before a token's end
MAX_TOKENS = 20


@dataclass(frozen=True)
class InstallationToken:
    """A token; `minted_at` is this machine's time, `expires_at` GitHub's."""

    token: str
    minted_at: float
    expires_at: float
    skew: float  # GitHub's clock minus this machine's, at `minted_at`

    def is_fresh(self, clock: Clock) -> bool:
        """Tell whether the token may still be used."""
        now = clock.read_local()
        return 0 <= now - self.minted_at < MAX_AGE and self.expires_at - self.skew - now > MARGIN


class TokenCache:
    """Keeps tokens under NAME in STORE; without a store, for this process only."""

    def __init__(self, store: SecretStore | None, name: str, clock: Clock) -> None:
        self._store = store
        self._name = name
        self._clock = clock
        self._tokens: dict[str, InstallationToken] | None = None

    def get(self, key: str) -> InstallationToken | None:
        if self._tokens is None:
            self._tokens = self._read()
        token = self._tokens.get(key)
        return token if token is not None and token.is_fresh(self._clock) else None

    def list_fresh(self) -> list[Secret]:
        tokens = self._read().values()
        return [Secret(token.token) for token in tokens if token.is_fresh(self._clock)]

    def put(self, key: str, token: InstallationToken) -> None:
        others = {k: v for k, v in self._read().items() if v.is_fresh(self._clock) and k != key}
        newest = sorted(others.items(), key=lambda item: item[1].minted_at)[-MAX_TOKENS + 1 :]
        self._write({**dict(newest), key: token})

    def drop(self, key: str, token: str) -> None:
        """Remove TOKEN, unless another process has replaced it."""
        tokens = self._read()
        if key in tokens and tokens[key].token == token:
            del tokens[key]
            self._write(tokens)

    def _read(self) -> dict[str, InstallationToken]:
        if self._store is None:
            return dict(self._tokens or {})
        try:
            text = self._store.get(self._name)
        except (AuthError, InternalError):  # a locked key store only costs a request
            return dict(self._tokens or {})
        return {} if text is None else _parse(text.reveal())

    def _write(self, tokens: dict[str, InstallationToken]) -> None:
        self._tokens = tokens
        if self._store is None:
            return
        text = json.dumps({key: asdict(token) for key, token in tokens.items()})
        try:
            self._store.put(self._name, Secret(text))
        except (AuthError, InternalError):  # as above
            return


def _parse(text: str) -> dict[str, InstallationToken]:
    """Parse stored tokens; an unreadable entry counts as empty."""
    try:
        return {key: InstallationToken(**fields) for key, fields in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        return {}
