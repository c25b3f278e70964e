"""A file cut into blocks: functions, methods, the heads of classes, what lies between."""

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
MIN_LINES = 5  # smaller ones join the next
JOINED_LINES = 24  # what joining may come to
LEADING = 25  # lines of comment above a definition that belong to it

_LEADS = re.compile(r"[ \t]*(?:@|#|//|/\*|\*|--|;;|\"\"\"$|\[\w)")


class CodeBlock(NamedTuple):
    """Lines `first` to `last` of a file, from 1, inclusive, and the names defined there."""

    first: int
    last: int
    names: tuple[str, ...]
    owners: tuple[str, ...]  # the definitions around it, outermost first
    owner_lines: tuple[int, ...]  # where those begin
    is_header: bool  # lies above every definition: imports, settings


class _Mark(NamedTuple):
    """A definition that may begin a block."""

    line: int  # from 0
    end: int  # the line after its last: where the next one begins that is not deeper
    found: Definition


def split_blocks(text: str, suffix: str) -> list[CodeBlock]:
    """Cut TEXT, in the language of SUFFIX, into blocks that leave out nothing, in order."""
    lines = split_lines(text)
    if not lines:
        return []
    marks = _marks(text, lines, suffix)
    cuts = sorted({0, *(_lead(lines, mark.line) for mark in _boundaries(marks))})
    spans = [
        span
        for first, last in zip(cuts, [*cuts[1:], len(lines)], strict=True)
        for span in _short(lines, first, last)
    ]
    top = next((_lead(lines, one.line) for one in marks if one.found.is_block), len(lines))
    return list(_named(_joined(spans), marks, top))


def _marks(text: str, lines: Sequence[str], suffix: str) -> list[_Mark]:
    starts = [0, *accumulate(map(len, lines))]
    rows = [
        (bisect_right(starts, found.start) - 1, found) for found in find_definitions(text, suffix)
    ]
    ends = [len(lines)] * len(rows)
    around: list[tuple[int, int]] = []  # the indents of what is open, and which row it is
    for n, (line, _) in enumerate(rows):
        indent = _indent(lines[line])
        while around and around[-1][0] >= indent:
            ends[around.pop()[1]] = _lead(lines, line)
        around.append((indent, n))
    return [_Mark(line, end, found) for (line, found), end in zip(rows, ends, strict=True)]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _boundaries(marks: Sequence[_Mark]) -> Iterator[_Mark]:
    """Yield the definitions that begin a block: not those inside of a function of few lines."""
    around: list[_Mark] = []
    for mark in marks:
        while around and mark.line >= around[-1].end:
            around.pop()
        if mark.found.is_block and not any(_is_whole(outer) for outer in around):
            yield mark
        around.append(mark)


def _is_whole(mark: _Mark) -> bool:
    return not mark.found.is_container and mark.end - mark.line <= MAX_LINES


def _lead(lines: Sequence[str], line: int) -> int:
    """Go up from LINE over the comments and decorators that belong to it."""
    first = line
    while first > 0 and line - first < LEADING and _LEADS.match(lines[first - 1]):
        first -= 1
    return first


def _short(lines: Sequence[str], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield lines FIRST to LAST (exclusive) in pieces, cut where the text is cut best."""
    while last - first > MAX_LINES:
        places = range(first + MAX_LINES // 2, first + MAX_LINES + 1)
        cut = min(places, key=lambda at: (_depth(lines, at), -at))
        yield first, cut
        first = cut
    if last > first:
        yield first, last


def _depth(lines: Sequence[str], at: int) -> int:
    """Say how bad a place before line AT is to cut: best behind a blank line, at a low indent."""
    blank = not lines[at - 1].strip()
    return _indent(lines[at]) + (0 if blank else 4) + (0 if lines[at].strip() else 40)


def _joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    first, last = spans[0]
    for start, end in spans[1:]:
        if last - first < MIN_LINES and end - first <= JOINED_LINES:
            last = end
        else:
            yield first, last
            first, last = start, end
    yield first, last


def _named(
    spans: Iterator[tuple[int, int]], marks: Sequence[_Mark], top: int
) -> Iterator[CodeBlock]:
    around: list[_Mark] = []
    at = 0
    for first, last in spans:
        around = [mark for mark in around if mark.end > first]
        owners = tuple(mark.found.name for mark in around)
        heads = tuple(mark.line + 1 for mark in around)
        names = []
        while at < len(marks) and marks[at].line < last:
            names.append(marks[at].found.name)
            if marks[at].end > last:
                around.append(marks[at])
            at += 1
        yield CodeBlock(first + 1, last, tuple(dict.fromkeys(names)), owners, heads, first < top)
