"""The texts of a tree as they may be sent: checked for kind, secrets replaced."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dursor.context.sendable import Refusal, check_content
from dursor.context.text.measure import FILE_TOKENS, estimate_tokens
from dursor.errors import DursorError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dursor.secrets.placeholders import Placeholders
    from dursor.tree import Tree


MOST_PEEKED = 28 << 20  # what the texts of files that are cut into blocks come to:
LINE_BYTES = 100  # each line so much, and each character two
AT_ONCE = 10  # files read together


class TextSource:
    """Reads files once, remembers why some cannot be sent and how many secrets others held."""

    def __init__(self, tree: Tree, placeholders: Placeholders) -> None:
        self._tree = tree
        self.placeholders = placeholders
        self._raw: dict[str, str | None] = {}
        self._clean: dict[str, str] = {}
        self.refused: dict[str, Refusal] = {}
        self.secrets: dict[str, int] = {}

    def peek(self, path: str) -> str | None:
        """Return the text of PATH as it is, to judge by and never to send; None for no text."""
        if path not in self._raw:
            self._raw[path] = self._load(path, self._tree.read(path))
        return self._raw[path]

    def peek_many(self, paths: Sequence[str]) -> dict[str, str]:
        """Return the texts of PATHS as `peek`, without those that are no text or not there.

        Where they are more than memory is for, the first of them.
        """
        found: dict[str, str] = {}
        room = MOST_PEEKED
        for start in range(0, len(paths), AT_ONCE):
            for path, text in self._peek_some(paths[start : start + AT_ONCE]):
                room -= 2 * len(text) + LINE_BYTES * text.count("\n")
                if room < 0 and found:
                    self._raw.pop(path)
                    return found
                found[path] = text
        return found

    def _peek_some(self, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
        unread = [path for path in paths if path not in self._raw]
        for path, data in read_available(self._tree, unread).items():
            self._raw[path] = self._load(path, data)
        yield from ((p, text) for p in paths if (text := self._raw.get(p)) is not None)

    def text(self, path: str) -> str | None:
        """Return the text of PATH to send, secrets replaced line by line; None for no text."""
        raw = self.peek(path)
        if raw is None:
            return None
        if path not in self._clean:
            self._clean[path], count = self.placeholders.replace(raw, path)
            if count:
                self.secrets[path] = count
        return self._clean[path]

    def tokens(self, path: str) -> int:
        """Count what PATH costs whole: the larger of its text as it is and as it is sent."""
        texts = (self.peek(path) or "", self.text(path) or "")
        return max(estimate_tokens(len(text.encode("utf-8"))) for text in texts) + FILE_TOKENS

    def _load(self, path: str, data: bytes) -> str | None:
        reason = check_content(data)
        if reason is not None:
            self.refused[path] = Refusal(reason)
            return None
        return data.decode("utf-8")


def read_available(tree: Tree, paths: Sequence[str]) -> dict[str, bytes]:
    """Read those of PATHS that are there: a partial clone lacks some."""
    try:
        return dict(tree.read_many(paths))
    except DursorError:
        return dict(_readable(tree, paths))


def _readable(tree: Tree, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        with suppress(DursorError):
            yield path, tree.read(path)
