"""Doubts: what makes a hunk unclear wherever it fits, and what makes one place of it suspect.

A rule of the ladder says where a hunk stands; a doubt says that it may not be all that was meant.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from dursor.patch.edits import Origin
from dursor.patch.placement import indent as margins
from dursor.patch.placement.line_index import exactly, without_trailing
from dursor.patch.placement.partial_context import miscounts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dursor.patch.edits import Hunk, Line
    from dursor.patch.placement.target import IndexedFile, Placement


def is_unclear(hunk: Hunk, target: IndexedFile) -> bool:
    """Tell whether untagged lines of HUNK, or others of it, may be something else than they look.

    Context of the file that begins with a sign, or changed lines that lost theirs. Nor is a last
    line clear that is not the file's, if it may be the beginning of one.
    """
    if hunk.ends_mid_line and not _has_last(hunk, target):
        return True
    untagged = [line for line in hunk.lines if line.bare]
    if not untagged:
        return False
    said = any(line.text.strip() for line in untagged)
    return (said and miscounts(hunk)) or may_be_context(hunk, target)


def _has_last(hunk: Hunk, target: IndexedFile) -> bool:
    """Tell whether the file has the last old line of HUNK."""
    last = hunk.old[-1]
    return target.index(without_trailing if last.strip() else exactly).letter(last) is not None


def may_be_context(hunk: Hunk, target: IndexedFile) -> bool:
    """Tell whether a changed line may be context that lost its tag, as other lines of it did."""
    raw = [line.tag + line.text for line in hunk.lines if line.tag != " "]
    return any(letter is not None for letter in target.index(without_trailing).letters(raw))


def lacks_a_side(hunk: Hunk, placed: Placement, target: IndexedFile) -> bool:
    """Tell whether HUNK begins or ends with a change where its header says that more stood.

    What stood there may be lines to be removed, as when more old lines are missing than new ones,
    or a bracket that closes the next one: nothing shows where added lines belong then.
    """
    if hunk.old_count is None or hunk.new_count is None:
        return False
    if hunk.old_count <= placed.stop - placed.start:
        return False
    lines = [line for line in hunk.lines if line.tag != " " or line.text.strip()]
    starts = lines[0].tag != " " and placed.start > 0
    ends = lines[-1].tag != " " and placed.stop < len(target.lines)
    if not starts and not ends:
        return False
    if hunk.new_count == len(hunk.new):
        return True
    if any(line.tag == "-" for line in lines):
        return False
    missing_old, missing_new = hunk.old_count - len(hunk.old), hunk.new_count - len(hunk.new)
    return (
        missing_old > max(missing_new, 0)
        or missing_old == missing_new == 1
        or (starts and _is_nested(target, placed.start))
        or (ends and _is_nested(target, placed.stop))
    )


def _is_nested(target: IndexedFile, at: int) -> bool:
    """Tell whether both lines around AT are brackets without a word."""
    pair = [line.strip() for line in target.lines[at - 1 : at + 1]]
    return all(pair) and not any(map(str.isalnum, "".join(pair)))


def doubles(hunk: Hunk, placed: Placement, target: IndexedFile) -> bool:
    """Tell whether a block begins or ends with a new line that is there, once, just beyond it.

    A search text must hold whatever its replacement does: this one leaves out a line. Blank lines
    at its edges that the file does not have hide nothing.
    """
    if hunk.origin is not Origin.BLOCK:
        return False
    lines = _edged(hunk, placed)
    for edge, beyond in ((lines, placed.start - 1), (lines[::-1], placed.stop)):
        line = _gained(edge)
        if line is None or not 0 <= beyond < len(target.lines):
            continue
        if line.text == target.lines[beyond] and any(map(str.isalnum, line.text)):
            return len(target.index().places(line.text, 1)) == 1
    return False


def _gained(lines: Sequence[Line]) -> Line | None:
    """Return the first new line of LINES, if they begin with it, or with a change that gains."""
    change = list(takewhile(lambda line: line.tag != " ", lines))
    added = [line for line in change if line.tag == "+"]
    if not added:
        return None
    return added[0] if change[:1] == added[:1] or 2 * len(added) > len(change) else None


def _edged(hunk: Hunk, placed: Placement) -> Sequence[Line]:
    """Return the lines of HUNK, less blank ones that have no place in PLACED."""
    if len(hunk.old) == placed.stop - placed.start:
        return hunk.lines
    return [line for line in hunk.lines if line.tag != " " or line.text.strip()]


def is_inside_run(hunk: Hunk, placed: Placement, target: IndexedFile) -> bool:
    """Tell whether HUNK adds at an edge beside a line that is there once more just beyond it.

    Of several equal lines one is easily left out, and the added ones belong below the last. A
    header that counts right and names this very place says that none is.
    """
    if hunk.is_counted and hunk.start == placed.start + 1:
        return False
    lines = target.lines
    above, below = placed.start - 1, placed.stop
    edged = _edged(hunk, placed)
    if edged[0].tag == "+" and above >= 0 and lines[above] == lines[placed.start]:
        return True
    return edged[-1].tag == "+" and below < len(lines) and lines[below] == lines[below - 1]


def rests_on_padding(hunk: Hunk, placed: Placement, target: IndexedFile) -> bool:
    """Tell whether only blank lines at the end of HUNK choose PLACED among several places.

    They may be the end of the reply, or of a paragraph, unless the header counts them.
    """
    if hunk.is_counted or hunk.lines[-1].tag != " " or hunk.lines[-1].text.strip():
        return False
    old = hunk.old[: placed.stop - placed.start]
    while old and not old[-1].strip():
        old.pop()
    return len(target.index(without_trailing).find(old, None)) > 1


def has_foreign_margin(hunk: Hunk, placed: Placement, target: IndexedFile) -> bool:
    """Tell whether HUNK indents with tabs where the file has only blanks, or the other way round.

    And nothing of it shows that this was meant.
    """
    del placed
    margin = {x.text[0] for x in hunk.lines if x.tag == "+" and x.text.strip()} & {" ", "\t"}
    is_foreign = bool(target.signs) and not margin <= target.signs
    return is_foreign and margins.is_unproved(hunk.lines)


DOUBTS: tuple[Callable[[Hunk, Placement, IndexedFile], bool], ...] = (
    lacks_a_side,
    doubles,
    is_inside_run,
    rests_on_padding,
    has_foreign_margin,
)
