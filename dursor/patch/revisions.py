"""Several patches for one file in one reply: parts of one answer, or attempts at it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from dursor.domain import HunkFailure
from dursor.errors import ApplyFailedError
from dursor.patch.draft import TreeDraft
from dursor.patch.filedraft import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dursor.patch.edits import FileEdit
    from dursor.tree import Tree

_Span = tuple[str, int, int]
_MOST = 100  # edits in all, where there are several attempts


def final(edits: Sequence[FileEdit], tree: Tree) -> list[FileEdit]:
    """Return the edits that count, each said once.

    Where the prose takes back what was before, the last attempt counts alone, provided that it
    goes over all the ground of the former ones: every file of theirs, and every place of theirs
    that is in the file at all. Otherwise nobody can tell what still holds: ApplyFailedError.
    """
    once = _once(edits)
    last = once[-1].attempt
    former = [edit for edit in once if edit.attempt != last]
    count = [edit for edit in once if edit.attempt == last]
    if not former:
        return count
    if len(once) > _MOST:
        raise _unclear(once[0].path)
    covered = _spans(count, tree)
    for span in _spans(former, tree):
        if not any(_meets(span, other) for other in covered):
            raise _unclear(span[0])
    return count


def _unclear(path: str) -> ApplyFailedError:
    reason = "the reply takes a patch back and does not say what still holds of it"
    return ApplyFailedError(reason, failures=(HunkFailure(path, "", reason),))


def _once(edits: Iterable[FileEdit]) -> list[FileEdit]:
    """Drop what is said again; what is said again in one breath is counted.

    But not where a header names a place, which is the same one then.
    """
    kept: dict[object, FileEdit] = {}
    for edit in edits:
        hunks = tuple((hunk.lines, hunk.start) for hunk in edit.hunks)
        key = (edit.action, edit.path, edit.new_path, edit.lines, hunks)
        known = kept.pop(key, None)
        is_close = known is not None and known.breath == edit.breath
        if known and is_close and len(edit.hunks) == 1 and edit.hunks[0].start is None:
            hunk = replace(edit.hunks[0], times=known.hunks[0].times + 1)
            kept[key] = replace(edit, hunks=(hunk,))
        else:
            kept[key] = edit
    return list(kept.values())


def _spans(edits: Iterable[FileEdit], tree: Tree) -> list[_Span]:
    """Return the places of EDITS in TREE: lines of a file, or a file as a whole."""
    spans: list[_Span] = []
    for edit in edits:
        draft = TreeDraft(tree, None)
        with suppress(FileRefusedError):
            draft.take(replace(edit, cut=False))
        for path, file in draft.files.items():
            if file is None or file.is_settled:
                spans.append((path, 0, 1 << 62))
            else:
                spans += [(path, start, stop) for start, stop in file.spans]
    return spans


def _meets(one: _Span, other: _Span) -> bool:
    return one[0] == other[0] and one[1] <= other[2] and other[1] <= one[2]
