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
_MAX_SOURCE = 60  # lines


def build_block(search: Sequence[str], new: Sequence[str], source: Sequence[str]) -> Hunk:
    """Return the hunk that turns SEARCH into NEW; common lines are context."""
    lines: list[Line] = []
    for equal, a0, a1, b0, b1 in diff_lines(search, new):
        if equal:
            lines += [Line(" ", text) for text in search[a0:a1]]
        else:
            lines += [Line("-", text) for text in search[a0:a1]]
            lines += [Line("+", text) for text in new[b0:b1]]
    return Hunk(tuple(lines), "\n".join(source[:_MAX_SOURCE]), origin=Origin.BLOCK)


def parse(lines: Sequence[str], row: int, path: str | None) -> tuple[FileEdit, int]:
    """Read the block that begins at ROW; it is cut when one of its markers is missing.

    A text with a line of equals signs can be divided in several ways. Each is a reading.
    """
    end = row + 1
    dividers: list[int] = []
    while end < len(lines) and not REPLACE.match(lines[end]) and not SEARCH.match(lines[end]):
        if _DIVIDER.match(lines[end]):
            dividers.append(end)
        end += 1
    source = lines[row : end + 1]
    is_whole = bool(dividers) and end < len(lines) and bool(REPLACE.match(lines[end]))
    readings = [build_block(lines[row + 1 : m], lines[m + 1 : end], source) for m in dividers[:8]]
    hunks = (replace(readings[0], other_readings=tuple(readings[1:])),) if readings else ()
    edit = FileEdit(Action.MODIFY, path or "", hunks=hunks, is_cut=not is_whole)
    return edit, end + is_whole
