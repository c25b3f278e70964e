"""As much of what is ranked as fits a budget: small files whole, of large ones the best blocks."""

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

JOINED = 3  # lines left out between two excerpts are sent, rather than marked, when so few


WHOLE = 0.25  # part of the budget up to which a file is sent whole,
FEWEST, MOST = 3_000, 5_500  # but at least and at most so many tokens


class PackingRules(NamedTuple):
    """How a budget is spent: what was best for the tasks that the weights were fitted on."""

    whole: float  # tokens up to which a file is sent whole
    power: float = 0.8  # of its tokens, by which what an item is worth is divided
    margin: int = 2  # lines sent around a block
    least: int = 100  # tokens that an item counts as, lest crumbs come first
    floor: float = 0.01  # part of the best file's value below which no part of a file is sent


def make_packing_rules(budget: int) -> PackingRules:
    """Return how BUDGET tokens are spent."""
    return PackingRules(max(FEWEST, min(WHOLE * budget, MOST)))


class PackItem(NamedTuple):
    """A file, or a block of one, to be had for about `tokens`."""

    file: int
    block: CodeBlock | None  # None: the whole file
    tokens: int
    value: float


def list_items(ranked: Sequence[RankedFile], terms: PackingRules) -> list[PackItem]:
    """Return what there is to choose from, the best value for its tokens first.

    A small file is there whole, and in its blocks for when the rest of it no longer fits.
    """
    found: list[PackItem] = []
    least = terms.floor * max((one.value for one in ranked), default=0.0)
    for n, one in enumerate(ranked):
        tokens = estimate_tokens(one.bytes) + FILE_TOKENS
        parts = one.parts if one.value >= least else []
        if tokens <= terms.whole or not parts:
            found.append(PackItem(n, None, tokens, one.value))
        found += [
            PackItem(n, part.block, estimate_tokens(part.bytes), one.value * part.share)
            for part in parts
        ]
    found.sort(key=lambda item: -item.value / max(item.tokens, terms.least) ** terms.power)
    return found


class Excerpt:
    """What is sent of one file, growing."""

    def __init__(self, lines: Sequence[str], sizes: Sequence[int]) -> None:
        self.lines = lines
        self._sizes = sizes  # of each line in bytes
        self.chosen: set[int] = set()  # lines, from 1
        self._bytes = 0
        self.tokens = 0

    def further(self, block: CodeBlock | None, margin: int) -> set[int]:
        """Return the lines to send beside those chosen, to have BLOCK, too; with None, all."""
        if block is None:
            return set(range(1, len(self.lines) + 1)) - self.chosen
        first, last = max(1, block.first - margin), min(len(self.lines), block.last + margin)
        new = {*range(first, last + 1), *block.owner_lines} - self.chosen
        return new | self._gaps(new)

    def _gaps(self, new: set[int]) -> set[int]:
        """Return the lines that are left out, a few in a row, on either side of NEW ones."""
        return {line for one in new for step in (1, -1) for line in self._gap(one, step, new)}

    def _gap(self, one: int, step: int, new: set[int]) -> Sequence[int]:
        """Return the lines from behind ONE to the next that is sent, if they are few."""
        ends = {0, len(self.lines) + 1}
        for at in range(one + step, one + (JOINED + 2) * step, step):
            if at in new or at in self.chosen or at in ends:
                return range(one + step, at, step)
        return ()

    def cost(self, new: Iterable[int]) -> int:
        """Count the tokens of sending the lines NEW beside those chosen."""
        return estimate_tokens(self._bytes + self._size(new)) + FILE_TOKENS

    def take(self, new: Iterable[int]) -> None:
        """Choose the lines NEW, too."""
        self.tokens = self.cost(new)
        self._bytes += self._size(new)
        self.chosen.update(new)

    def _size(self, lines: Iterable[int]) -> int:
        return sum(self._sizes[line - 1] for line in lines)

    def ranges(self) -> Ranges | None:
        """Return the lines as ranges; None for all."""
        if len(self.chosen) == len(self.lines):
            return None
        found: list[tuple[int, int]] = []
        for line in sorted(self.chosen):
            if found and line == found[-1][1] + 1:
                found[-1] = (found[-1][0], line)
            else:
                found.append((line, line))
        return tuple(found)

    def text(self) -> str:
        """Return what is sent, one range after another."""
        return "".join(self.lines[line - 1] for line in sorted(self.chosen))


def pack(
    ranked: Sequence[RankedFile], source: TextSource, room: int, reason: Callable[[RankedFile], str]
) -> list[SelectedFile]:
    """Choose from RANKED what fits in ROOM tokens, and keep the order."""
    chosen = choose_lines(
        ranked, lambda path: _opened(path, source), room, make_packing_rules(room)
    )
    return [
        SelectedFile(ranked[n].path, one.ranges(), one.tokens, reason(ranked[n]), one.text())
        for n, one in chosen.items()
    ]


def choose_lines(
    ranked: Sequence[RankedFile],
    opened: Callable[[str], Excerpt | None],
    room: int,
    terms: PackingRules,
) -> dict[int, Excerpt]:
    """Choose lines of the files of RANKED, by their numbers there; OPENED gives their texts."""
    excerpts: dict[int, Excerpt | None] = {}
    for item in list_items(ranked, terms):
        if room <= FILE_TOKENS:
            break
        excerpt = excerpts.get(item.file)
        if item.tokens - (excerpt.tokens if excerpt else 0) > room:
            continue
        if item.file not in excerpts:
            excerpt = excerpts[item.file] = opened(ranked[item.file].path)
        if excerpt is None:
            continue
        new = excerpt.further(item.block, terms.margin)
        more = excerpt.cost(new) - excerpt.tokens
        if more <= room:
            room -= more
            excerpt.take(new)
    return {n: one for n in sorted(excerpts) if (one := excerpts[n]) is not None and one.tokens}


def _opened(path: str, source: TextSource) -> Excerpt | None:
    text, raw = source.text(path), source.peek(path)
    if text is None or raw is None:
        return None
    lines = split_lines(text)
    sizes = [len(line.encode("utf-8")) for line in lines]
    if text != raw:
        pairs = zip(sizes, split_lines(raw), strict=True)
        sizes = [max(size, len(line.encode("utf-8"))) for size, line in pairs]
    return Excerpt(lines, sizes)
