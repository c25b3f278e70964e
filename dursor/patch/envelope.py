"""`*** Begin Patch` envelopes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.patch.edits import Action, FileEdit, Hunk, Line, Origin
from dursor.patch.udiff import HUNK

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECTION = re.compile(r"\*\*\* (Update|Add|Delete) File: (.+?)\s*$")
_MOVE = re.compile(r"\*\*\* Move to: (.+?)\s*$")
_END = re.compile(r"\*\*\* End Patch\s*$")


def starts(line: str) -> bool:
    """Whether an envelope, or a section of one, begins here."""
    return line.startswith("*** Begin Patch") or bool(_SECTION.match(line))


def parse(lines: Sequence[str], at: int) -> tuple[list[FileEdit], int]:
    """The sections from AT to the end marker; the last is `cut` when an opened one never ends."""
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
        edit, at = _section(match, lines, at + 1)
        edits.append(edit)
    if at < len(lines) and _END.match(lines[at]):
        return edits, at + 1
    if opened and at >= len(lines) and edits:
        edits[-1] = FileEdit(**{**vars(edits[-1]), "cut": True})
    return edits, at


def _section(match: re.Match[str], lines: Sequence[str], at: int) -> tuple[FileEdit, int]:
    kind, path = match[1], match[2]
    if kind == "Delete":
        return FileEdit(Action.DELETE, path), at
    end = at
    while end < len(lines) and not _closes(lines[end]):
        end += 1
    body = list(lines[at:end])
    while body and not body[-1].strip() and not body[-1].startswith(("+", "-")):
        body.pop()
    if kind == "Add":
        text = tuple(line.removeprefix("+") for line in body)
        return FileEdit(Action.ADD, path, hunks=(_added(text),)), end
    new_path = None
    if body and (move := _MOVE.match(body[0])):
        new_path, body = move[1], body[1:]
    return FileEdit(
        Action.MODIFY, path, new_path, renames=new_path is not None, hunks=tuple(_hunks(body))
    ), end


def _closes(line: str) -> bool:
    return bool(_SECTION.match(line) or _END.match(line)) or line.startswith("```")


def _added(text: Sequence[str]) -> Hunk:
    lines = tuple(Line("+", line) for line in text)
    return Hunk(lines, "\n".join(text[:60]), origin=Origin.ENVELOPE)


def _hunks(body: Sequence[str]) -> list[Hunk]:
    hunks: list[Hunk] = []
    lines: list[Line] = []
    anchor: str | None = None
    at_end = False

    def close() -> None:
        nonlocal lines, at_end
        if lines:
            source = "\n".join([f"@@ {anchor or ''}".rstrip(), *(x.tag + x.text for x in lines)])
            hunks.append(
                Hunk(tuple(lines), source[:4000], Origin.ENVELOPE, anchor=anchor, at_end=at_end)
            )
        lines, at_end = [], False

    for line in body:
        if line.startswith("@@"):
            close()
            anchor = None if HUNK.match(line) else line[2:].strip().removesuffix("@@").strip()
            anchor = anchor or None
        elif line.startswith("*** End of File"):
            at_end = True
        elif line[:1] in {" ", "+", "-"} and line:
            lines.append(Line(line[0], line[1:]))
        else:
            lines.append(Line(" ", line, bare=True))
    close()
    return hunks
