"""Several patches for one file in one reply: parts of one answer, or revisions of it."""

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
_MAX_EDITS = 100  # in a reply with several revisions


def select_final(edits: Sequence[FileEdit], tree: Tree) -> list[FileEdit]:
    """Return the edits of the last revision, each once.

    It must cover every place of the earlier ones that the tree has. Otherwise it is unclear
    which of them still hold: ApplyFailedError.
    """
    distinct = _merge_repeated(edits)
    last = distinct[-1].revision
    former = [edit for edit in distinct if edit.revision != last]
    final = [edit for edit in distinct if edit.revision == last]
    if not former:
        return final
    if len(distinct) > _MAX_EDITS:
        raise _build_error(distinct[0].path)
    covered = _list_spans(final, tree)
    for span in _list_spans(former, tree):
        path, first, last = span
        if not any(
            other[0] == path and first <= other[2] and other[1] <= last for other in covered
        ):
            raise _build_error(span[0])
    return final


def _build_error(path: str) -> ApplyFailedError:
    reason = "the reply withdraws a patch but leaves open which parts of it still hold"
    return ApplyFailedError(reason, failures=(HunkFailure(path, "", reason),))


def _merge_repeated(edits: Iterable[FileEdit]) -> list[FileEdit]:
    """Drop repeated edits; count those that one passage repeats without naming a line."""
    kept: dict[object, FileEdit] = {}
    for edit in edits:
        hunks = tuple((hunk.lines, hunk.start) for hunk in edit.hunks)
        key = (edit.action, edit.path, edit.new_path, edit.lines, hunks)
        known = kept.pop(key, None)
        is_close = known is not None and known.passage == edit.passage
        if known and is_close and len(edit.hunks) == 1 and edit.hunks[0].start is None:
            hunk = replace(edit.hunks[0], times=known.hunks[0].times + 1)
            kept[key] = replace(edit, hunks=(hunk,))
        else:
            kept[key] = edit
    return list(kept.values())


def _list_spans(edits: Iterable[FileEdit], tree: Tree) -> list[_Span]:
    spans: list[_Span] = []
    for edit in edits:
        draft = TreeDraft(tree, None)
        with suppress(FileRefusedError):
            draft.apply(replace(edit, is_cut=False))
        for path, file in draft.files.items():
            if file is None or file.is_settled:
                spans.append((path, 0, 1 << 62))
            else:
                spans += [(path, start, stop) for start, stop in file.spans]
    return spans
