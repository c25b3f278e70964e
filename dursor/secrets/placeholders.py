"""Stable placeholders for secrets: models never see a secret, and patches get it back."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import TypeAlias

from dursor.secrets.matches import replace_matches
from dursor.secrets.scan import find_secrets

PREFIX = "DURSOR_SECRET_"
_PLACEHOLDER = re.compile(PREFIX + "[0-9a-f]{8}")
PlaceholderKey: TypeAlias = Callable[[], bytes]  # called for the first secret

_PROCESS_KEY = secrets.token_bytes(32)


class Placeholders:
    """Replaces secrets with keyed hashes; `mapping` maps those to the secrets.

    The same KEY gives the same names in every process, so that messages of earlier rounds stay
    valid and a vendor's prompt cache still matches.
    """

    def __init__(self, key: PlaceholderKey | None = None) -> None:
        self._key = key or (lambda: _PROCESS_KEY)
        self.mapping: dict[str, str] = {}

    def replace(self, text: str, path: str) -> tuple[str, int]:
        """Return TEXT without its secrets, and their number. The number of lines stays."""
        matches = find_secrets(text, path)
        return replace_matches(text, matches, self._replace_lines), len(matches)

    def _replace_lines(self, secret: str) -> str:
        """Replace each line separately: patches are restored line by line."""
        return "".join(map(self._replace_line, secret.splitlines(keepends=True)))

    def _replace_line(self, line: str) -> str:
        secret = line.strip()
        if not secret or _PLACEHOLDER.fullmatch(secret):  # nothing is replaced twice
            return line
        before, after = line.split(secret, 1)
        return before + self._name(secret) + after

    def _name(self, secret: str) -> str:
        digest = secret.encode("utf-8", "surrogatepass")
        while True:
            digest = hmac.new(self._key(), digest, hashlib.sha256).digest()
            name = PREFIX + digest.hex()[:8]
            if self.mapping.setdefault(name, secret) == secret:
                return name
