"""Whole texts given for files that exist: whether they can be trusted to be whole."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dursor.patch.diff.linediff import diff_lines
from dursor.patch.lines import FileText, Splice
from dursor.patch.placement.elided_code import is_placeholder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dursor.patch.placement.indexed_file import IndexedFile

_SHORT = 8  # lines that a rewrite may well replace one and all
_MANY = 3  # lines that are not just left out at an end


def is_quoted(lines: Sequence[str], target: IndexedFile) -> bool:
    """Tell whether LINES only repeat a part of the file, or all of it."""
    said = list(lines)
    while said and not said[-1].strip():
        said.pop()
    pattern = target.index().pattern(said)
    return bool(pattern) and target.index().text.find(pattern or "") >= 0


def is_excerpt(lines: Sequence[str], target: IndexedFile) -> bool:
    """Tell whether LINES may be less than the whole file.

    Whole is what skips nothing in so many words, leaves out no lines at either end, and either
    keeps most of the lines that say something, or begins and ends with the same of them; of a file
    of some length it keeps half of the lines at least.
    """
    old, new = list(_telling(target.lines)), list(_telling(lines))
    if not old:
        return not new and any(map(str.strip, target.lines))
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


def _telling(lines: Iterable[str]) -> Iterator[str]:
    """Yield LINES without their margins, less those that are blank or mere brackets."""
    for line in lines:
        if any(map(str.isalnum, line)):
            yield line.strip()


def rewritten(text: FileText, lines: Sequence[str]) -> FileText:
    """Give TEXT the content of LINES, with its own line ends and final newline."""
    splices = [
        Splice(op.a0, op.a1, tuple(lines[op.b0 : op.b1]))
        for op in diff_lines(text.lines, lines)
        if not op.equal
    ]
    return text.apply_splices(splices)
