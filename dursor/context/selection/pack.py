"""Fill a budget with ranked files: small ones whole, the best blocks of large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dursor.context.selection.selection import SelectedFile
from dursor.context.text.measure import FILE_TOKENS, estimate_tokens, split_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dursor.context.ranking.blocks import CodeBlock
    from dursor.context.ranking.rank import RankedFile
    from dursor.context.selection.selection import Ranges
    from dursor.context.source import TextSource

# How a budget is spent: these values were best for the tasks that the weights were fitted on.
WHOLE_SHARE = 0.25  # part of the budget up to which a file is sent whole,
MIN_WHOLE, MAX_WHOLE = 3_000, 5_500  # within these limits in tokens
POWER = 0.8  # of an item's tokens, by which its value is divided
MIN_TOKENS = 100  # that an item counts as, so that tiny ones do not come first
FLOOR = 0.01  # part of the best file's value below which a file's blocks are not sent
MARGIN = 2  # lines sent around a block
MAX_GAP = 3  # lines between two excerpts that are sent rather than omitted


class PackItem(NamedTuple):
    """A file, or a block of one, at a cost of about `tokens`."""

    file: int
    block: CodeBlock | None  # None: the whole file
    tokens: int
    value: float


def list_items(ranked: Sequence[RankedFile], budget: int) -> list[PackItem]:
    """List files and blocks, the best value for its tokens first.

    A small file is listed whole, and as blocks in case the rest of it does not fit.
    """
    items: list[PackItem] = []
    max_whole = max(MIN_WHOLE, min(WHOLE_SHARE * budget, MAX_WHOLE))
    floor = FLOOR * max((file.value for file in ranked), default=0.0)
    for n, file in enumerate(ranked):
        tokens = estimate_tokens(file.bytes) + FILE_TOKENS
        blocks = file.blocks if file.value >= floor else []
        if tokens <= max_whole or not blocks:
            items.append(PackItem(n, None, tokens, file.value))
        items += [
            PackItem(n, block.block, estimate_tokens(block.bytes), file.value * block.share)
            for block in blocks
        ]
    items.sort(key=lambda item: -item.value / max(item.tokens, MIN_TOKENS) ** POWER)
    return items


class Excerpt:
    """The growing selection of lines of one file."""

    def __init__(self, lines: Sequence[str], sizes: Sequence[int]) -> None:
        self.lines = lines
        self._sizes = sizes  # of each line in bytes
        self.chosen: set[int] = set()  # lines, from 1
        self._bytes = 0
        self.tokens = 0

    def list_missing(self, block: CodeBlock | None) -> set[int]:
        """Return the lines that BLOCK, or the whole file, needs in addition."""
        if block is None:
            return set(range(1, len(self.lines) + 1)) - self.chosen
        first, last = max(1, block.first - MARGIN), min(len(self.lines), block.last + MARGIN)
        new = {*range(first, last + 1), *block.owner_lines} - self.chosen
        gaps = (self._list_gap(line, step, new) for line in new for step in (1, -1))
        return new.union(*gaps)

    def _list_gap(self, line: int, step: int, new: set[int]) -> Sequence[int]:
        """Return the lines between LINE and the next chosen or NEW one, if they are few."""
        ends = {0, len(self.lines) + 1}
        for other in range(line + step, line + (MAX_GAP + 2) * step, step):
            if other in new or other in self.chosen or other in ends:
                return range(line + step, other, step)
        return ()

    def count_tokens(self, new: Iterable[int]) -> int:
        """Count the tokens of the chosen lines and the lines NEW."""
        return estimate_tokens(self._bytes + self._size(new)) + FILE_TOKENS

    def add(self, new: Iterable[int]) -> None:
        self.tokens = self.count_tokens(new)
        self._bytes += self._size(new)
        self.chosen.update(new)

    def _size(self, lines: Iterable[int]) -> int:
        return sum(self._sizes[line - 1] for line in lines)

    def list_ranges(self) -> Ranges | None:
        """Return the chosen lines as ranges; None for all lines."""
        if len(self.chosen) == len(self.lines):
            return None
        ranges: list[tuple[int, int]] = []
        for line in sorted(self.chosen):
            if ranges and line == ranges[-1][1] + 1:
                ranges[-1] = (ranges[-1][0], line)
            else:
                ranges.append((line, line))
        return tuple(ranges)


def pack(
    ranked: Sequence[RankedFile],
    source: TextSource,
    room: int,
    explain: Callable[[RankedFile], str],
) -> list[SelectedFile]:
    """Select from RANKED what fits in ROOM tokens, in the same order."""
    chosen = choose_lines(ranked, lambda path: _read_excerpt(path, source), room)
    return [
        SelectedFile(
            ranked[n].path,
            excerpt.list_ranges(),
            excerpt.tokens,
            explain(ranked[n]),
            "".join(excerpt.lines[line - 1] for line in sorted(excerpt.chosen)),
        )
        for n, excerpt in chosen.items()
    ]


def choose_lines(
    ranked: Sequence[RankedFile], read_excerpt: Callable[[str], Excerpt | None], room: int
) -> dict[int, Excerpt]:
    """Choose lines of RANKED files in ROOM tokens, by their numbers there."""
    excerpts: dict[int, Excerpt | None] = {}
    for item in list_items(ranked, room):
        if room <= FILE_TOKENS:
            break
        excerpt = excerpts.get(item.file)
        if item.tokens - (excerpt.tokens if excerpt else 0) > room:
            continue
        if item.file not in excerpts:
            excerpt = excerpts[item.file] = read_excerpt(ranked[item.file].path)
        if excerpt is None:
            continue
        new = excerpt.list_missing(item.block)
        cost = excerpt.count_tokens(new) - excerpt.tokens
        if cost <= room:
            room -= cost
            excerpt.add(new)
    return {n: chosen for n in sorted(excerpts) if (chosen := excerpts[n]) and chosen.tokens}


def _read_excerpt(path: str, source: TextSource) -> Excerpt | None:
    text, raw = source.read(path), source.peek(path)
    if text is None or raw is None:
        return None
    lines = split_lines(text)
    sizes = [len(line.encode("utf-8")) for line in lines]
    if text != raw:
        pairs = zip(sizes, split_lines(raw), strict=True)
        sizes = [max(size, len(line.encode("utf-8"))) for size, line in pairs]
    return Excerpt(lines, sizes)
