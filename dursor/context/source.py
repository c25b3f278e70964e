"""The texts of a tree as they may be sent: checked for kind, secrets replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.context.outbound import Refusal, content_refusal
from dursor.context.selection import FILE_TOKENS, tokens_of

if TYPE_CHECKING:
    from dursor.context.placeholders import Placeholders
    from dursor.tree import Tree


class Source:
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
        return max(tokens_of(len(text.encode("utf-8"))) for text in texts) + FILE_TOKENS

    def _load(self, path: str, data: bytes) -> str | None:
        reason = content_refusal(data)
        if reason is not None:
            self.refused[path] = Refusal(reason)
            return None
        return data.decode("utf-8")
