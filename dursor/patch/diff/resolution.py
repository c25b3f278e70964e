"""What a reply comes to."""

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
    """The real changes of a reply against a tree."""

    changes: Changes  # path -> new state, or None when deleted
    renames: Mapping[str, str] = field(default_factory=dict)  # new path -> old path
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # which rule placed what, for the log
    splices: Mapping[str, tuple[Splice, ...]] = field(  # line changes, for a repair to build on
        default_factory=dict, repr=False, compare=False
    )


class PartlyResolvedError(ApplyFailedError):
    """Some hunks failed; `kept` is what resolved all the same, for a repair to build on."""

    def __init__(self, failures: tuple[HunkFailure, ...], *, kept: Resolution) -> None:
        first = failures[0]
        where = f"{first.path}: " if first.path else ""
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        super().__init__(f"{where}{first.reason}{more}", failures=failures)
        self.kept = kept


def drop_unchanged(
    tree: Tree, states: Mapping[str, FileState | None]
) -> dict[str, FileState | None]:
    """Return those of STATES that are not what TREE holds."""
    entries = tree.entries()
    out: dict[str, FileState | None] = {}
    for path, state in states.items():
        entry = entries.get(path)
        if state is None:
            if entry is not None:
                out[path] = None
        elif (
            entry is None
            or entry.mode != state.mode
            or entry.size != len(state.data)
            or tree.read(path) != state.data
        ):
            out[path] = state
    return out
