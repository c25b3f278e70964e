"""The texts of a tree as they may be sent: of a sendable kind, with placeholders for secrets."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dursor.context.sendable import Refusal, check_content
from dursor.context.text.measure import FILE_TOKENS, estimate_tokens
from dursor.errors import DursorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.secrets.placeholders import Placeholders
    from dursor.tree import Tree


MAX_MEMORY = 28 << 20  # of files that are cut into blocks:
LINE_BYTES = 100  # for each line, and two for each character
READ_AT_ONCE = 10  # files


class TextSource:
    """Reads each file once; records the refused ones and the number of secrets in the others."""

    def __init__(self, tree: Tree, placeholders: Placeholders) -> None:
        self._tree = tree
        self.placeholders = placeholders
        self._raw: dict[str, str | None] = {}
        self._clean: dict[str, str] = {}
        self.refused: dict[str, Refusal] = {}
        self.secrets: dict[str, int] = {}

    def peek(self, path: str) -> str | None:
        """Return the unmasked text of PATH, which must not be sent, or None if it is not text."""
        if path not in self._raw:
            self._raw[path] = self._decode(path, self._tree.read(path))
        return self._raw[path]

    def peek_many(self, paths: Sequence[str]) -> dict[str, str]:
        """Return the texts of PATHS like `peek`, as many as memory allows, without missing ones."""
        texts: dict[str, str] = {}
        room = MAX_MEMORY
        for start in range(0, len(paths), READ_AT_ONCE):
            batch = paths[start : start + READ_AT_ONCE]
            unread = [path for path in batch if path not in self._raw]
            for path, data in read_available(self._tree, unread).items():
                self._raw[path] = self._decode(path, data)
            for path in batch:
                if (text := self._raw.get(path)) is None:
                    continue
                room -= 2 * len(text) + LINE_BYTES * text.count("\n")
                if room < 0 and texts:
                    self._raw.pop(path)
                    return texts
                texts[path] = text
        return texts

    def read(self, path: str) -> str | None:
        """Return the text of PATH to send, masked line by line, or None if it is not text."""
        raw = self.peek(path)
        if raw is None:
            return None
        if path not in self._clean:
            self._clean[path], count = self.placeholders.replace(raw, path)
            if count:
                self.secrets[path] = count
        return self._clean[path]

    def count_tokens(self, path: str) -> int:
        """Count the tokens of PATH, masked or not, whichever is more."""
        texts = (self.peek(path) or "", self.read(path) or "")
        return max(estimate_tokens(len(text.encode("utf-8"))) for text in texts) + FILE_TOKENS

    def _decode(self, path: str, data: bytes) -> str | None:
        reason = check_content(data)
        if reason is not None:
            self.refused[path] = Refusal(reason)
            return None
        return data.decode("utf-8")


def read_available(tree: Tree, paths: Sequence[str]) -> dict[str, bytes]:
    """Read those of PATHS that exist: a partial clone lacks some."""
    try:
        return dict(tree.read_many(paths))
    except DursorError:
        contents = {}
        for path in paths:
            with suppress(DursorError):
                contents[path] = tree.read(path)
        return contents
