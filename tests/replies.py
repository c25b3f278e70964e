"""Replies as models write them, rendered from edits in each format."""

from dataclasses import dataclass

from memory_tree import MemoryTree

from dursor.tree import FILE, FileState


@dataclass(frozen=True)
class Edit:
    """Replaces lines START to STOP (exclusive, from 0) by NEW."""

    start: int
    stop: int
    new: tuple[str, ...]


def tree(**files: str | bytes) -> MemoryTree:
    """Make a tree of files; `a__py` is the path `a.py`."""
    return MemoryTree(
        {
            name.replace("__", "."): FileState(
                FILE, text if isinstance(text, bytes) else text.encode()
            )
            for name, text in files.items()
        }
    )


def apply_edits(lines: list[str], edits: list[Edit]) -> list[str]:
    """Apply ascending EDITS to LINES."""
    out, index = [], 0
    for edit in edits:
        out += [*lines[index : edit.start], *edit.new]
        index = edit.stop
    return out + lines[index:]


def hunk(lines: list[str], edit: Edit, shift: int = 0, context: int = 3) -> list[str]:
    """Render EDIT as one hunk; SHIFT is the difference of new and old line numbers."""
    low, high = max(0, edit.start - context), min(len(lines), edit.stop + context)
    old, new = high - low, high - low - (edit.stop - edit.start) + len(edit.new)
    start = low + 1 if old else low
    return [
        f"@@ -{start},{old} +{start + shift},{new} @@",
        *(" " + line for line in lines[low : edit.start]),
        *("-" + line for line in lines[edit.start : edit.stop]),
        *("+" + line for line in edit.new),
        *(" " + line for line in lines[edit.stop : high]),
    ]


def diff(path: str, lines: list[str], edits: list[Edit], context: int = 3) -> list[str]:
    """Render EDITS of the file at PATH like git, one hunk per edit."""
    out = [f"diff --git a/{path} b/{path}", f"--- a/{path}", f"+++ b/{path}"]
    shift = 0
    for edit in edits:
        out += hunk(lines, edit, shift, context)
        shift += len(edit.new) - (edit.stop - edit.start)
    return out


def steps(lines: list[str], edits: list[Edit], context: int):
    """Yield the old and new lines of each edit, with context."""
    now, shift = list(lines), 0
    for edit in edits:
        start, stop = edit.start + shift, edit.stop + shift
        low, high = max(0, start - context), min(len(now), stop + context)
        old = now[low:high]
        now[start:stop] = edit.new
        shift += len(edit.new) - (stop - start)
        yield old, now[low : high + len(edit.new) - (stop - start)]


def blocks(path: str, lines: list[str], edits: list[Edit], context: int = 2) -> list[str]:
    """Render EDITS as search/replace blocks."""
    out: list[str] = []
    for old, new in steps(lines, edits, context):
        out += [path, "```", "<<<<<<< SEARCH", *old, "=======", *new, ">>>>>>> REPLACE", "```", ""]
    return out


def envelope(path: str, lines: list[str], edits: list[Edit], context: int = 3) -> list[str]:
    """Render EDITS as a `*** Begin Patch` envelope."""
    out = ["*** Begin Patch", f"*** Update File: {path}"]
    for edit in edits:
        out += ["@@", *hunk(lines, edit, 0, context)[1:]]
    return [*out, "*** End Patch"]


def pairs(path: str, lines: list[str], edits: list[Edit], context: int = 2) -> list[str]:
    """Render EDITS as original/patched pairs."""
    out: list[str] = []
    for old, new in steps(lines, edits, context):
        out += [f"<file>{path}</file>", "<original>", *old, "</original>"]
        out += ["<patched>", *new, "</patched>", ""]
    return out


def whole(path: str, lines: list[str], edits: list[Edit], context: int = 0) -> list[str]:
    """Render the whole file at PATH after EDITS."""
    del context
    return [path, "```", *apply_edits(lines, edits), "```"]
