"""Search/replace blocks between conflict markers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dursor.patch.diff.linediff import diff_lines
from dursor.patch.edits import Action, FileEdit, Hunk, Line, Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

SEARCH = re.compile(r"<{5,9} ?(?:SEARCH|ORIGINAL)>?\s*$")
REPLACE = re.compile(r">{5,9} ?(?:REPLACE|UPDATED)>?\s*$")
_DIVIDER = re.compile(r"={5,9}\s*$")
_SHOWN = 60


def block(search: Sequence[str], new: Sequence[str], source: Sequence[str]) -> Hunk:
    """Make the hunk that turns SEARCH into NEW; the lines they share are context."""
    lines: list[Line] = []
    for equal, a0, a1, b0, b1 in diff_lines(search, new):
        if equal:
            lines += [Line(" ", text) for text in search[a0:a1]]
        else:
            lines += [Line("-", text) for text in search[a0:a1]]
            lines += [Line("+", text) for text in new[b0:b1]]
    return Hunk(tuple(lines), "\n".join(source[:_SHOWN]), origin=Origin.BLOCK)


def parse(lines: Sequence[str], at: int, path: str | None) -> tuple[FileEdit, int]:
    """Read the block that begins at AT; it is `cut` when a marker of it never comes.

    A text that itself holds a line of equals signs can be divided in several ways: each is a
    reading of the hunk.
    """
    end = at + 1
    middles: list[int] = []
    while end < len(lines) and not REPLACE.match(lines[end]) and not SEARCH.match(lines[end]):
        if _DIVIDER.match(lines[end]):
            middles.append(end)
        end += 1
    source = lines[at : end + 1]
    whole = bool(middles) and end < len(lines) and bool(REPLACE.match(lines[end]))
    readings = [block(lines[at + 1 : m], lines[m + 1 : end], source) for m in middles[:8]]
    hunks = (replace(readings[0], others=tuple(readings[1:])),) if readings else ()
    edit = FileEdit(Action.MODIFY, path or "", hunks=hunks, cut=not whole)
    return edit, end + whole
