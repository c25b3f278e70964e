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
_NO_MATCH = "the hunk does not match the file"
_NO_CONTEXT = "the hunk has no line of the file: add context"
_APPLIED = "the file already has this change, or the patch is reversed"
_COMMON = 8  # a line that occurs more often does not locate a hunk


def explain_failure(
    path: str, hunk: Hunk, file: IndexedFile, result: Ambiguity | None, *, search: bool = True
) -> HunkFailure:
    """Explain why HUNK has no place in the file at PATH; SEARCH for the nearest text."""
    if result is not None:
        lines = " and ".join(str(place + 1) for place in result.places)
        reason = f"the hunk fits in more than one place (lines {lines}): add context"
        return _describe(path, hunk, file, reason, result.places[0])
    if not file.lines:
        line = next(iter(hunk.old), None)
        return HunkFailure(path, hunk.source, "the file is empty", line=line)
    if not any(text.strip() for text in hunk.old):
        return _explain_without_match(path, hunk, file, _NO_CONTEXT)
    if _is_applied(hunk, file):
        return _explain_without_match(path, hunk, file, _APPLIED)
    start = _find_nearest(hunk.old, file) if search else None
    if start is None:
        return _explain_without_match(path, hunk, file, _NO_MATCH)
    return _describe(path, hunk, file, _NO_MATCH, start)


def _is_applied(hunk: Hunk, file: IndexedFile) -> bool:
    """Return whether the file has the new side of HUNK, with more text than the context."""
    added = [line.text for line in hunk.lines if line.tag == "+"]
    index = file.index(without_indent)
    return any(map(str.strip, added)) and index.holds(hunk.new) and not index.holds(hunk.old)


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


def _explain_without_match(path: str, hunk: Hunk, file: IndexedFile, reason: str) -> HunkFailure:
    """Explain why HUNK has no place with the new side, or the line of its header, as nearest."""
    lines, index = file.lines, file.index(without_indent)
    if reason == _NO_MATCH and not any(index.letter(x) is not None for x in hunk.old if x.strip()):
        reason = "no line of the hunk is in the file"
    places = index.find(hunk.new, None) if reason == _APPLIED else []
    start = places[0] if places else min((hunk.start or 1) - 1, len(lines) - 1)
    begin = 0 if len(lines) <= _MAX_SHOWN else max(0, start - _AROUND)
    stop = min(len(lines), start + max(len(hunk.old), len(hunk.new)) + _AROUND, begin + _MAX_SHOWN)
    stop = len(lines) if len(lines) <= _MAX_SHOWN else stop
    line = next(filter(str.strip, hunk.old), None) if reason != _APPLIED else None
    nearest = "\n".join(lines[begin:stop])
    return HunkFailure(path, hunk.source, reason, line, nearest, begin + 1)


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
