"""Whole texts for existing files: complete ones and excerpts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dursor.patch.diff.linediff import diff_lines
from dursor.patch.lines import FileText, Splice
from dursor.patch.placement.elided_code import is_placeholder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dursor.patch.placement.indexed_file import IndexedFile

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
