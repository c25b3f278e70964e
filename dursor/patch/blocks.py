"""Search/replace blocks: conflict-marker blocks, and XML-like original/patched pairs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.patch.edits import Action, FileEdit, Hunk, Line, Origin
from dursor.patch.linediff import opcodes

if TYPE_CHECKING:
    from collections.abc import Sequence

SEARCH = re.compile(r"<{5,9} ?(?:SEARCH|ORIGINAL)>?\s*$")
DIVIDER = re.compile(r"={5,9}\s*$")
REPLACE = re.compile(r">{5,9} ?(?:REPLACE|UPDATED)>?\s*$")
_FILE = re.compile(r"\s*<(?:file|path|file_path|filename)>(.*?)</(?:file|path|file_path|filename)>")
_OLD, _NEW = ("original", "search", "old"), ("patched", "replace", "new")


def block(search: Sequence[str], replace: Sequence[str], source: str) -> Hunk:
    """A hunk that turns SEARCH into REPLACE; the lines they share are context."""
    lines: list[Line] = []
    for equal, a0, a1, b0, b1 in opcodes(search, replace):
        if equal:
            lines += [Line(" ", text) for text in search[a0:a1]]
        else:
            lines += [Line("-", text) for text in search[a0:a1]]
            lines += [Line("+", text) for text in replace[b0:b1]]
    return Hunk(tuple(lines), source, origin=Origin.BLOCK)


def parse(lines: Sequence[str], at: int, path: str | None) -> tuple[FileEdit | None, int]:
    """The block that begins at AT; `cut` when its end marker never comes."""
    middle = _find(lines, at + 1, DIVIDER)
    end = _find(lines, middle + 1, REPLACE)
    source = "\n".join(lines[at : min(end + 1, at + 60)])
    hunk = block(lines[at + 1 : middle], lines[middle + 1 : end], source)
    cut = end >= len(lines)
    return FileEdit(Action.MODIFY, path or "", hunks=(hunk,), cut=cut), min(end + 1, len(lines))


def _find(lines: Sequence[str], at: int, marker: re.Pattern[str]) -> int:
    while at < len(lines) and not marker.match(lines[at]):
        if SEARCH.match(lines[at]):
            return len(lines)
        at += 1
    return at


def is_tagged(line: str) -> bool:
    """Whether an XML-like pair, or the file name above one, begins here."""
    return bool(_FILE.match(line)) or line.strip() in {f"<{tag}>" for tag in _OLD}


def file_tag(line: str) -> str | None:
    """The name in `<file>name</file>`."""
    match = _FILE.match(line)
    return match[1].strip() if match else None


def parse_tagged(lines: Sequence[str], at: int, path: str | None) -> tuple[FileEdit | None, int]:
    """The `<original>...</original><patched>...</patched>` pair at AT."""
    old, after = _element(lines, at, _OLD)
    if old is None:
        return None, at + 1
    while after < len(lines) and not lines[after].strip():
        after += 1
    new, end = _element(lines, after, _NEW)
    if new is None:
        return None, after
    source = "\n".join(lines[at : min(end, at + 60)])
    return FileEdit(Action.MODIFY, path or "", hunks=(block(old, new, source),)), end


def _element(lines: Sequence[str], at: int, tags: Sequence[str]) -> tuple[list[str] | None, int]:
    """The lines inside the element that opens at AT, and the index after its end."""
    if at >= len(lines):
        return None, at
    for tag in tags:
        if lines[at].lstrip().startswith(f"<{tag}>"):
            body, end = [lines[at].lstrip()[len(tag) + 2 :]], at
            close = f"</{tag}>"
            while close not in body[-1]:
                end += 1
                if end >= len(lines):
                    return None, at + 1
                body.append(lines[end])
            body[-1] = body[-1].split(close)[0]
            if not body[0].strip():
                body = body[1:]
            if body and not body[-1].strip():
                body = body[:-1]
            return body, end + 1
    return None, at
