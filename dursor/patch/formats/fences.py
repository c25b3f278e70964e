"""Markdown code fences, and here documents in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.patch.formats.whole import parse_path_line

if TYPE_CHECKING:
    from collections.abc import Sequence

OPENING = re.compile(r"( *)(`{3,}|~{3,})([^`]*)$")
_HEREDOC = re.compile(r"\s*(?:\$ )?(?:git apply|patch|apply_patch)\b.*<<-?\s*([\"']?)(\w+)\1")
_SHORT = 3  # marks of most fences
_SLACK = 2  # a heading may be this much narrower than the line below it


@dataclass(frozen=True)
class Fence:
    """An open code fence, or a here document with its last line as WORD."""

    mark: str  # "`" or "~"
    width: int
    indent: int = 0
    word: str = ""
    outer: Fence | None = None

    def is_closed_by(self, line: str) -> bool:
        text = line.strip()
        if self.word:
            return text == self.word
        return (
            text.startswith(self.mark * self.width)
            and not text.strip(self.mark)
            and len(line) - len(line.lstrip(" ")) <= self.indent
        )


def open_heredoc(line: str, outer: Fence | None) -> Fence | None:
    """Return the here document that LINE opens for a patch, or None."""
    match = _HEREDOC.match(line)
    return Fence("", 0, word=match[2], outer=outer) if match else None


def underlines(lines: Sequence[str], row: int) -> bool:
    """Return whether the run of marks at ROW underlines a heading, as wide as its text."""
    run = lines[row].strip()
    title = lines[row - 1].strip() if row else ""
    if len(run) <= _SHORT or run.strip(run[0]) or not title or title[-1] == ":":
        return False
    return 0 <= len(run) - len(title) <= _SLACK and not parse_path_line(title)
