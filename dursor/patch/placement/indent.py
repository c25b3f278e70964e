"""Indentation: how a hunk's relates to the file's, and what that means for added lines."""

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


def margin(text: str) -> str:
    """Return the blanks that TEXT begins with."""
    return text[: len(text) - len(text.lstrip())]


def block_end(lines: Sequence[str], at: int, stop: int) -> int:
    """Return where the block below line AT ends: at a line indented no more than it is."""
    depth = len(margin(lines[at]))
    for below in range(at + 1, stop):
        if lines[below].strip() and len(margin(lines[below])) <= depth:
            return below
    return stop


def keeps_grid(lines: Sequence[Line]) -> bool:
    """Tell whether added lines stand on the indentation of the context as it is written.

    Had the whole hunk been shifted by one blank, they would not.
    """
    levels = {len(margin(x.text)) for x in lines if x.tag == " " and x.text.strip()}
    added = [len(margin(x.text)) for x in lines if x.tag == "+" and x.text.strip()]
    unit = gcd(*levels)
    return bool(added) and (
        (unit > 1 and all(indent % unit == 0 for indent in added))
        or (added[0] in levels and added[0] + 1 not in levels)
    )


def is_unproved(lines: Sequence[Line]) -> bool:
    """Tell whether nothing in the file vouches for the margins of the lines that are added."""
    indented = [x.tag for x in lines if x.text.strip() and margin(x.text)]
    return "+" in indented and " " not in indented and "-" not in indented


def signs(lines: Iterable[str]) -> set[str]:
    """Return what LINES are indented with."""
    return {line[0] for line in lines if line[:1] in {" ", "\t"} and line.strip()}


def step(lines: Iterable[str]) -> int:
    """Return how much further in than the line above it a line mostly is; 0 where none is."""
    widths = [len(margin(line)) for line in lines if line.strip()]
    wider = Counter(after - width for width, after in pairwise(widths) if after > width)
    return wider.most_common(1)[0][0] if wider else 0


def reindented(lines: Sequence[Line], real: Sequence[str], step: int) -> tuple[Line, ...] | None:
    """Give added LINES the margins that REAL, the file's text of the old side, implies.

    STEP is how far apart levels are in the file.

    A line takes the margin of the removed lines beside it that are written with the same one; at
    the very edge, where a shift to the left would have stopped it, of the line that it takes the
    place of, if lines there are changed one to one; or else what one measure for the whole hunk
    makes of its own. One that neither explains makes it None.
    """
    overall = _Margins(list(_pairs(lines, real)), step)
    out: list[Line] = []
    for group, removed in _groups(lines, real):
        partners = _partners(group, removed)
        for line in group:
            if line.tag != "+" or not line.text:
                out.append(line)
                continue
            old = margin(line.text)
            new = _beside(old, removed) if old else partners.get(line.text)
            if new is None:
                new = overall.implied(old)
            if new is None:
                return None
            out.append(Line("+", new + line.text[len(old) :]))
    return tuple(out)


def slides(old: Sequence[str], lines: Sequence[str], start: int) -> bool:
    """Tell whether OLD, which stands at START of LINES but for margins, may belong a line away.

    So it may where the line at an edge is there once more beyond it, as closing brackets are but
    for their margins, unless all of OLD is shifted alike: a line it lacks shows itself so.
    """
    stop = start + len(old)
    above, below = lines[start - 1] if start else None, lines[stop] if stop < len(lines) else None
    if not _same_text(old[0], above) and not _same_text(old[-1], below):
        return False
    shifts = {
        len(margin(real)) - len(margin(written))
        for written, real in zip(old, lines[start:stop], strict=True)
        if real.strip()
    }
    return len(shifts) > 1


def moves_edge(hunk: Hunk, real: Sequence[str]) -> bool:
    """Tell whether HUNK, whose old lines are not as far in as REAL, moves its own edge as well.

    Only what is to be found may have lost its margin then, and the new lines stand as they should.
    """
    old, new, there = map(_edge, (hunk.old, hunk.new, real))
    return new is not None and old not in {there, new}


def _edge(lines: Iterable[str]) -> int | None:
    """Return how far in the outermost of LINES is."""
    return min((len(margin(line)) for line in lines if line.strip()), default=None)


def _same_text(one: str, other: str | None) -> bool:
    return other is not None and one.strip() == other.strip()


def _beside(old: str, removed: Sequence[tuple[str, str]]) -> str | None:
    """Return the one margin that REMOVED lines (as written, as they are) have for OLD."""
    found = {margin(real) for written, real in removed if margin(written) == old}
    return found.pop() if len(found) == 1 else None


def _partners(group: Sequence[Line], removed: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the margins of REMOVED lines for the lines that replace them, if that is one to one.

    One line more or less may be a block opened or closed around the others.
    """
    added = [line.text for line in group if line.tag == "+" and line.text.strip()]
    if len(added) != len(removed):
        return {}
    pairs = list(zip(added, removed, strict=True))
    if not all(
        margin(new) == margin(written) and alike(written, new) for new, (written, _) in pairs
    ):
        return {}
    found = {(new, margin(real)) for new, (_, real) in pairs}
    return dict(found) if len(dict(found)) == len(found) else {}


def alike(one: str, other: str) -> bool:
    """Tell whether two lines share at least half of their words, or all of their signs."""
    words, others = set(_WORD.findall(one)), set(_WORD.findall(other))
    if not words or not others:
        return one.strip() == other.strip()
    return 2 * len(words & others) >= len(words | others)


def _pairs(lines: Iterable[Line], real: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the margins of each old line that is not blank: as written, as in the file."""
    old = (line for line in lines if line.tag != "+")
    for line, text in zip(old, real, strict=True):
        if text.strip():
            yield margin(line.text), margin(text)


def _groups(
    lines: Sequence[Line], real: Sequence[str]
) -> Iterator[tuple[list[Line], list[tuple[str, str]]]]:
    """Yield runs of changed lines, and of context, with removed lines as written and as real."""
    at = 0
    group: list[Line] = []
    removed: list[tuple[str, str]] = []
    for line in lines:
        if group and (line.tag == " ") != (group[-1].tag == " "):
            yield group, removed
            group, removed = [], []
        group.append(line)
        if line.tag != "+":
            if line.tag == "-" and line.text.strip():
                removed.append((line.text, real[at]))
            at += 1
    if group:
        yield group, removed


class _Margins:
    """What margins become, as far as PAIRS show without contradiction."""

    def __init__(self, pairs: Sequence[tuple[str, str]], step: int) -> None:
        self.pairs = pairs
        self.step = step
        self.clash = len(dict(pairs)) != len(set(pairs))

    def implied(self, old: str) -> str | None:
        """Return what OLD becomes if one measure explains every pair.

        An added line at the very edge of a hunk that was shifted left is not explained: it may have
        stood further left than the rest, and have been stopped by the edge.
        """
        if not self.pairs or self.clash:
            return None
        shifts = {len(new) - len(was) for was, new in self.pairs}
        signs = {char for was, new in self.pairs for char in was + new} | set(old)
        if len(shifts) == 1 and len(signs) <= 1:
            shift = shifts.pop()
            if abs(shift) == 1 or len(old) + shift < 0 or (shift > 0 and not old):
                return None  # one blank is a lost tag, not a shift
            if shift and self._is_off(old):
                return None
            return (signs.pop() if signs else " ") * (len(old) + shift)
        return self._scaled(old)

    def _is_off(self, old: str) -> bool:
        """Tell whether OLD is no level of the file away from the only one that pairs show.

        The model's levels are wider or narrower then, and it is not all just shifted.
        """
        levels = {len(was) for was, _ in self.pairs}
        return len(levels) == 1 and self.step > 0 and (len(old) - levels.pop()) % self.step > 0

    def _scaled(self, old: str) -> str | None:
        """Return what OLD becomes if levels are wider or narrower, or tabs on one side.

        One level of blanks against blanks could as well be shifted, so there must be two.
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
