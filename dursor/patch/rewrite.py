"""Whole texts for existing files: complete ones and excerpts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from dursor.patch.diff.linediff import diff_lines
from dursor.patch.lines import FileText, Splice
from dursor.patch.placement.elided_code import is_placeholder
from dursor.patch.placement.indent import find_block_end, get_margin
from dursor.patch.placement.indexed_file import IndexedFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SHORT = 8  # a rewrite may replace every line of a shorter file
_MANY = 3  # more lines than a change at an end removes


def is_quotation(lines: Sequence[str], file: IndexedFile) -> bool:
    """Return whether LINES only repeat a part of the file, or all of it."""
    quoted = list(lines)
    while quoted and not quoted[-1].strip():
        quoted.pop()
    return file.index().holds(quoted)


def is_excerpt(lines: Sequence[str], file: IndexedFile) -> bool:
    """Return whether LINES may be less than the whole file.

    A whole file has no mark of omitted code, omits no lines at either end, and either keeps most
    lines or begins and ends with the same ones. Of a longer file it keeps at least half.
    """
    old, new = _drop_margins(file.lines), _drop_margins(lines)
    if not old:
        return not new and any(map(str.strip, file.lines))
    if not new or any(is_placeholder(line) and line not in old for line in new):
        return True
    distinct = set(old)
    if len(old) > _SHORT and 2 * len(distinct.difference(new)) > len(distinct):
        return True
    common = (Counter(old) & Counter(new)).total()
    if 5 * common < 3 * len(old) and (old[0] != new[0] or old[-1] != new[-1]):
        return True
    ops = diff_lines(old, new)
    return any(op.a1 - op.a0 >= op.b1 - op.b0 + _MANY for op in (ops[0], ops[-1]))


def complete_text(lines: Sequence[str], file: IndexedFile) -> Sequence[str] | None:
    """Return the whole text that LINES stand for, or None when they may be less.

    A single block, such as a class, replaces the block with its first line, if it is longer and
    no excerpt of that.
    """
    span = _find_block(lines, file)
    if span is None:
        return None if is_excerpt(lines, file) else lines
    start, stop = span
    block = IndexedFile(replace(file.text, lines=file.lines[start:stop], ends=None))
    if len(lines) <= stop - start or is_excerpt(lines, block):
        return None
    return [*file.lines[:start], *lines, *file.lines[stop:]]


def _find_block(lines: Sequence[str], file: IndexedFile) -> tuple[int, int] | None:
    """Return the span of a part of FILE that begins like LINES, if these are a single block."""
    new = list(lines)
    while new and not new[-1].strip():
        new.pop()
    places = file.index().places(new[0], 1) if new and not get_margin(new[0]) else []
    if len(places) != 1:
        return None
    start = places[0]
    stop = find_block_end(file.lines, start, len(file.lines))
    is_closed = file.lines[stop : stop + 1] == (new[-1],) and not any(map(str.isalnum, new[-1]))
    if len(new) < _MANY or find_block_end(new, 0, len(new)) != len(new) - is_closed:
        return None
    stop += is_closed
    while not file.lines[stop - 1].strip():
        stop -= 1
    has_more = any(map(str.strip, [*file.lines[:start], *file.lines[stop:]]))
    return (start, stop) if has_more else None


def _drop_margins(lines: Iterable[str]) -> list[str]:
    """Return LINES without margins, blank lines and mere brackets."""
    return [line.strip() for line in lines if any(map(str.isalnum, line))]


def rewrite_text(text: FileText, lines: Sequence[str]) -> FileText:
    """Replace the content of TEXT by LINES; its line ends and final newline stay."""
    splices = [
        Splice(op.a0, op.a1, tuple(lines[op.b0 : op.b1]))
        for op in diff_lines(text.lines, lines)
        if not op.equal
    ]
    return text.apply_splices(splices)
