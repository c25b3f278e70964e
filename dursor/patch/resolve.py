"""From a model's reply and a tree to the tree it means, or a precise refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.domain import HunkFailure
from dursor.errors import ApplyFailedError, NoChangeError, NoPatchError
from dursor.patch.diff.resolution import PartlyResolvedError, Resolution
from dursor.patch.draft import TreeDraft
from dursor.patch.formats.extract import MOST_EDITS, extract
from dursor.patch.formats.prose import summary
from dursor.patch.revisions import final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.patch.edits import FileEdit, ParsedReply
    from dursor.tree import Tree

__all__ = ["PartlyResolvedError", "Resolution", "list_edits", "resolve", "summarize_reply"]


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
    if not found.edits:
        raise NoPatchError("the reply holds no patch", hint="ask for a unified diff")
    draft = TreeDraft(tree, kept)
    failures: list[HunkFailure] = []
    try:
        edits = _counting(found, tree)
    except ApplyFailedError as error:
        edits, failures = [], list(error.failures)
    for edit in edits:
        try:
            draft.take(edit)
        except ApplyFailedError as error:
            failures += error.failures
    resolution, late = draft.finish()
    failures += late
    if failures:
        raise PartlyResolvedError(tuple(failures), kept=resolution)
    if not resolution.changes:
        raise NoChangeError("the reply changes nothing")
    return resolution


def _counting(found: ParsedReply, tree: Tree) -> list[FileEdit]:
    """Return the edits that count; raises ApplyFailedError where that cannot be told."""
    reason = found.doubt
    if len(found.edits) > MOST_EDITS:
        reason = f"the reply holds more than {MOST_EDITS} patches"
    if reason:
        raise ApplyFailedError(reason, failures=(HunkFailure(None, "", reason),))
    return final(found.edits, tree)


def list_edits(reply: str, *, finished: bool = False) -> Sequence[FileEdit]:
    """Return every edit that REPLY holds."""
    return extract(reply, finished=finished).edits


def summarize_reply(reply: str) -> str | None:
    """Return the first paragraphs of the prose around the patches, at most about 500 characters."""
    return summary(extract(reply).prose)
