"""As much of what is ranked as fits a budget: small files whole, of large ones the best blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dursor.context.selection import FILE_TOKENS, Pick, lines_of, tokens_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dursor.context.blocks import Block
    from dursor.context.rank import Ranked
    from dursor.context.selection import Ranges
    from dursor.context.source import Source

JOINED = 3  # lines left out between two excerpts are sent, rather than marked, when so few


class Terms(NamedTuple):
    """How a budget is spent."""

    whole: float  # part of the budget up to which a file is sent whole
    power: float  # of its tokens, by which what an item is worth is divided
    margin: int  # lines sent around a block
    floor: float  # part of the best file's value below which no part of a file is worth a look


def terms_for(budget: int) -> Terms:
    """Return how BUDGET tokens are spent best."""
    return Terms(0.2 if budget < 24_000 else 0.3, 0.8, 1, 0.01)


class Item(NamedTuple):
    """A file, or a block of one, to be had for about `tokens`."""

    file: int
    block: Block | None  # None: the whole file
    tokens: int
    value: float


def items(ranked: Sequence[Ranked], room: int, terms: Terms) -> list[Item]:
    """Return what there is to choose from, the best value for its tokens first."""
    found: list[Item] = []
    least = terms.floor * max((one.value for one in ranked), default=0.0)
    for n, one in enumerate(ranked):
        tokens = tokens_of(one.bytes) + FILE_TOKENS
        if tokens <= terms.whole * room or one.value < least or not one.parts:
            found.append(Item(n, None, tokens, one.value))
            continue
        found += [
            Item(n, part.block, tokens_of(part.bytes), one.value * part.share) for part in one.parts
        ]
    found.sort(key=lambda item: -item.value / item.tokens**terms.power)
    return found


class Excerpt:
    """What is sent of one file, growing."""

    def __init__(self, lines: Sequence[str], sizes: Sequence[int]) -> None:
        self.lines = lines
        self._sizes = sizes  # of each line in bytes
        self.chosen: set[int] = set()  # lines, from 1
        self.tokens = 0

    def with_block(self, block: Block | None, margin: int) -> set[int]:
        """Return the lines to send with BLOCK, too; with None, all."""
        if block is None:
            return set(range(1, len(self.lines) + 1))
        first, last = max(1, block.first - margin), min(len(self.lines), block.last + margin)
        chosen = self.chosen | {*range(first, last + 1), *block.owner_lines}
        return chosen | self._gaps(chosen)

    def _gaps(self, chosen: set[int]) -> set[int]:
        order = sorted(chosen)
        return {
            line
            for one, two in zip([0, *order], [*order, len(self.lines) + 1], strict=True)
            if 1 < two - one <= JOINED + 1
            for line in range(one + 1, two)
        }

    def cost(self, chosen: Iterable[int]) -> int:
        """Count the tokens of sending the lines CHOSEN."""
        return tokens_of(sum(self._sizes[line - 1] for line in chosen)) + FILE_TOKENS

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
    ranked: Sequence[Ranked], source: Source, room: int, reason: Callable[[Ranked], str]
) -> list[Pick]:
    """Choose from RANKED what fits in ROOM tokens, and keep the order."""
    chosen = choose_lines(ranked, lambda path: _opened(path, source), room, terms_for(room))
    return [
        Pick(ranked[n].path, one.ranges(), one.tokens, reason(ranked[n]), one.text())
        for n, one in chosen.items()
    ]


def choose_lines(
    ranked: Sequence[Ranked],
    opened: Callable[[str], Excerpt | None],
    room: int,
    terms: Terms,
) -> dict[int, Excerpt]:
    """Choose lines of the files of RANKED, by their numbers there; OPENED gives their texts."""
    excerpts: dict[int, Excerpt | None] = {}
    for item in items(ranked, room, terms):
        if room <= FILE_TOKENS:
            break
        if item.tokens > room:
            continue
        if item.file not in excerpts:
            excerpts[item.file] = opened(ranked[item.file].path)
        excerpt = excerpts[item.file]
        if excerpt is None:
            continue
        chosen = excerpt.with_block(item.block, terms.margin)
        tokens = excerpt.cost(chosen)
        if tokens - excerpt.tokens <= room:
            room -= tokens - excerpt.tokens
            excerpt.chosen, excerpt.tokens = chosen, tokens
    return {n: one for n in sorted(excerpts) if (one := excerpts[n]) is not None and one.tokens}


def _opened(path: str, source: Source) -> Excerpt | None:
    text, raw = source.text(path), source.peek(path)
    if text is None or raw is None:
        return None
    lines = lines_of(text)
    sizes = [len(line.encode("utf-8")) for line in lines]
    if text != raw:
        pairs = zip(sizes, lines_of(raw), strict=True)
        sizes = [max(size, len(line.encode("utf-8"))) for size, line in pairs]
    return Excerpt(lines, sizes)
