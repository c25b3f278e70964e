"""A model's reply and a tree to the tree it means, or a precise refusal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dursor.errors import ApplyFailedError, NoChangeError, NoPatchError
from dursor.patch.extract import extract
from dursor.patch.files import Draft, FileRefusedError
from dursor.patch.prose import summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.domain import HunkFailure
    from dursor.patch.edits import FileEdit
    from dursor.tree import Changes, Tree


@dataclass(frozen=True)
class Resolution:
    """What a reply comes to: only real changes against the tree."""

    changes: Changes
    renames: Mapping[str, str] = field(default_factory=dict)  # new path -> old path
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # which rule placed what


class PartlyResolvedError(ApplyFailedError):
    """Some hunks failed; `kept` is what resolved all the same, for the repair turn to build on."""

    def __init__(
        self, message: str, *, hint: str | None, failures: tuple[HunkFailure, ...], kept: Resolution
    ) -> None:
        super().__init__(message, hint=hint, failures=failures)
        self.kept = kept


def resolve(reply: str, tree: Tree, *, kept: Resolution | None = None) -> Resolution:
    """Resolve REPLY against TREE, with KEPT (from a former attempt) laid over it first.

    Raises NoPatchError, PartlyResolvedError (an ApplyFailedError with `kept`) or NoChangeError.
    """
    edits = extract(reply).edits
    if not edits:
        raise NoPatchError("the reply holds no patch", hint="ask for a unified diff")
    edits = _last_attempt(edits)
    draft = Draft(tree, kept.changes if kept else {}, dict(kept.renames) if kept else {})
    failures: list[HunkFailure] = []
    for edit in edits:
        try:
            draft.take(edit)
        except FileRefusedError as error:
            failures += error.failures
    failures += draft.settle()
    resolution = Resolution(
        draft.changes(), draft.renames, tuple(draft.warnings), tuple(draft.notes)
    )
    if failures:
        raise PartlyResolvedError(
            _message(failures), hint=None, failures=tuple(failures), kept=resolution
        )
    if not resolution.changes:
        raise NoChangeError("the reply changes nothing")
    return resolution


def _last_attempt(edits: tuple[FileEdit, ...]) -> tuple[FileEdit, ...]:
    return tuple(edit for edit in edits if edit.attempt == edits[-1].attempt)


def _message(failures: list[HunkFailure]) -> str:
    first = failures[0]
    where = f" in {first.path}" if first.path else ""
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return f"{first.reason}{where}{more}"


def summary_of(reply: str) -> str | None:
    """The prose around the patches: its first paragraphs, at most about 500 characters."""
    return summary(extract(reply).prose)
