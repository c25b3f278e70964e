"""One resolution made on another's result, as one against the first one's base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.patch.diff.resolution import Resolution

if TYPE_CHECKING:
    from dursor.tree import FileState, Tree


def compose(base: Tree, first: Resolution, second: Resolution) -> Resolution:
    """Chain FIRST and SECOND against BASE: renames joined, what equals BASE dropped."""
    merged = {**first.changes, **second.changes}
    entries = base.entries()
    changes: dict[str, FileState | None] = {}
    for path, state in merged.items():
        entry = entries.get(path)
        if state is None:
            if entry is not None:
                changes[path] = None
        elif entry is None or entry.mode != state.mode or base.read(path) != state.data:
            changes[path] = state
    renames: dict[str, str] = {}
    for new, old in {**first.renames, **second.renames}.items():
        origin = first.renames.get(old, old) if new in second.renames else old
        if (
            new != origin
            and changes.get(new) is not None
            and new not in entries
            and origin in changes
            and changes[origin] is None
        ):
            renames[new] = origin
    return Resolution(
        changes, renames, first.warnings + second.warnings, first.notes + second.notes
    )
