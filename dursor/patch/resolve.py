"""Resolve a model's reply against a tree, or refuse it with precise reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.domain import HunkFailure
from dursor.errors import ApplyFailedError, NoChangeError, NoPatchError
from dursor.patch.diff.resolution import PartlyResolvedError, Resolution
from dursor.patch.draft import TreeDraft
from dursor.patch.formats.extract import MAX_EDITS, extract
from dursor.patch.formats.prose import summarize
from dursor.patch.revisions import select_final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.patch.edits import FileEdit, ParsedReply
    from dursor.tree import Tree

__all__ = ["PartlyResolvedError", "Resolution", "list_edits", "resolve", "summarize_reply"]


def resolve(
    reply: str, tree: Tree, *, kept: Resolution | None = None, finished: bool = False
) -> Resolution:
    """Resolve REPLY against TREE, on top of the part KEPT from an earlier attempt.

    With FINISHED, the provider reported a complete reply. Otherwise a last line without an end
    may be where the reply was cut.

    Raises NoPatchError (nothing to resolve), PartlyResolvedError, whose `kept` is for the next
    attempt, or NoChangeError (the result equals the tree).
    """
    parsed = extract(reply, finished=finished)
    if not parsed.edits:
        raise NoPatchError("the reply contains no patch", hint="ask for a unified diff")
    draft = TreeDraft(tree, kept)
    failures: list[HunkFailure] = []
    try:
        edits = _select_edits(parsed, tree)
    except ApplyFailedError as error:
        edits, failures = [], list(error.failures)
    for edit in edits:
        try:
            draft.apply(edit)
        except ApplyFailedError as error:
            failures += error.failures
    resolution, late = draft.finish()
    failures += late
    if failures:
        raise PartlyResolvedError(tuple(failures), kept=resolution)
    if not resolution.changes:
        raise NoChangeError("the reply changes nothing")
    return resolution


def _select_edits(parsed: ParsedReply, tree: Tree) -> list[FileEdit]:
    """Return the edits that count; raises ApplyFailedError where that is unclear."""
    reason = parsed.doubt
    if len(parsed.edits) > MAX_EDITS:
        reason = f"the reply contains more than {MAX_EDITS} patches"
    if reason:
        raise ApplyFailedError(reason, failures=(HunkFailure(None, "", reason),))
    return select_final(parsed.edits, tree)


def list_edits(reply: str, *, finished: bool = False) -> Sequence[FileEdit]:
    """Return every edit of REPLY."""
    return extract(reply, finished=finished).edits


def summarize_reply(reply: str) -> str | None:
    """Return the first paragraphs of the prose around the patches, at most 500 characters."""
    return summarize(extract(reply).prose)
