"""Hunks whose context skips lines or misremembers some: placed piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dursor.patch.edits import Line
from dursor.patch.place import Index

_MOST = 64  # places of one change that are looked at
_REACH = 60  # lines beyond a piece in which skipped context may stand
_WORD = re.compile(r"[A-Za-z_]\w+")
ELISION = re.compile(
    r"\s*(?:#|//|/\*|<!--|--|;|%|\"\"\"|\.\.\.|…)*\s*(?:\.\.\.|…)"
    r"(?:[\w\s'()]*(?:\.\.\.|…)?\s*(?:\*/|-->)?)?\s*$"
)


class Piece(NamedTuple):
    """A run of a hunk's lines, FIRST to LAST of its old side, that stands at START in the file."""

    first: int
    stop: int
    start: int


class _Group(NamedTuple):
    """One run of changes: its removed lines' span on the old side, and whether it only adds."""

    first: int
    stop: int


def find_pieces(lines: Sequence[Line], index: Index) -> list[Piece] | None:
    """Find the one way in which every change of LINES stands in the file; None when unsure.

    Each change must touch true context on both sides (a hunk's own edge, or an elision, stands for
    context only where lines are removed, or two true lines stand on the other side), and its piece
    must fit better there than anywhere else, in every respect.
    """
    old = [line.text for line in lines if line.tag != "+"]
    letters = [index.letter(text) for text in old]
    pieces: list[Piece] = []
    for group in _groups(lines):
        if pieces and pieces[-1].first <= group.first and group.stop < pieces[-1].stop:
            continue
        piece = _best(group, old, letters, index)
        if piece is None or not _touches(group, piece, old):
            return None
        if pieces and (
            piece.start < pieces[-1].start + pieces[-1].stop - pieces[-1].first
            or piece.first < pieces[-1].stop
        ):
            return None
        pieces.append(piece)
    return pieces if _is_enough(pieces, old) else None


def _groups(lines: Sequence[Line]) -> Iterator[_Group]:
    at = first = 0
    inside = False
    for line in lines:
        if line.tag == " ":
            if inside:
                yield _Group(first, at)
            inside = False
        elif not inside:
            first, inside = at, True
        at += line.tag != "+"
    if inside:
        yield _Group(first, at)


def _core(group: _Group, old: Sequence[str]) -> tuple[int, int]:
    """The group with the one line of context on either side, where there is any."""
    first, stop = group
    if first > 0 and not ELISION.match(old[first - 1]):
        first -= 1
    if stop < len(old) and not ELISION.match(old[stop]):
        stop += 1
    return first, stop


def _best(
    group: _Group, old: Sequence[str], letters: Sequence[str | None], index: Index
) -> Piece | None:
    first, stop = _core(group, old)
    core = letters[first:stop]
    if not core or None in core:
        return None
    grown = [
        _grow(first, stop, start, letters, index.text)
        for start in index.all_places("".join(filter(None, core)), _MOST)
    ]
    if not grown:
        return None
    best = max(grown, key=lambda piece: piece.stop - piece.first)
    for piece in grown:
        if piece is not best and (piece.first < best.first or piece.stop > best.stop):
            return None
        if piece is not best and piece.stop - piece.first == best.stop - best.first:
            return None
    return best


def _grow(first: int, stop: int, start: int, letters: Sequence[str | None], text: str) -> Piece:
    end = start + stop - first
    while first > 0 and start > 0 and letters[first - 1] == text[start - 1]:
        first, start = first - 1, start - 1
    while stop < len(letters) and end < len(text) and letters[stop] == text[end]:
        stop, end = stop + 1, end + 1
    return Piece(first, stop, start)


def _touches(group: _Group, piece: Piece, old: Sequence[str]) -> bool:
    """Whether true context stands where it must around GROUP."""
    above, below = group.first - piece.first, piece.stop - group.stop
    if above and below:
        return True
    if group.stop > group.first:
        return any(text.strip() for text in old[group.first : group.stop])
    near = old[piece.first : group.first] or old[group.stop : piece.stop]
    return sum(bool(text.strip()) for text in near) >= 2


def _is_enough(pieces: Sequence[Piece], old: Sequence[str]) -> bool:
    """Whether the pieces hold three lines that say something, and half of those there are."""
    said = [bool(text.strip()) and not ELISION.match(text) for text in old]
    true = sum(sum(said[piece.first : piece.stop]) for piece in pieces)
    return true >= 3 and 2 * true >= sum(said)


def cut(lines: Sequence[Line], pieces: Sequence[Piece]) -> Iterator[tuple[Piece, list[Line]]]:
    """Yield each piece with its lines; an added line goes with the old line before it."""
    at = 0
    todo = list(pieces)
    taken: list[Line] = []
    for line in lines:
        if todo and at >= todo[0].stop and line.tag != "+":
            yield todo.pop(0), taken
            taken = []
        if todo and at >= todo[0].first:
            taken.append(line)
        at += line.tag != "+"
    if todo:
        yield todo[0], taken


def is_trustworthy(lines: Sequence[Line], pieces: Sequence[Piece], index: Index) -> bool:
    """Tell whether the context outside of PIECES is only skipped or misremembered.

    It is not when it may be an edit that the model forgot to mark: a line that is not there but
    resembles one that is, or that uses a word which only the hunk's added lines bring in.
    """
    old = [line.text for line in lines if line.tag != "+"]
    brought = _brought(lines, index)
    held = {at for piece in pieces for at in range(piece.first, piece.stop)}
    for at, text in enumerate(old):
        if at in held or not text.strip() or ELISION.match(text):
            continue
        low, high = _room(at, pieces, len(index.text))
        letter = index.letter(text)
        if letter is not None and letter in index.text[low:high]:
            continue
        words = set(_WORD.findall(text))
        if words & brought:
            return False
        if any(_alike(words, text, index.lines[i]) for i in range(low, high)):
            return False
    return True


def _brought(lines: Sequence[Line], index: Index) -> set[str]:
    """The words that added lines use and the file does not know."""
    added = {word for x in lines if x.tag == "+" for word in _WORD.findall(x.text)}
    return added - index.words


def _room(at: int, pieces: Sequence[Piece], size: int) -> tuple[int, int]:
    """The lines of the file in which context line AT, in no piece, would have to stand."""
    low = high = None
    for piece in pieces:
        if piece.stop <= at:
            low = piece.start + piece.stop - piece.first
        elif high is None:
            high = piece.start
    if low is None:
        low = max(0, (high or 0) - _REACH)
    if high is None:
        high = min(size, low + _REACH)
    return low, min(high, low + 4 * _REACH)


def _alike(words: set[str], text: str, real: str) -> bool:
    if not real.strip():
        return False
    other = set(_WORD.findall(real))
    if not words or not other:
        return text.strip() == real.strip()
    return 2 * len(words & other) >= len(words | other)
