"""Why a hunk could not be placed, in words and lines that a model can act on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from dursor.domain import HunkFailure
from dursor.patch.placement.line_index import without_indent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.patch.edits import Hunk
    from dursor.patch.placement.target import Ambiguity, IndexedFile

_AROUND = 3  # lines of real text shown on either side
_SHOWN = 60
_COMMON = 8  # a line that occurs more often says little about the place


def failure(
    path: str, hunk: Hunk, target: IndexedFile, outcome: Ambiguity | None, *, look: bool = True
) -> HunkFailure:
    """Describe why HUNK has no place in the file at PATH; LOOK for the nearest text there is."""
    if outcome is not None:
        lines = " and ".join(str(place + 1) for place in outcome.places)
        reason = f"the hunk fits in more than one place (lines {lines}): add context"
        return _described(path, hunk, target, reason, outcome.places[0])
    old = hunk.old
    if not any(text.strip() for text in old):
        return HunkFailure(
            path, hunk.source, "the hunk has no line of the file to say where it goes"
        )
    if not target.lines:
        return HunkFailure(path, hunk.source, "the file is empty", line=old[0])
    if not look:
        return HunkFailure(path, hunk.source, "the hunk does not match the file")
    start = _nearest(old, target)
    if start is None:
        return _nowhere(path, hunk, target)
    return _described(path, hunk, target, "the hunk does not match the file", start)


def _described(path: str, hunk: Hunk, target: IndexedFile, reason: str, start: int) -> HunkFailure:
    old, lines = hunk.old, target.lines
    first = next((i for i, text in enumerate(old) if not _same(lines, start + i, text)), len(old))
    if first == len(old) and "more than one" not in reason:
        reason = "the hunk is not clear: give every line its tag, and context on both sides"
    begin = max(0, min(start + first, len(lines)) - _SHOWN // 2, start - _AROUND)
    stop = min(len(lines), start + len(old) + _AROUND, begin + _SHOWN)
    return HunkFailure(
        path,
        hunk.source,
        reason,
        line=old[first] if first < len(old) else None,
        nearest="\n".join(lines[begin:stop]),
        nearest_line=begin + 1,
    )


def _nowhere(path: str, hunk: Hunk, target: IndexedFile) -> HunkFailure:
    """Describe why HUNK has no place, when nothing but its header may say where it is near."""
    lines, index = target.lines, target.index(without_indent)
    known = any(index.letter(text) is not None for text in hunk.old if text.strip())
    reason = f"{'the hunk does not match' if known else 'no line of the hunk is in'} the file"
    failed = HunkFailure(path, hunk.source, reason, line=next(filter(str.strip, hunk.old)))
    if len(lines) <= _SHOWN:
        begin, stop = 0, len(lines)
    elif hunk.start is not None and hunk.start <= len(lines):
        begin = max(0, hunk.start - 1 - _AROUND)
        stop = min(hunk.start - 1 + len(hunk.old) + _AROUND, begin + _SHOWN)
    else:
        return failed
    return replace(failed, nearest="\n".join(lines[begin:stop]), nearest_line=begin + 1)


def _same(lines: Sequence[str], at: int, text: str) -> bool:
    return 0 <= at < len(lines) and lines[at] == text


def _nearest(old: Sequence[str], target: IndexedFile) -> int | None:
    """Return the start that most of the hunk's rarer lines vote for."""
    index = target.index(without_indent)
    votes: Counter[int] = Counter()
    for offset, line in enumerate(old):
        if line.strip():
            for place in index.places(line, _COMMON):
                votes[place - offset] += 1
    if not votes:
        return None
    best = max(votes.values())
    return max(0, min(start for start, count in votes.items() if count == best))
