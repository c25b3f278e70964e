"""The result of resolving a reply, whole or in part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dursor.errors import ApplyFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.domain import HunkFailure
    from dursor.patch.lines import Splice
    from dursor.tree import Changes, FileState, Tree


@dataclass(frozen=True)
class Resolution:
    """The changes that a reply makes to a tree."""

    changes: Changes  # path -> new state, or None when deleted
    renames: Mapping[str, str] = field(default_factory=dict)  # new path -> old path
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # for the log: the rule that placed each hunk
    splices: Mapping[str, tuple[Splice, ...]] = field(  # line changes, for a repair to build on
        default_factory=dict, repr=False, compare=False
    )


class PartlyResolvedError(ApplyFailedError):
    """Some hunks failed; a repair can build on `kept`, the result of the others."""

    def __init__(self, failures: tuple[HunkFailure, ...], *, kept: Resolution) -> None:
        first = failures[0]
        where = f"{first.path}: " if first.path else ""
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        super().__init__(f"{where}{first.reason}{more}", failures=failures)
        self.kept = kept


def drop_unchanged(
    tree: Tree, states: Mapping[str, FileState | None]
) -> dict[str, FileState | None]:
    """Return those of STATES that differ from TREE."""
    entries = tree.entries()

    def is_changed(path: str, state: FileState | None) -> bool:
        entry = entries.get(path)
        if state is None or entry is None:
            return (state is None) != (entry is None)
        return (entry.mode, entry.size) != (state.mode, len(state.data)) or tree.read(
            path
        ) != state.data

    return {path: state for path, state in states.items() if is_changed(path, state)}


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
