"""Files and blocks in the order in which an instruction calls for them."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dursor.context.ranking.block_features import BlockFeatures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dursor.context.ranking.blocks import CodeBlock
    from dursor.context.ranking.file_features import Column, FileFeatures

READ = 80  # files that are read and cut into blocks: the most promising at first sight,
READ_FIRST, TOKENS_A_FILE = 40, 1_000  # but no more than a budget could hold some of


class RankedBlock(NamedTuple):
    """A block, its bytes, and how likely it is to be the one, if its file is."""

    block: CodeBlock
    bytes: int
    share: float


class RankedFile(NamedTuple):
    """A file, how likely it is to be the one, and its blocks; none when it was not read."""

    number: int
    path: str
    bytes: int
    value: float
    parts: list[RankedBlock]


class RankingWeights(NamedTuple):
    """Weights of columns by name: at first sight, of files that were read, of their blocks."""

    first: Mapping[str, float]
    file: Mapping[str, float]
    block: Mapping[str, float]


@cache
def load_weights() -> RankingWeights:
    """Read the weights that come with this package."""
    text = Path(__file__).with_name("weights.json").read_text(encoding="utf-8")
    found = json.loads(text)
    return RankingWeights(found["first"], found["file"], found["block"])


def rank(
    evidence: FileFeatures,
    read: Callable[[Sequence[str]], Mapping[str, str]],
    budget: int,
) -> list[RankedFile]:
    """Every candidate of EVIDENCE, the most promising first; READ gives the texts of paths.

    How many are looked at closely hangs on BUDGET, the tokens there are to fill.
    """
    model, reach = load_weights(), min(READ, READ_FIRST + budget // TOKENS_A_FILE)
    columns = evidence.columns()
    first = sum_columns(model.first, columns, evidence.n)
    order = sorted(range(evidence.n), key=lambda n: -first[n])
    paths = evidence.candidates.paths
    texts = read([paths[n] for n in order[:reach]])
    near = [n for n in order[:reach] if paths[n] in texts]
    closer = BlockFeatures(evidence, [(n, texts[paths[n]]) for n in near])
    likely = softmax([first[n] for n in near])
    blocks = closer.block_columns(likely)
    further = closer.file_columns(blocks, likely)
    known = {name: [column[n] for n in near] for name, column in columns.items()}
    value = softmax(sum_columns(model.file, known | further, len(near)))
    parts = _parts(closer, sum_columns(model.block, blocks, len(closer.blocks)))
    sizes = evidence.candidates.sizes
    found = [
        RankedFile(n, paths[n], sizes[n], v, p) for n, v, p in zip(near, value, parts, strict=True)
    ]
    found.sort(key=lambda one: -one.value)
    seen = set(near)
    return found + [RankedFile(n, paths[n], sizes[n], 0.0, []) for n in order if n not in seen]


def _parts(closer: BlockFeatures, values: Column) -> list[list[RankedBlock]]:
    parts: list[list[RankedBlock]] = [[] for _ in closer.files]
    rows: list[list[int]] = [[] for _ in closer.files]
    for n, block in enumerate(closer.blocks):
        rows[block.file].append(n)
    for file, numbers in enumerate(rows):
        shares = softmax([values[n] for n in numbers])
        for n, share in zip(numbers, shares, strict=True):
            parts[file].append(RankedBlock(closer.blocks[n].block, closer.blocks[n].bytes, share))
    return parts


def sum_columns(
    weights: Mapping[str, float], columns: Mapping[str, Sequence[float]], n: int
) -> Column:
    """Return the weighted sum of COLUMNS for each of N rows."""
    total = [0.0] * n
    for name, weight in weights.items():
        total = [s + weight * v for s, v in zip(total, columns[name], strict=True)]
    return total


def softmax(values: Column) -> Column:
    """VALUES as probabilities."""
    most = max(values, default=0.0)
    powers = [math.exp(value - most) for value in values]
    total = sum(powers)
    return [power / total for power in powers]
