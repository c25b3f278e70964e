"""Apply a canonical patch strictly: every line where its header says, or not at all."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dursor.errors import ConflictError
from dursor.patch.diff.resolution import Resolution
from dursor.patch.lines import join_lines, split_lines
from dursor.patch.names import parse_git_names, unquote
from dursor.tree import FILE, FileState, Overlay, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_OPEN = "\\ No newline at end of file\n"


@dataclass
class _Section:
    """One file of the patch: its header's words and its hunks' lines."""

    old: str
    new: str
    said: dict[str, str] = field(default_factory=dict)
    hunks: list[tuple[int, list[str]]] = field(default_factory=list)  # old start from 0, lines


def apply_canonical(patch_text: str, tree: Tree) -> Resolution:
    """Apply one of our canonical patches to TREE; raises ConflictError when it does not fit."""
    changes: dict[str, FileState | None] = {}
    renames: dict[str, str] = {}
    entries = tree.entries()
    for section in _sections(patch_text):
        adds = "new file mode" in section.said
        if adds == (section.old in entries):
            there = "already exists" if adds else "is not there"
            raise ConflictError(f"{section.old} {there}")
        mode = FILE if adds else entries[section.old].mode
        if section.said.get("old mode", mode) != mode:
            raise ConflictError(f"{section.old} has mode {mode}, not {section.said['old mode']}")
        data = _patched(section, b"" if adds else tree.read(section.old))
        if section.new != section.old:
            if section.new in entries:
                raise ConflictError(f"{section.new} already exists")
            changes[section.old] = None
            renames[section.new] = section.old
        if "deleted file mode" in section.said:
            if data:
                raise ConflictError(f"{section.old} holds more than the patch deletes")
            changes[section.old] = None
            continue
        mode = section.said.get("new file mode") or section.said.get("new mode") or mode
        changes[section.new] = FileState(mode, data)
    return Resolution(changes, renames)


def overlay_dirty_patch(tree: Tree, dirty_patch: str | None) -> Tree:
    """TREE with the uncommitted changes that a --dirty round took laid over it."""
    if not dirty_patch:
        return tree
    return Overlay(tree, apply_canonical(dirty_patch, tree).changes)


def _sections(patch_text: str) -> Iterator[_Section]:
    lines = split_lines(patch_text)
    at = 0
    while at < len(lines):
        if not lines[at].startswith("diff --git "):
            raise ConflictError(f"this is no patch of ours: {lines[at].strip()[:80]!r}")
        names = parse_git_names(lines[at][len("diff --git ") :].rstrip("\n")) or ("", "")
        section = _Section(names[0][2:], names[1][2:])
        at = _read_header(lines, at + 1, section)
        while at < len(lines) and (match := _HUNK.match(lines[at])):
            body, at = _read_hunk(lines, at + 1, match)
            start = int(match[1]) - (match[2] != "0")
            section.hunks.append((start, body))
        yield section


def _read_header(lines: list[str], at: int, section: _Section) -> int:
    while at < len(lines) and not lines[at].startswith(("diff --git ", "@@ ")):
        line = lines[at].rstrip("\n")
        words = line.split(" ")
        for count in (2, 3):
            section.said.setdefault(" ".join(words[:count]), " ".join(words[count:]))
        if line.startswith("rename from "):
            section.old = unquote(line[12:])
        elif line.startswith("rename to "):
            section.new = unquote(line[10:])
        at += 1
    return at


def _read_hunk(lines: list[str], at: int, match: re.Match[str]) -> tuple[list[str], int]:
    """Return the body's lines, counted, with a missing final newline taken off."""
    old, new = int(match[2] or 1), int(match[4] or 1)
    body: list[str] = []
    while at < len(lines) and (old > 0 or new > 0 or lines[at] == _OPEN):
        line = lines[at]
        if line == _OPEN and body:
            body[-1] = body[-1].removesuffix("\n")
        else:
            old -= line[0] in " -"
            new -= line[0] in " +"
            body.append(line)
        at += 1
    if old or new:
        raise ConflictError("the patch is cut short")
    return body, at


def _patched(section: _Section, data: bytes) -> bytes:
    before = split_lines(data.decode("utf-8", "surrogateescape"))
    after: list[str] = []
    at = 0
    for start, body in section.hunks:
        if start < at:
            raise ConflictError(f"{section.old}: the patch's hunks overlap")
        after += before[at:start]
        at = start
        for line in body:
            if line[0] != "+":
                if at >= len(before) or before[at] != line[1:]:
                    raise ConflictError(f"{section.old} has changed at line {at + 1}")
                at += 1
            if line[0] != "-":
                after.append(line[1:])
    return join_lines([*after, *before[at:]])
