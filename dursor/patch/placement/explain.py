"""Why a hunk could not be placed, with text that a model can act on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dursor.domain import HunkFailure
from dursor.patch.placement.line_index import without_indent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.patch.edits import Hunk
    from dursor.patch.placement.indexed_file import Ambiguity, IndexedFile

_AROUND = 3  # lines of real text on either side
_MAX_SHOWN = 60  # lines of real text
_COMMON = 8  # a line that occurs more often does not locate a hunk


def explain_failure(
    path: str, hunk: Hunk, file: IndexedFile, result: Ambiguity | None, *, search: bool = True
) -> HunkFailure:
    """Explain why HUNK has no place in the file at PATH; SEARCH for the nearest text."""
    if result is not None:
        lines = " and ".join(str(place + 1) for place in result.places)
        reason = f"the hunk fits in more than one place (lines {lines}): add context"
        return _describe(path, hunk, file, reason, result.places[0])
    old = hunk.old
    if not any(text.strip() for text in old):
        return HunkFailure(path, hunk.source, "the hunk has no line of the file: add context")
    if not file.lines:
        return HunkFailure(path, hunk.source, "the file is empty", line=old[0])
    if not search:
        return HunkFailure(path, hunk.source, "the hunk does not match the file")
    start = _find_nearest(old, file)
    if start is None:
        return _explain_without_match(path, hunk, file)
    return _describe(path, hunk, file, "the hunk does not match the file", start)


def _describe(path: str, hunk: Hunk, file: IndexedFile, reason: str, start: int) -> HunkFailure:
    old, lines = hunk.old, file.lines
    real = lines[start : start + len(old)]
    pairs = enumerate(zip(old, real, strict=False))
    first = next((i for i, (text, line) in pairs if text != line), len(real))
    if first == len(old) and "more than one" not in reason:
        reason = "the hunk is ambiguous: tag every line and give context on both sides"
    begin = max(0, min(start + first, len(lines)) - _MAX_SHOWN // 2, start - _AROUND)
    stop = min(len(lines), start + len(old) + _AROUND, begin + _MAX_SHOWN)
    return HunkFailure(
        path,
        hunk.source,
        reason,
        line=old[first] if first < len(old) else None,
        nearest="\n".join(lines[begin:stop]),
        nearest_line=begin + 1,
    )


def _explain_without_match(path: str, hunk: Hunk, file: IndexedFile) -> HunkFailure:
    """Explain why HUNK has no place when only its header may locate it."""
    lines, index = file.lines, file.index(without_indent)
    is_known = any(index.letter(text) is not None for text in hunk.old if text.strip())
    reason = f"{'the hunk does not match' if is_known else 'no line of the hunk is in'} the file"
    failure = HunkFailure(path, hunk.source, reason, line=next(filter(str.strip, hunk.old)))
    if len(lines) <= _MAX_SHOWN:
        begin, stop = 0, len(lines)
    elif hunk.start is not None and hunk.start <= len(lines):
        begin = max(0, hunk.start - 1 - _AROUND)
        stop = min(hunk.start - 1 + len(hunk.old) + _AROUND, begin + _MAX_SHOWN)
    else:
        return failure
    return failure._replace(nearest="\n".join(lines[begin:stop]), nearest_line=begin + 1)


def _find_nearest(old: Sequence[str], file: IndexedFile) -> int | None:
    """Return the start for which most of the hunk's rarer lines vote."""
    index = file.index(without_indent)
    votes: Counter[int] = Counter()
    for offset, line in enumerate(old):
        if line.strip():
            for place in index.places(line, _COMMON):
                votes[place - offset] += 1
    if not votes:
        return None
    best = max(votes.values())
    return max(0, min(start for start, count in votes.items() if count == best))
