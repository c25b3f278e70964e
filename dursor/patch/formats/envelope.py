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


def parse(lines: Sequence[str], at: int) -> tuple[list[FileEdit], int]:
    """Read the sections from AT on; the last is cut when the envelope has no end."""
    opened = lines[at].startswith("*** Begin Patch")
    at += opened
    edits: list[FileEdit] = []
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        match = _SECTION.match(lines[at])
        if not match:
            break
        edit, at = _read_section(match[1], match[2].rstrip(), lines, at + 1)
        edits.append(edit)
    if at < len(lines) and _END.match(lines[at]):
        return edits, at + 1
    if opened and edits and _goes_on(lines, at):
        edits[-1] = replace(edits[-1], is_cut=True)
    return edits, at


def _goes_on(lines: Sequence[str], at: int) -> bool:
    """Return whether the envelope continues after AT, or never ends."""
    if at + 1 < len(lines) and lines[at].startswith("```") and lines[at + 1][:1] in {"+", "-"}:
        return not lines[at + 1].startswith("- ")
    if at >= len(lines):
        return True
    for line in islice(lines, at, None):
        if line.startswith("*** Begin Patch"):
            return False
        if _END.match(line):
            return True
    return False


def _read_section(kind: str, path: str, lines: Sequence[str], at: int) -> tuple[FileEdit, int]:
    end = at
    while end < len(lines) and not _NEXT.match(lines[end]):
        end += 1
    body = list(lines[at:end])
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
    for at, line in enumerate([*body, "@@"]):
        if not line.startswith("@@"):
            continue
        if at > begin:
            hunks.append(_build_hunk(body[begin:at], anchors))
            anchors = []
        begin = at + 1
        name = "" if HEADER.match(line) else line.strip("@").strip()
        if name:
            anchors.append(name)
    return hunks


def _build_hunk(body: Sequence[str], anchors: Sequence[str]) -> Hunk:
    at_end = any(line.startswith("*** End of File") for line in body)
    lines = tuple(_parse_line(line) for line in body if not line.startswith("*** End of File"))
    source = "\n".join([*(f"@@ {anchor}" for anchor in anchors), *body[:_MAX_SOURCE]])
    return Hunk(lines, source, Origin.ENVELOPE, anchors=tuple(anchors), at_end=at_end)
