"""Hunks that skip or misremember context: placed piece by piece."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from dursor.patch.placement.elided_code import is_elision
from dursor.patch.placement.indent import are_alike

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dursor.patch.edits import Line
    from dursor.patch.placement.line_index import LineIndex

_MAX_PLACES = 64  # places of one change that are compared
_REACH = 60  # lines beyond a piece in which skipped context may be
_MAX_MISSING = 24  # lines of context that may be skipped or invented
_MIN_TRUE = 3  # lines with text that the file has
_WORD = re.compile(r"[A-Za-z_]\w+")


class Piece(NamedTuple):
    """Lines FIRST to STOP of a hunk's old side, which are at START in the file."""

    first: int
    stop: int
    start: int

    @property
    def end(self) -> int:
        return self.start + self.stop - self.first


class _Change(NamedTuple):
    """One run of changes: the span of its removed lines on the old side."""

    first: int
    stop: int


@dataclass(frozen=True)
class _Search:
    """A hunk's lines, looked up in a file."""

    lines: Sequence[Line]
    index: LineIndex

    @cached_property
    def texts(self) -> list[str]:
        """The old side."""
        return [line.text for line in self.lines if line.tag != "+"]

    @cached_property
    def letters(self) -> list[str | None]:
        """The old side, spelled with the file's letters."""
        return self.index.letters(self.texts)

    @cached_property
    def has_text(self) -> list[bool]:
        """Which old lines are neither blank nor a mark of omitted lines."""
        return [
            bool(text.strip()) and not (letter is None and is_elision(text))
            for text, letter in zip(self.texts, self.letters, strict=True)
        ]

    @cached_property
    def new_words(self) -> set[str]:
        """The words of added lines that the file does not have."""
        added = {word for x in self.lines if x.tag == "+" for word in _WORD.findall(x.text)}
        return added - self.index.words

    def is_elided(self, row: int) -> bool:
        """Return whether old line ROW marks omitted lines."""
        return not self.has_text[row] and bool(self.texts[row].strip())


def find_pieces(lines: Sequence[Line], index: LineIndex) -> list[Piece] | None:
    """Find the one way in which the file has every change of LINES; None when unsure.

    Each change must touch true context on both sides, and its piece must fit better than anywhere
    else in every respect. The hunk's own edge, or an elision, counts as context only where lines
    are removed or two true lines are on the other side.
    """
    search = _Search(lines, index)
    pieces: list[Piece] = []
    for change in _list_changes(lines):
        last = pieces[-1] if pieces else Piece(0, 0, 0)
        if last.first <= change.first and change.stop < last.stop:
            continue
        piece = _find_best(change, search)
        if piece is None or not _touches_context(change, piece, search):
            return None
        if piece.first < last.stop or piece.start < last.end:
            return None
        pieces.append(piece)
    true = sum(sum(search.has_text[piece.first : piece.stop]) for piece in pieces)
    if not pieces or true < _MIN_TRUE or 2 * true < sum(search.has_text):
        return None
    return None if _has_unmarked_edit(search, pieces) else pieces


def _list_changes(lines: Sequence[Line]) -> Iterator[_Change]:
    row = first = 0
    inside = False
    for line in lines:
        if line.tag == " ":
            if inside:
                yield _Change(first, row)
            inside = False
        elif not inside:
            first, inside = row, True
        row += line.tag != "+"
    if inside:
        yield _Change(first, row)


def _find_best(change: _Change, search: _Search) -> Piece | None:
    """Return the piece around CHANGE that reaches at least as far as any other on each side."""
    first, stop = change
    if first > 0 and not search.is_elided(first - 1):
        first -= 1
    if stop < len(search.texts) and not search.is_elided(stop):
        stop += 1
    core = search.letters[first:stop]
    if not core or None in core:
        return None
    places = search.index.all_places("".join(filter(None, core)), _MAX_PLACES)
    pieces = [_grow(first, stop, start, search) for start in places]
    if not pieces:
        return None
    best = max(pieces, key=lambda piece: piece.stop - piece.first)
    is_best = all(
        piece.first >= best.first and piece.stop <= best.stop and piece[:2] != best[:2]
        for piece in pieces
        if piece is not best
    )
    return best if is_best else None


def _grow(first: int, stop: int, start: int, search: _Search) -> Piece:
    letters, text = search.letters, search.index.text
    end = start + stop - first
    while first > 0 and start > 0 and letters[first - 1] == text[start - 1]:
        first, start = first - 1, start - 1
    while stop < len(letters) and end < len(text) and letters[stop] == text[end]:
        stop, end = stop + 1, end + 1
    return Piece(first, stop, start)


def _touches_context(change: _Change, piece: Piece, search: _Search) -> bool:
    """Return whether true context is where it must be around CHANGE."""
    if piece.first < change.first and change.stop < piece.stop:
        return True
    if change.stop > change.first:
        return any(search.has_text[change.first : change.stop])
    near = search.has_text[piece.first : change.first] or search.has_text[change.stop : piece.stop]
    return sum(near) >= 2


def split_at_pieces(
    lines: Sequence[Line], pieces: Sequence[Piece]
) -> Iterator[tuple[Piece, list[Line]]]:
    """Yield each piece with its lines; an added line belongs to the old line before it."""
    row = 0
    todo = list(pieces)
    taken: list[Line] = []
    for line in lines:
        if todo and row >= todo[0].stop and line.tag != "+":
            yield todo.pop(0), taken
            taken = []
        if todo and row >= todo[0].first:
            taken.append(line)
        row += line.tag != "+"
    if todo:
        yield todo[0], taken


class _Missing(NamedTuple):
    """Old line ROW, which no piece holds; it belongs between lines LOW and HIGH of the file."""

    search: _Search
    row: int
    low: int
    high: int

    @property
    def is_skipped_over(self) -> bool:
        """Whether the file has the line where it belongs."""
        letter = self.search.letters[self.row]
        return letter is not None and letter in self.search.index.text[self.low : self.high]


def _has_unmarked_edit(search: _Search, pieces: Sequence[Piece]) -> bool:
    """Return whether context outside of PIECES may be an edit that the model forgot to mark."""
    held = {row for piece in pieces for row in range(piece.first, piece.stop)}
    missing = [row for row, has_text in enumerate(search.has_text) if has_text and row not in held]
    if len(missing) > _MAX_MISSING or is_moved(search, pieces):
        return True
    size = len(search.index.text)
    return any(
        guard(_Missing(search, row, *_find_room(row, pieces, size)))
        for row in missing
        for guard in GUARDS
    )


def is_moved(search: _Search, pieces: Sequence[Piece]) -> bool:
    """Return whether the hunk adds a line that it skips elsewhere in the file."""
    added = {x.text.strip() for x in search.lines if x.tag == "+" and any(map(str.isalnum, x.text))}
    return any(
        search.index.lines[row].strip() in added
        for piece, after in pairwise(pieces)
        for row in range(piece.end, after.start)
    )


def is_squeezed_in(missing: _Missing) -> bool:
    """Return whether the nearest known lines around the missing one adjoin in the file."""
    search, row = missing.search, missing.row
    above = next((x for x in reversed(search.letters[:row]) if x is not None), None)
    below = next((x for x in search.letters[row + 1 :] if x is not None), None)
    text = search.index.text[max(0, missing.low - 1) : missing.high + 1]
    return above is not None and below is not None and above + below in text


def uses_new_word(missing: _Missing) -> bool:
    """Return whether an unknown line uses a word that only the hunk's added lines have."""
    words = set(_WORD.findall(missing.search.texts[missing.row]))
    return not missing.is_skipped_over and bool(missing.search.new_words & words)


def resembles_a_line(missing: _Missing) -> bool:
    """Return whether an unknown line resembles one that the file has there."""
    text, lines = missing.search.texts[missing.row], missing.search.index.lines
    room = range(missing.low, missing.high)
    return not missing.is_skipped_over and any(
        lines[i].strip() and are_alike(text, lines[i]) for i in room
    )


GUARDS: tuple[Callable[[_Missing], bool], ...] = (is_squeezed_in, uses_new_word, resembles_a_line)


def _find_room(row: int, pieces: Sequence[Piece], size: int) -> tuple[int, int]:
    """Return the lines of the file between which old line ROW, in no piece, belongs."""
    low = high = None
    for piece in pieces:
        if piece.stop <= row:
            low = piece.end
        elif high is None:
            high = piece.start
    if low is None:
        low = max(0, (high or 0) - _REACH)
    if high is None:
        high = min(size, low + _REACH)
    return low, min(high, low + 4 * _REACH)
