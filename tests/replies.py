"""Replies as models write them: trees, edits, renderings and the noise that real ones carry."""

from dataclasses import dataclass

from memory_tree import MemoryTree

from dursor.tree import FILE, FileState


@dataclass(frozen=True)
class Edit:
    """Lines START to STOP (exclusive, from 0) give way to NEW."""

    start: int
    stop: int
    new: tuple[str, ...]


def tree(**files: str | bytes) -> MemoryTree:
    """Make a tree; `a__py` is the path `a.py` and `src_a` stays as it is."""
    return MemoryTree(
        {
            name.replace("__", "."): FileState(
                FILE, text if isinstance(text, bytes) else text.encode()
            )
            for name, text in files.items()
        }
    )


def edited(lines: list[str], edits: list[Edit]) -> list[str]:
    """Apply ascending EDITS to LINES."""
    out, at = [], 0
    for edit in edits:
        out += [*lines[at : edit.start], *edit.new]
        at = edit.stop
    return out + lines[at:]


def hunk(lines: list[str], edit: Edit, shift: int = 0, context: int = 3) -> list[str]:
    """Render EDIT as one hunk; SHIFT is how far new line numbers lie from old ones here."""
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
    """Render EDITS of the file at PATH as git would, one hunk an edit."""
    out = [f"diff --git a/{path} b/{path}", f"--- a/{path}", f"+++ b/{path}"]
    shift = 0
    for edit in edits:
        out += hunk(lines, edit, shift, context)
        shift += len(edit.new) - (edit.stop - edit.start)
    return out


def steps(lines: list[str], edits: list[Edit], context: int):
    """Yield what each edit searches for and what it leaves, one after the other."""
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
    """Render the file at PATH as EDITS leave it."""
    del context
    return [path, "```", *edited(lines, edits), "```"]
