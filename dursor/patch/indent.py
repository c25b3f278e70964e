"""Indentation: how a hunk's relates to the file's, and what that means for added lines."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from dursor.patch.edits import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


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


def reindented(lines: Sequence[Line], real: Sequence[str]) -> tuple[Line, ...] | None:
    """Give added LINES the margins that REAL, the file's text of the old side, implies.

    Each group of changes looks first at its own removed lines, then at the hunk as a whole; an
    added line whose margin neither explains makes the answer None.
    """
    pairs = list(_pairs(lines, real))
    overall = _Margins(pairs)
    out: list[Line] = []
    for group, removed in _groups(lines, real):
        local = _Margins(removed)
        for line in group:
            if line.tag != "+" or not line.text:
                out.append(line)
                continue
            old = margin(line.text)
            new = local.known(old)
            if new is None:
                new = overall.implied(old)
            if new is None and line.text.strip():
                return None
            out.append(Line("+", (old if new is None else new) + line.text[len(old) :]))
    return tuple(out)


def _pairs(lines: Iterable[Line], real: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the margins of each old line that is not blank: as written, as in the file."""
    old = (line for line in lines if line.tag != "+")
    for line, text in zip(old, real, strict=True):
        if text.strip():
            yield margin(line.text), margin(text)


def _groups(
    lines: Sequence[Line], real: Sequence[str]
) -> Iterator[tuple[list[Line], list[tuple[str, str]]]]:
    """Yield runs of changed lines, and of context, each with the margins of its removed lines."""
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
                removed.append((margin(line.text), margin(real[at])))
            at += 1
    if group:
        yield group, removed


class _Margins:
    """What margins become, as far as PAIRS show without contradiction."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.pairs = pairs
        self.seen: dict[str, str] = {}
        self.clash: set[str] = set()
        for old, new in pairs:
            if self.seen.setdefault(old, new) != new:
                self.clash.add(old)

    def known(self, old: str) -> str | None:
        """Return what the very margin OLD becomes."""
        return None if old in self.clash else self.seen.get(old)

    def implied(self, old: str) -> str | None:
        """Return what OLD becomes if one measure explains every pair.

        An added line at the very edge of a hunk that was shifted left is not explained: it may have
        stood further left than the rest, and have been stopped by the edge.
        """
        if not self.pairs or self.clash:
            return None
        shifts = {len(new) - len(was) for was, new in self.pairs}
        alike = {char for was, new in self.pairs for char in was + new} | set(old)
        if len(shifts) == 1 and len(alike) <= 1:
            shift = shifts.pop()
            if abs(shift) == 1 or len(old) + shift < 0 or (shift > 0 and not old):
                return None  # one blank is a lost tag, not a shift
            return (alike.pop() if alike else " ") * (len(old) + shift)
        return self._scaled(old)

    def _scaled(self, old: str) -> str | None:
        steps = {(len(was), len(new)) for was, new in self.pairs if was or new}
        signs = {char for _, new in self.pairs for char in new}
        if len(signs) != 1 or any(not was or not new for was, new in steps) or len(set(old)) > 1:
            return None
        was, new = next(iter(steps))
        if any(a * new != b * was for a, b in steps) or (len(old) * new) % was:
            return None
        return signs.pop() * (len(old) * new // was)
