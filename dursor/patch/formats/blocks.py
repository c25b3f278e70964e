"""Search/replace blocks between conflict markers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dursor.patch.diff.linediff import diff_lines
from dursor.patch.edits import Action, FileEdit, Hunk, Line, Origin
from dursor.patch.formats.columns import is_numbered, strip_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

SEARCH = re.compile(r"(?:<{5,9}|-{5,9}) ?(?:SEARCH|ORIGINAL)>?\s*$")
REPLACE = re.compile(r"(?:>{5,9}|\+{5,9}) ?(?:REPLACE|UPDATED)>?\s*$")
_ENDS = {"<": ">", "-": "+"}  # how the markers of one block begin
_DIVIDER = re.compile(r"={5,9}\s*$")
_POSITION = re.compile(r":(?:start|end)_line:? *\d+\s*$")  # below a SEARCH marker
_RULE = re.compile(r"-{5,9}\s*$")  # below positions
_MARKER = re.compile(r"[<>|]{7}(?: \S.*)?$|(?:[<>]{5,9}|[-+]{5,9}) ?(?:SEARCH|REPLACE)>?\s*$")
_MARKS = frozenset(sign * 5 for sign in "<>|-+")
_MAX_SOURCE = 60  # lines


def build_block(search: Sequence[str], new: Sequence[str], source: Sequence[str]) -> Hunk:
    """Return the hunk that turns SEARCH into NEW; common lines are context.

    Lines with numbers have a second reading without these.
    """
    plain, plain_new = strip_numbers(search), strip_numbers(new)
    readings: tuple[Hunk, ...] = ()
    if plain is not None and (plain_new is not None or not any(map(is_numbered, new))):
        readings = (build_block(plain, new if plain_new is None else plain_new, source),)
    lines: list[Line] = []
    for equal, a0, a1, b0, b1 in diff_lines(search, new):
        if equal:
            lines += [Line(" ", text) for text in search[a0:a1]]
        else:
            lines += [Line("-", text) for text in search[a0:a1]]
            lines += [Line("+", text) for text in new[b0:b1]]
    return Hunk(
        tuple(lines), "\n".join(source[:_MAX_SOURCE]), origin=Origin.BLOCK, other_readings=readings
    )


def is_marker(line: str) -> bool:
    """Return whether LINE is a marker of a block or of a merge conflict."""
    return line[:5] in _MARKS and bool(_MARKER.match(line))


def is_doubled(dividers: Sequence[int], end: int) -> bool:
    """Return whether a further divider stands right above the last marker, at END."""
    return len(dividers) > 1 and dividers[-1] == end - 1


def parse(lines: Sequence[str], row: int, path: str | None) -> tuple[FileEdit, int]:
    """Read the block that begins at ROW; it is cut when its markers do not form a whole block.

    A text with a line of equals signs can be divided in several ways. Each is a reading, unless it
    ends the new text with a second divider.
    """
    end = begin = row + 1
    while begin < len(lines) and _POSITION.match(lines[begin]):
        begin += 1
    begin += begin in range(row + 2, len(lines)) and bool(_RULE.match(lines[begin]))
    dividers: list[int] = []
    while end < len(lines) and not is_marker(lines[end]):
        if _DIVIDER.match(lines[end]):
            dividers.append(end)
        end += 1
    source = lines[row : end + 1]
    is_closed = end < len(lines) and bool(REPLACE.match(lines[end]))
    fault = "" if dividers else "its divider ======= is missing"
    if not is_closed or lines[end][0] != _ENDS[lines[row][0]]:
        fault = f"its last marker {_ENDS[lines[row][0]] * 7} REPLACE is missing"
    elif is_doubled(dividers, end):
        dividers = [m for m in dividers[:-1] if _DIVIDER.match(lines[m - 1])]
        fault = "" if dividers else "a second divider ends it"
    readings = [build_block(lines[begin:m], lines[m + 1 : end], source) for m in dividers[:8]]
    others = tuple(y for x in readings for y in (x, *x.other_readings))[1:]
    hunks = (replace(readings[0], other_readings=others),) if readings else ()
    edit = FileEdit(Action.MODIFY, path or "", hunks=hunks, is_cut=bool(fault), fault=fault)
    return edit, end + is_closed
