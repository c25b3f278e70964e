"""Stable stand-ins for secrets, so that a model never sees one and a patch gets it back."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from dursor.context.secrets.scan import find_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "DURSOR_SECRET_"
_ONE = re.compile(PREFIX + "[0-9a-f]{8}")
PlaceholderKey: TypeAlias = Callable[[], bytes]  # asked for with the first secret

_PROCESS_KEY = secrets.token_bytes(32)


class Placeholders:
    """Replaces secrets by keyed hashes of them; `mapping` leads back.

    With the same KEY the names are the same in every process: what was said in an earlier round
    still means the same, and is still the same to a vendor's cache.
    """

    def __init__(self, key: PlaceholderKey | None = None) -> None:
        self._key = key or (lambda: _PROCESS_KEY)
        self.mapping: dict[str, str] = {}

    def replace(self, text: str, path: str) -> tuple[str, int]:
        """TEXT without its secrets, and how many there were. The number of lines stays."""
        found = find_secrets(text, path)
        parts: list[str] = []
        at = 0
        for finding in found:
            parts.append(text[at : finding.start])
            parts.extend(self._stand_ins(text[finding.start : finding.end]))
            at = finding.end
        parts.append(text[at:])
        return "".join(parts), len(found)

    def _stand_ins(self, secret: str) -> Iterator[str]:
        """One for each line: a patch is restored line by line, behind the diff's own signs."""
        for line in secret.splitlines(keepends=True):
            bare = line.strip()
            if not bare or _ONE.fullmatch(bare):  # nothing is replaced twice
                yield line
                continue
            before, after = line.split(bare, 1)
            yield before + self._name(bare) + after

    def _name(self, secret: str) -> str:
        digest = secret.encode("utf-8", "surrogatepass")
        while True:
            digest = hmac.new(self._key(), digest, hashlib.sha256).digest()
            name = PREFIX + digest.hex()[:8]
            if self.mapping.setdefault(name, secret) == secret:
                return name
