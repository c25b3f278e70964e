"""Rank files and blocks by their relevance to an instruction."""

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

MAX_READ = 80  # files that are cut into blocks, the best ones by their features,
MIN_READ, TOKENS_PER_FILE = 40, 1_000  # but no more than the budget could hold parts of


class RankedBlock(NamedTuple):
    """A block, its bytes, and its share of its file's relevance."""

    block: CodeBlock
    bytes: int
    share: float


class RankedFile(NamedTuple):
    """A file, the probability that it is relevant, and its blocks if it was read."""

    number: int
    path: str
    bytes: int
    value: float
    blocks: list[RankedBlock]


class RankingWeights(NamedTuple):
    """Weights of columns by name: of all files, of files that were read, of their blocks."""

    first: Mapping[str, float]
    file: Mapping[str, float]
    block: Mapping[str, float]


@cache
def load_weights() -> RankingWeights:
    """Load the weights in this package."""
    text = Path(__file__).with_name("weights.json").read_text(encoding="utf-8")
    return RankingWeights(**json.loads(text))


def rank(
    features: FileFeatures, read_many: Callable[[Sequence[str]], Mapping[str, str]], budget: int
) -> list[RankedFile]:
    """Rank every candidate, the most relevant first. BUDGET in tokens limits the files to read."""
    weights, reach = load_weights(), min(MAX_READ, MIN_READ + budget // TOKENS_PER_FILE)
    columns = features.build_columns()
    first = sum_columns(weights.first, columns, len(features.paths))
    order = sorted(range(len(features.paths)), key=lambda n: -first[n])
    paths, sizes = features.paths, features.sizes
    texts = read_many([paths[n] for n in order[:reach]])
    near = [n for n in order[:reach] if paths[n] in texts]
    details = BlockFeatures(features, [(n, texts[paths[n]]) for n in near])
    likely = softmax([first[n] for n in near])
    block_columns = details.build_columns(likely)
    file_columns = {name: [column[n] for n in near] for name, column in columns.items()}
    file_columns |= details.build_file_columns(block_columns, likely)
    values = softmax(sum_columns(weights.file, file_columns, len(near)))
    blocks = _rank_blocks(details, sum_columns(weights.block, block_columns, len(details.blocks)))
    ranked = [
        RankedFile(n, paths[n], sizes[n], value, parts)
        for n, value, parts in zip(near, values, blocks, strict=True)
    ]
    ranked.sort(key=lambda file: -file.value)
    read = set(near)
    rest = (n for n in order if n not in read)
    return ranked + [RankedFile(n, paths[n], sizes[n], 0.0, []) for n in rest]


def _rank_blocks(features: BlockFeatures, values: Column) -> list[list[RankedBlock]]:
    rows: list[list[int]] = [[] for _ in features.files]
    for n, block in enumerate(features.blocks):
        rows[block.file].append(n)
    return [
        [
            RankedBlock(features.blocks[n].block, features.blocks[n].bytes, share)
            for n, share in zip(numbers, softmax([values[n] for n in numbers]), strict=True)
        ]
        for numbers in rows
    ]


def sum_columns(
    weights: Mapping[str, float], columns: Mapping[str, Sequence[float]], n: int
) -> Column:
    """Return the weighted sum of COLUMNS for each of N rows."""
    total = [0.0] * n
    for name, weight in weights.items():
        total = [s + weight * v for s, v in zip(total, columns[name], strict=True)]
    return total


def softmax(values: Column) -> Column:
    """Return VALUES as probabilities."""
    highest = max(values, default=0.0)
    powers = [math.exp(value - highest) for value in values]
    total = sum(powers)
    return [power / total for power in powers]
