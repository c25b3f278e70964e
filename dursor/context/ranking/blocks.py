"""Split a file into blocks: functions, methods, the heads of classes, and the code between."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from dursor.context.text.languages import find_definitions
from dursor.context.text.measure import split_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dursor.context.text.languages import Definition

MAX_LINES = 70  # of a block
MIN_LINES = 5  # a smaller block joins the next one
JOINED_LINES = 24  # up to this size
MAX_LEAD = 25  # lines of comments above a definition that belong to it

_LEAD = re.compile(r"[ \t]*(?:@|#|//|/\*|\*|--|;;|\"\"\"$|\[\w)")


class CodeBlock(NamedTuple):
    """Lines `first` to `last` of a file, from 1, inclusive, and the names defined there."""

    first: int
    last: int
    names: tuple[str, ...]
    owners: tuple[str, ...]  # enclosing definitions, outermost first
    owner_lines: tuple[int, ...]  # their first lines
    is_header: bool  # before every definition: imports, settings


class _Mark(NamedTuple):
    """A definition that can begin a block."""

    line: int  # from 0
    end: int  # exclusive: the beginning of the next definition that is not deeper
    definition: Definition


def split_blocks(text: str, suffix: str) -> list[CodeBlock]:
    """Split TEXT, in the language of SUFFIX, into blocks that cover all of it, in order."""
    lines = split_lines(text)
    if not lines:
        return []
    marks = _list_marks(text, lines, suffix)
    cuts = sorted({0, *(_find_lead(lines, mark.line) for mark in _list_boundaries(marks))})
    spans = [
        span
        for first, last in zip(cuts, [*cuts[1:], len(lines)], strict=True)
        for span in _cut_long(lines, first, last)
    ]
    starts = (_find_lead(lines, mark.line) for mark in marks if mark.definition.is_block)
    top = next(starts, len(lines))
    return list(_name_spans(_join_short(spans), marks, top))


def _list_marks(text: str, lines: Sequence[str], suffix: str) -> list[_Mark]:
    starts = [0, *accumulate(map(len, lines))]
    rows = [
        (bisect_right(starts, definition.start) - 1, definition)
        for definition in find_definitions(text, suffix)
    ]
    ends = [len(lines)] * len(rows)
    open_: list[tuple[int, int]] = []  # indents and rows of the enclosing definitions
    for n, (line, _) in enumerate(rows):
        indent = _measure_indent(lines[line])
        while open_ and open_[-1][0] >= indent:
            ends[open_.pop()[1]] = _find_lead(lines, line)
        open_.append((indent, n))
    return [_Mark(line, end, match) for (line, match), end in zip(rows, ends, strict=True)]


def _measure_indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _list_boundaries(marks: Sequence[_Mark]) -> Iterator[_Mark]:
    """Yield the definitions that begin a block: all but those inside a short function."""
    outer: list[_Mark] = []
    for mark in marks:
        while outer and mark.line >= outer[-1].end:
            outer.pop()
        if mark.definition.is_block and not any(
            not other.definition.is_container and other.end - other.line <= MAX_LINES
            for other in outer
        ):
            yield mark
        outer.append(mark)


def _find_lead(lines: Sequence[str], line: int) -> int:
    """Go up from LINE to the first of its comments and decorators."""
    first = line
    while first > 0 and line - first < MAX_LEAD and _LEAD.match(lines[first - 1]):
        first -= 1
    return first


def _cut_long(lines: Sequence[str], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield lines FIRST to LAST (exclusive) in pieces, cut at the best places."""
    while last - first > MAX_LINES:
        places = range(first + MAX_LINES // 2, first + MAX_LINES + 1)
        cut = min(places, key=lambda n: (_rate_cut(lines, n), -n))
        yield first, cut
        first = cut
    if last > first:
        yield first, last


def _rate_cut(lines: Sequence[str], n: int) -> int:
    """Rate a cut before line N: best after a blank line, at a low indent; lower is better."""
    blank = not lines[n - 1].strip()
    return _measure_indent(lines[n]) + (0 if blank else 4) + (0 if lines[n].strip() else 40)


def _join_short(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    first, last = spans[0]
    for start, end in spans[1:]:
        if last - first < MIN_LINES and end - first <= JOINED_LINES:
            last = end
        else:
            yield first, last
            first, last = start, end
    yield first, last


def _name_spans(
    spans: Iterator[tuple[int, int]], marks: Sequence[_Mark], top: int
) -> Iterator[CodeBlock]:
    outer: list[_Mark] = []
    n = 0
    for first, last in spans:
        outer = [mark for mark in outer if mark.end > first]
        owners = tuple(mark.definition.name for mark in outer)
        owner_lines = tuple(mark.line + 1 for mark in outer)
        names = []
        while n < len(marks) and marks[n].line < last:
            names.append(marks[n].definition.name)
            if marks[n].end > last:
                outer.append(marks[n])
            n += 1
        yield CodeBlock(
            first + 1, last, tuple(dict.fromkeys(names)), owners, owner_lines, first < top
        )
