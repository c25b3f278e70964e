"""A line diff in near-linear time: anchors on unique lines, then a bounded search."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SIZES = (1, 2, 4, 8, 16)  # lines of a run that anchors a gap
_MAX_STEPS = 128  # differences in a gap without unique lines


class Opcode(NamedTuple):
    """Old lines A0 to A1 correspond to new lines B0 to B1."""

    equal: bool
    a0: int
    a1: int
    b0: int
    b1: int


def diff_lines(old: Sequence[str], new: Sequence[str]) -> list[Opcode]:
    """Return runs that alternate between equal and changed and cover OLD and NEW."""
    out: list[Opcode] = []
    a = b = 0
    for a0, b0, size in _merge(_find_matches(old, new)):
        if a < a0 or b < b0:
            out.append(Opcode(equal=False, a0=a, a1=a0, b0=b, b1=b0))
        out.append(Opcode(equal=True, a0=a0, a1=a0 + size, b0=b0, b1=b0 + size))
        a, b = a0 + size, b0 + size
    if a < len(old) or b < len(new):
        out.append(Opcode(equal=False, a0=a, a1=len(old), b0=b, b1=len(new)))
    return out


def _merge(matches: list[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    matches.sort()
    current: tuple[int, int, int] | None = None
    for a, b, size in matches:
        if current and current[0] + current[2] == a and current[1] + current[2] == b:
            current = (current[0], current[1], current[2] + size)
        else:
            if current:
                yield current
            current = (a, b, size)
    if current:
        yield current


def _find_matches(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int]]:
    """Return equal runs (old start, new start, length), unordered."""
    out: list[tuple[int, int, int]] = []
    gaps = [(0, len(old), 0, len(new))]
    while gaps:
        a0, a1, b0, b1 = _trim(old, new, gaps.pop(), out)
        if a0 == a1 or b0 == b1:
            continue
        anchors = _find_anchors(old, new, (a0, a1, b0, b1))
        if not anchors:
            out += _search(old, new, (a0, a1, b0, b1))
            continue
        stops = [*anchors, (a1, b1)]
        for (a, b), (a_next, b_next) in zip([(a0, b0), *anchors], stops, strict=True):
            gaps.append((a, a_next, b, b_next))
    return out


def _trim(
    old: Sequence[str],
    new: Sequence[str],
    gap: tuple[int, int, int, int],
    out: list[tuple[int, int, int]],
) -> tuple[int, int, int, int]:
    a0, a1, b0, b1 = gap
    start = a0
    while a0 < a1 and b0 < b1 and old[a0] == new[b0]:
        a0, b0 = a0 + 1, b0 + 1
    if a0 > start:
        out.append((start, b0 - (a0 - start), a0 - start))
    stop = a1
    while a0 < a1 and b0 < b1 and old[a1 - 1] == new[b1 - 1]:
        a1, b1 = a1 - 1, b1 - 1
    if a1 < stop:
        out.append((a1, b1, stop - a1))
    return a0, a1, b0, b1


def _find_anchors(
    old: Sequence[str], new: Sequence[str], gap: tuple[int, int, int, int]
) -> list[tuple[int, int]]:
    """Return the longest increasing chain of lines, or of short runs, unique on both sides."""
    a0, a1, b0, b1 = gap
    for size in _SIZES:
        if size > 1 and size > min(a1 - a0, b1 - b0) // 2:
            break
        in_new = _find_unique(new, b0, b1, size)
        in_old = _find_unique(old, a0, a1, size)
        if chain := _longest_chain(
            sorted((a, in_new[x]) for x, a in in_old.items() if x in in_new)
        ):
            return chain
    return []


def _longest_chain(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest chain of PAIRS, sorted by the first, that increases in the second."""
    tails: list[int] = []
    tops: list[int] = []
    back: list[int] = []
    for index, (_, b) in enumerate(pairs):
        rank = bisect_left(tails, b)
        tails[rank : rank + 1] = [b]
        tops[rank : rank + 1] = [index]
        back.append(tops[rank - 1] if rank else -1)
    chain: list[tuple[int, int]] = []
    index = tops[-1] if tops else -1
    while index >= 0:
        chain.append(pairs[index])
        index = back[index]
    return chain[::-1]


def _find_unique(lines: Sequence[str], start: int, stop: int, size: int) -> dict[object, int]:
    """Map the runs of SIZE lines that occur once between START and STOP to their index."""
    first: dict[object, int] = {}
    repeated: set[object] = set()
    for index in range(start, stop - size + 1):
        run: object = lines[index] if size == 1 else tuple(lines[index : index + size])
        if run in first:
            repeated.add(run)
        else:
            first[run] = index
    for run in repeated:
        del first[run]
    return first


def _search(
    old: Sequence[str], new: Sequence[str], gap: tuple[int, int, int, int]
) -> list[tuple[int, int, int]]:
    """Search as Myers does, and give up after a fixed number of differences."""
    a0, a1, b0, b1 = gap
    n, m = a1 - a0, b1 - b0
    reach = {1: 0}
    trace: list[dict[int, int]] = []
    for depth in range(min(n + m, _MAX_STEPS) + 1):
        trace.append(dict(reach))
        for k in range(-depth, depth + 1, 2):
            down = k == -depth or (k != depth and reach.get(k - 1, -1) < reach.get(k + 1, -1))
            x = reach[k + 1] if down else reach[k - 1] + 1
            y = x - k
            while x < n and y < m and old[a0 + x] == new[b0 + y]:
                x, y = x + 1, y + 1
            reach[k] = x
            if x >= n and y >= m:
                return [(a0 + a, b0 + b, 1) for a, b in _walk_back(trace, n, m)]
    return []


def _walk_back(trace: list[dict[int, int]], x: int, y: int) -> Iterator[tuple[int, int]]:
    for depth in range(len(trace) - 1, -1, -1):
        reach, k = trace[depth], x - y
        down = k == -depth or (k != depth and reach.get(k - 1, -1) < reach.get(k + 1, -1))
        k_before = k + 1 if down else k - 1
        x_before = reach.get(k_before, 0)
        y_before = x_before - k_before
        while x > x_before and y > y_before:
            x, y = x - 1, y - 1
            yield x, y
        x, y = x_before, y_before
