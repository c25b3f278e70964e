"""`*** Begin Patch` envelopes."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from dursor.patch.edits import Action, FileEdit, Hunk, Line, Origin
from dursor.patch.formats.hunks import HEADER

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECTION = re.compile(r"\*\*\* (Update|Add|Delete) File: (.*)")
_MOVE = re.compile(r"\*\*\* Move to: (.*\S)")
_END = re.compile(r"\*\*\* End Patch\s*$")
_NEXT = re.compile(rf"{_SECTION.pattern}|{_END.pattern}|```")
_MAX_SOURCE = 60  # lines


def starts(line: str) -> bool:
    """Return whether an envelope, or a section of one, begins here."""
    return line.startswith("*** Begin Patch") or bool(_SECTION.match(line))


def parse(lines: Sequence[str], row: int) -> tuple[list[FileEdit], int]:
    """Read the sections from ROW on; the last is cut when the envelope has no end."""
    opened = lines[row].startswith("*** Begin Patch")
    row += opened
    edits: list[FileEdit] = []
    while row < len(lines):
        if not lines[row].strip():
            row += 1
            continue
        match = _SECTION.match(lines[row])
        if not match:
            break
        edit, row = _read_section(match[1], match[2].rstrip(), lines, row + 1)
        edits.append(edit)
    if row < len(lines) and _END.match(lines[row]):
        return edits, row + 1
    if opened and edits and _goes_on(lines, row):
        edits[-1] = replace(edits[-1], is_cut=True)
    return edits, row


def _goes_on(lines: Sequence[str], row: int) -> bool:
    """Return whether the envelope continues after ROW, or never ends."""
    if row + 1 < len(lines) and lines[row].startswith("```") and lines[row + 1][:1] in {"+", "-"}:
        return not lines[row + 1].startswith("- ")
    if row >= len(lines):
        return True
    for line in islice(lines, row, None):
        if line.startswith("*** Begin Patch"):
            return False
        if _END.match(line):
            return True
    return False


def _read_section(kind: str, path: str, lines: Sequence[str], row: int) -> tuple[FileEdit, int]:
    end = row
    while end < len(lines) and not _NEXT.match(lines[end]):
        end += 1
    body = list(lines[row:end])
    while body and not body[-1].strip() and not body[-1].startswith(("+", "-")):
        body.pop()
    if kind == "Delete":
        return FileEdit(Action.DELETE, path), end
    if kind == "Add":
        return FileEdit(Action.ADD, path, hunks=(_build_new_file(body),)), end
    new_path = None
    if body and (move := _MOVE.match(body[0])):
        new_path, body = move[1], body[1:]
    return FileEdit(
        Action.MODIFY,
        path,
        new_path,
        renames=new_path is not None,
        hunks=tuple(_split_hunks(body)),
        is_cut=any(line.startswith("*** Move to") for line in body),
    ), end


def _build_new_file(body: Sequence[str]) -> Hunk:
    """Return the hunk of a new file, whose lines all have a plus, or none."""
    tagged = any(line.startswith("+") for line in body)
    lines = [_parse_line(line) if tagged else Line("+", line) for line in body]
    return Hunk(tuple(lines), "\n".join(body[:_MAX_SOURCE]), origin=Origin.ENVELOPE)


def _parse_line(line: str) -> Line:
    if line[:1] in {" ", "+", "-"} and line:
        return Line(line[0], line[1:])
    return Line(" ", line, bare=True)


def _split_hunks(body: Sequence[str]) -> list[Hunk]:
    """Split BODY at its `@@` lines; several in a row are nested anchors."""
    hunks: list[Hunk] = []
    anchors: list[str] = []
    begin = 0
    for row, line in enumerate([*body, "@@"]):
        if not line.startswith("@@"):
            continue
        if row > begin:
            hunks.append(_build_hunk(body[begin:row], anchors))
            anchors = []
        begin = row + 1
        name = "" if HEADER.match(line) else line.strip("@").strip()
        if name:
            anchors.append(name)
    return hunks


def _build_hunk(body: Sequence[str], anchors: Sequence[str]) -> Hunk:
    at_end = any(line.startswith("*** End of File") for line in body)
    lines = tuple(_parse_line(line) for line in body if not line.startswith("*** End of File"))
    source = "\n".join([*(f"@@ {anchor}" for anchor in anchors), *body[:_MAX_SOURCE]])
    return Hunk(lines, source, Origin.ENVELOPE, anchors=tuple(anchors), at_end=at_end)
