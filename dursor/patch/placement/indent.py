"""Indentation: how a hunk's relates to the file's, and the margins of added lines."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from math import gcd
from typing import TYPE_CHECKING

from dursor.patch.edits import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dursor.patch.edits import Hunk

_WORD = re.compile(r"[A-Za-z_]\w+")


def get_margin(text: str) -> str:
    """Return the blanks at the start of TEXT."""
    return text[: len(text) - len(text.lstrip())]


def find_block_end(lines: Sequence[str], start: int, stop: int) -> int:
    """Return the end of the block below line START: the next line indented no further."""
    depth = len(get_margin(lines[start]))
    for below in range(start + 1, stop):
        if lines[below].strip() and len(get_margin(lines[below])) <= depth:
            return below
    return stop


def keeps_grid(lines: Sequence[Line]) -> bool:
    """Return whether added lines are on the levels of the context: no blank was added to all."""
    levels = {len(get_margin(x.text)) for x in lines if x.tag == " " and x.text.strip()}
    added = [len(get_margin(x.text)) for x in lines if x.tag == "+" and x.text.strip()]
    unit = gcd(*levels)
    return bool(added) and (
        (unit > 1 and all(indent % unit == 0 for indent in added))
        or (added[0] in levels and added[0] + 1 not in levels)
    )


def is_unproved(lines: Sequence[Line]) -> bool:
    """Return whether added lines are indented and no other line is: nothing proves the margin."""
    indented = [x.tag for x in lines if x.text.strip() and get_margin(x.text)]
    return "+" in indented and " " not in indented and "-" not in indented


def measure_step(lines: Iterable[str]) -> int:
    """Return the most common increase of indentation between two lines; 0 without any."""
    widths = [len(get_margin(line)) for line in lines if line.strip()]
    wider = Counter(after - width for width, after in pairwise(widths) if after > width)
    return wider.most_common(1)[0][0] if wider else 0


def reindent(lines: Sequence[Line], real: Sequence[str], step: int) -> tuple[Line, ...] | None:
    """Give added LINES the margins that REAL, the file's text of the old side, implies.

    STEP is the width of a level in the file. A line takes the margin of the removed lines beside
    it with the same written margin. Otherwise one measure must explain the whole hunk; None when
    it does not.
    """
    overall = _Measure(list(_pair_margins(lines, real)), step)
    out: list[Line] = []
    for group, removed in _group_changes(lines, real):
        for line in group:
            if line.tag != "+" or not line.text:
                out.append(line)
                continue
            old = get_margin(line.text)
            new = _find_removed_margin(old, removed) if old else None
            if new is None:
                new = overall.apply(old)
            if new is None:
                return None
            out.append(Line("+", new + line.text[len(old) :]))
    return tuple(out)


def may_slide(hunk: Hunk, lines: Sequence[str], start: int) -> bool:
    """Return whether HUNK, found at START of LINES, may belong one line away.

    The line at its edge occurs once more just beyond, as closing brackets do except for their
    margins, and its lines are not all shifted alike.
    """
    old = hunk.old
    stop = start + len(old)
    above, below = lines[start - 1] if start else None, lines[stop] if stop < len(lines) else None
    if not _has_same_text(old[0], above) and not _has_same_text(old[-1], below):
        return False
    shifts = {
        len(get_margin(real)) - len(get_margin(written))
        for written, real in zip(old, lines[start:stop], strict=True)
        if real.strip()
    }
    return len(shifts) > 1


def moves_edge(hunk: Hunk, lines: Sequence[str], start: int) -> bool:
    """Return whether HUNK, whose margins differ from those of LINES, changes its own margin too.

    Perhaps only its old side lost the margin, and the new lines are indented as they should be.
    """
    real = lines[start : start + len(hunk.old)]
    old, new, there = map(_find_edge, (hunk.old, hunk.new, real))
    return new is not None and old not in {there, new}


GUARDS = (may_slide, moves_edge)


def _find_edge(lines: Iterable[str]) -> int | None:
    """Return the smallest margin of LINES."""
    return min((len(get_margin(line)) for line in lines if line.strip()), default=None)


def _has_same_text(line: str, other: str | None) -> bool:
    return other is not None and line.strip() == other.strip()


def _find_removed_margin(old: str, removed: Sequence[tuple[str, str]]) -> str | None:
    """Return the one real margin of REMOVED lines (written, real) whose written one is OLD."""
    margins = {get_margin(real) for written, real in removed if get_margin(written) == old}
    return margins.pop() if len(margins) == 1 else None


def are_alike(line: str, other: str) -> bool:
    """Return whether two lines share half of their words, or are equal without any."""
    words, others = set(_WORD.findall(line)), set(_WORD.findall(other))
    if not words or not others:
        return line.strip() == other.strip()
    return 2 * len(words & others) >= len(words | others)


def _pair_margins(lines: Iterable[Line], real: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the written and the real margin of each old line that is not blank."""
    old = (line for line in lines if line.tag != "+")
    for line, text in zip(old, real, strict=True):
        if text.strip():
            yield get_margin(line.text), get_margin(text)


def _group_changes(
    lines: Sequence[Line], real: Sequence[str]
) -> Iterator[tuple[list[Line], list[tuple[str, str]]]]:
    """Yield runs of changed lines, and of context, with removed lines (written, real)."""
    index = 0
    group: list[Line] = []
    removed: list[tuple[str, str]] = []
    for line in lines:
        if group and (line.tag == " ") != (group[-1].tag == " "):
            yield group, removed
            group, removed = [], []
        group.append(line)
        if line.tag != "+":
            if line.tag == "-" and line.text.strip():
                removed.append((line.text, real[index]))
            index += 1
    if group:
        yield group, removed


class _Measure:
    """The mapping of margins that PAIRS (written, real) show without contradiction."""

    def __init__(self, pairs: Sequence[tuple[str, str]], step: int) -> None:
        self.pairs = pairs
        self.step = step
        self.clash = len(dict(pairs)) != len(set(pairs))

    def apply(self, old: str) -> str | None:
        """Return the margin for OLD if one measure explains every pair.

        A line without a margin in a hunk that was shifted left is not explained: the edge may have
        stopped it.
        """
        if not self.pairs or self.clash:
            return None
        shifts = {len(new) - len(was) for was, new in self.pairs}
        signs = {char for was, new in self.pairs for char in was + new} | set(old)
        if len(shifts) == 1 and len(signs) <= 1:
            shift = shifts.pop()
            if abs(shift) == 1 or len(old) + shift < 0 or (shift > 0 and not old):
                return None  # one blank is a lost tag
            if shift and self._is_off(old):
                return None
            return (signs.pop() if signs else " ") * (len(old) + shift)
        return self._scale(old)

    def _is_off(self, old: str) -> bool:
        """Return whether OLD is not a whole number of levels from the only margin of the pairs."""
        levels = {len(was) for was, _ in self.pairs}
        return len(levels) == 1 and self.step > 0 and (len(old) - levels.pop()) % self.step > 0

    def _scale(self, old: str) -> str | None:
        """Return the margin for OLD if levels are wider or narrower, or tabs on one side.

        One level of blanks could be a shift as well, so there must be two.
        """
        steps = {(len(was), len(new)) for was, new in self.pairs if was or new}
        signs = {char for _, new in self.pairs for char in new}
        if len(signs) != 1 or any(not was or not new for was, new in steps):
            return None
        if len({char for was, _ in self.pairs for char in was} | set(old)) > 1:
            return None
        if len(steps) < 2 and any(signs & set(was) for was, _ in self.pairs):
            return None
        was, new = next(iter(steps))
        if any(a * new != b * was for a, b in steps) or len(old) % gcd(*(a for a, _ in steps)):
            return None
        return signs.pop() * (len(old) * new // was)
