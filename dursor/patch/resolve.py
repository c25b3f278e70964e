"""From a model's reply and a tree to the tree it means, or a precise refusal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dursor.domain import HunkFailure
from dursor.errors import ApplyFailedError, NoChangeError, NoPatchError
from dursor.patch.diff.resolution import PartlyResolvedError, Resolution
from dursor.patch.draft import Draft
from dursor.patch.formats.extract import MOST_EDITS, extract
from dursor.patch.formats.prose import summary
from dursor.patch.named_in_prose import Reading
from dursor.patch.revisions import final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.patch.edits import FileEdit
    from dursor.tree import Tree

__all__ = ["PartlyResolvedError", "Resolution", "edits_in", "resolve", "summary_of"]


def resolve(
    reply: str, tree: Tree, *, kept: Resolution | None = None, finished: bool = False
) -> Resolution:
    """Resolve REPLY against TREE, on top of what a former attempt of the same answer KEPT.

    FINISHED is for a reply whose provider says that the model came to an end; one that it cut is
    not for here. Otherwise a last line without an end may be where it was cut.

    Raises NoPatchError (nothing to resolve), ApplyFailedError (always a PartlyResolvedError, whose
    `kept` is for the next attempt) or NoChangeError (it comes to the tree itself).
    """
    found = extract(reply, finished=finished)
    reading = Reading(found, tree)
    if not reading.edits:
        raise NoPatchError("the reply holds no patch", hint="ask for a unified diff")
    draft = Draft(tree, kept)
    failures: list[HunkFailure] = []
    try:
        edits = _counting(reading.edits, found.doubt, tree)
    except ApplyFailedError as error:
        edits, failures = [], list(error.failures)
    for edit in edits:
        try:
            draft.take(edit)
        except ApplyFailedError as error:
            failures += error.failures
    resolution, late = draft.finish()
    unread, warnings = reading.unread(resolution)
    failures += late + unread
    if failures:
        raise PartlyResolvedError(tuple(failures), kept=resolution)
    if not resolution.changes:
        raise NoChangeError("the reply changes nothing")
    return replace(resolution, warnings=(*resolution.warnings, *warnings))


def _counting(edits: list[FileEdit], reason: str | None, tree: Tree) -> list[FileEdit]:
    """Return the edits that count; raises ApplyFailedError where that cannot be told."""
    if len(edits) > MOST_EDITS:
        reason = f"the reply holds more than {MOST_EDITS} patches"
    if reason:
        raise ApplyFailedError(reason, failures=(HunkFailure(None, "", reason),))
    return final(edits, tree)


def edits_in(reply: str, tree: Tree, *, finished: bool = False) -> Sequence[FileEdit]:
    """Return what REPLY says of files, those of TREE that only its words name among them."""
    return Reading(extract(reply, finished=finished), tree).edits


def summary_of(reply: str) -> str | None:
    """Return the first paragraphs of the prose around the patches, at most about 500 characters."""
    return summary(extract(reply).prose)
