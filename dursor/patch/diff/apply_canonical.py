"""Apply a canonical patch strictly: every line where its header says, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.errors import ConflictError
from dursor.patch.diff.resolution import Resolution
from dursor.patch.diff.sections import PatchSection, split_patch
from dursor.patch.lines import join_lines, split_lines
from dursor.tree import FileState, Overlay, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unidiff.patch import Hunk


def apply_canonical(patch_text: str, tree: Tree) -> Resolution:
    """Apply a canonical patch to TREE; raises ConflictError when it does not fit."""
    changes: dict[str, FileState | None] = {}
    renames: dict[str, str] = {}
    entries = tree.entries()
    for section in split_patch(patch_text):
        old, new = section.paths
        mode = section.find("new file mode")
        if (mode is not None) == (old in entries):
            raise ConflictError(f"{old} {'already exists' if mode else 'does not exist'}")
        current = mode or entries[old].mode
        if (expected := section.find("old mode") or current) != current:
            raise ConflictError(f"{old} has mode {current}, not {expected}")
        data = _apply_hunks(section, old, b"" if mode else tree.read(old))
        if new != old:
            if new in entries:
                raise ConflictError(f"{new} already exists")
            changes[old] = None
            renames[new] = old
        if section.find("deleted file mode"):
            if data:
                raise ConflictError(f"{old} has more lines than the patch deletes")
            changes[old] = None
        else:
            changes[new] = FileState(section.find("new mode") or current, data)
    return Resolution(changes, renames)


def overlay_dirty_patch(tree: Tree, dirty_patch: str | None) -> Tree:
    """Return TREE with the uncommitted changes of a --dirty round."""
    if not dirty_patch:
        return tree
    return Overlay(tree, apply_canonical(dirty_patch, tree).changes)


def _apply_hunks(section: PatchSection, path: str, data: bytes) -> bytes:
    before = split_lines(data.decode("utf-8", "surrogateescape"))
    after: list[str] = []
    index = 0
    for hunk in section.parse_hunks():
        start = hunk.source_start - (hunk.source_length > 0)
        if start < index:
            raise ConflictError(f"{path}: the patch's hunks overlap")
        after += before[index:start]
        index = start
        for tag, line in _list_lines(hunk):
            if tag != "+":
                if index >= len(before) or before[index] != line:
                    raise ConflictError(f"{path} has changed at line {index + 1}")
                index += 1
            if tag != "-":
                after.append(line)
    return join_lines([*after, *before[index:]])


def _list_lines(hunk: Hunk) -> Iterator[tuple[str, str]]:
    """Yield tags and lines, the last one without its end if a marker follows."""
    lines = list(hunk)
    for line, after in zip(lines, [*lines[1:], None], strict=True):
        is_open = after is not None and after.line_type == "\\"
        if line.line_type != "\\":
            yield line.line_type, line.value.removesuffix("\n") if is_open else line.value
