"""Two consecutive resolutions joined into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.patch.diff.resolution import Resolution, drop_unchanged

if TYPE_CHECKING:
    from dursor.tree import Tree


def compose(base: Tree, first: Resolution, second: Resolution) -> Resolution:
    """Chain FIRST and SECOND, which was made on the result of FIRST, against BASE."""
    changes = drop_unchanged(base, {**first.changes, **second.changes})
    entries = base.entries()
    renames: dict[str, str] = {}
    for new, old in {**first.renames, **second.renames}.items():
        origin = first.renames.get(old, old) if new in second.renames else old
        is_kept = changes.get(new) is not None and new not in entries
        if is_kept and new != origin and changes.get(origin, ...) is None:
            renames[new] = origin
    return Resolution(
        changes, renames, first.warnings + second.warnings, first.notes + second.notes
    )
