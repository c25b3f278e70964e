"""Hunks whose context skips lines or misremembers some: placed piece by piece."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from dursor.patch.placement.elided_code import is_elision
from dursor.patch.placement.indent import alike

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dursor.patch.edits import Hunk, Line
    from dursor.patch.placement.line_index import LineIndex

_MOST = 64  # places of one change that are looked at
_REACH = 60  # lines beyond a piece in which skipped context may stand
_MISSING = 24  # lines of context that may be skipped or invented
_LEAST = 3  # lines that say something and are true
_WORD = re.compile(r"[A-Za-z_]\w+")


class Piece(NamedTuple):
    """A run of a hunk's lines, FIRST to LAST of its old side, that stands at START in the file."""

    first: int
    stop: int
    start: int


class _Group(NamedTuple):
    """One run of changes: its removed lines' span on the old side, and whether it only adds."""

    first: int
    stop: int


class _Side(NamedTuple):
    """A hunk's old side: its texts, their letters in the file, and which say anything of it."""

    texts: list[str]
    letters: list[str | None]
    said: list[bool]  # neither blank nor a mere sign that lines are left out


def _side(lines: Sequence[Line], index: LineIndex) -> _Side:
    texts = [line.text for line in lines if line.tag != "+"]
    letters = index.letters(texts)
    said = [
        bool(text.strip()) and not (letter is None and is_elision(text))
        for text, letter in zip(texts, letters, strict=True)
    ]
    return _Side(texts, letters, said)


def find_pieces(lines: Sequence[Line], index: LineIndex) -> list[Piece] | None:
    """Find the one way in which every change of LINES stands in the file; None when unsure.

    Each change must touch true context on both sides (a hunk's own edge, or an elision, stands for
    context only where lines are removed, or two true lines stand on the other side), and its piece
    must fit better there than anywhere else, in every respect.
    """
    side = _side(lines, index)
    pieces: list[Piece] = []
    for group in _groups(lines):
        last = pieces[-1] if pieces else Piece(0, 0, 0)
        if last.first <= group.first and group.stop < last.stop:
            continue
        piece = _best(group, side, index)
        if piece is None or not _touches(group, piece, side):
            return None
        if piece.first < last.stop or piece.start < last.start + last.stop - last.first:
            return None
        pieces.append(piece)
    true = sum(sum(side.said[piece.first : piece.stop]) for piece in pieces)
    return pieces if true >= _LEAST and 2 * true >= sum(side.said) else None


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


def _best(group: _Group, side: _Side, index: LineIndex) -> Piece | None:
    """Return the one piece around GROUP that reaches at least as far as any other on each side."""
    first, stop = group
    if first > 0 and not _is_elided(side, first - 1):
        first -= 1
    if stop < len(side.texts) and not _is_elided(side, stop):
        stop += 1
    core = side.letters[first:stop]
    if not core or None in core:
        return None
    grown = [
        _grow(first, stop, start, side.letters, index.text)
        for start in index.all_places("".join(filter(None, core)), _MOST)
    ]
    if not grown:
        return None
    best = max(grown, key=lambda piece: piece.stop - piece.first)
    span = (best.first, best.stop)
    rivals = [piece for piece in grown if piece is not best]
    is_best = all(
        piece.first >= best.first and piece.stop <= best.stop and (piece.first, piece.stop) != span
        for piece in rivals
    )
    return best if is_best else None


def _is_elided(side: _Side, at: int) -> bool:
    return not side.said[at] and bool(side.texts[at].strip())


def _grow(first: int, stop: int, start: int, letters: Sequence[str | None], text: str) -> Piece:
    end = start + stop - first
    while first > 0 and start > 0 and letters[first - 1] == text[start - 1]:
        first, start = first - 1, start - 1
    while stop < len(letters) and end < len(text) and letters[stop] == text[end]:
        stop, end = stop + 1, end + 1
    return Piece(first, stop, start)


def _touches(group: _Group, piece: Piece, side: _Side) -> bool:
    """Tell whether true context stands where it must around GROUP."""
    if piece.first < group.first and group.stop < piece.stop:
        return True
    if group.stop > group.first:
        return any(side.said[group.first : group.stop])
    near = side.said[piece.first : group.first] or side.said[group.stop : piece.stop]
    return sum(near) >= 2


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


def miscounts(hunk: Hunk) -> bool:
    """Tell whether HUNK's header counts the lines of one side right, and not those of the other.

    What is skipped may then be lines to be removed, and what is invented lines to be added.
    """
    if hunk.old_count is None or hunk.new_count is None:
        return False
    return (hunk.old_count == len(hunk.old)) != (hunk.new_count == len(hunk.new))


def is_trustworthy(lines: Sequence[Line], pieces: Sequence[Piece], index: LineIndex) -> bool:
    """Tell whether the context outside of PIECES is only skipped or misremembered.

    It is not when it may be an edit that the model forgot to mark: a line that is not there but
    resembles one that is, or that uses a word which only the hunk's added lines bring in, or that
    stands between two lines which have nothing between them; or a line that is skipped and added.
    """
    side = _side(lines, index)
    brought = _brought(lines, index)
    held = {at for piece in pieces for at in range(piece.first, piece.stop)}
    missing = [at for at, said in enumerate(side.said) if said and at not in held]
    if len(missing) > _MISSING or _is_moved(lines, pieces, index):
        return False
    for at in missing:
        text = side.texts[at]
        low, high = _room(at, pieces, len(index.text))
        if _is_squeezed_in(at, side, index.text[max(0, low - 1) : high + 1]):
            return False
        letter = side.letters[at]
        if letter is not None and letter in index.text[low:high]:
            continue
        if brought & set(_WORD.findall(text)) or any(
            index.lines[i].strip() and alike(text, index.lines[i]) for i in range(low, high)
        ):
            return False
    return True


def _is_squeezed_in(at: int, side: _Side, text: str) -> bool:
    """Tell whether the nearest lines around line AT that the file has adjoin each other there."""
    above = next((x for x in reversed(side.letters[:at]) if x is not None), None)
    below = next((x for x in side.letters[at + 1 :] if x is not None), None)
    return above is not None and below is not None and above + below in text


def _is_moved(lines: Sequence[Line], pieces: Sequence[Piece], index: LineIndex) -> bool:
    """Tell whether a line that is added stands in the file where the hunk skips lines."""
    added = {x.text.strip() for x in lines if x.tag == "+" and any(map(str.isalnum, x.text))}
    for piece, after in pairwise(pieces):
        skipped = range(piece.start + piece.stop - piece.first, after.start)
        if any(index.lines[at].strip() in added for at in skipped):
            return True
    return False


def _brought(lines: Sequence[Line], index: LineIndex) -> set[str]:
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
