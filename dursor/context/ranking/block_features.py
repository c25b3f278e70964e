"""Features of the blocks of the best files, and of these files by their texts."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from dursor.context.ranking.blocks import CodeBlock, split_blocks
from dursor.context.ranking.bm25 import K1, B
from dursor.context.ranking.file_features import Column, scale
from dursor.context.sendable import get_suffix
from dursor.context.text.languages import find_imports
from dursor.context.text.measure import split_lines
from dursor.context.text.tokenize import (
    IDENTIFIER,
    STOP,
    extract_terms,
    idf,
    split_identifier,
    stem,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from dursor.context.ranking.file_features import FileFeatures


MAX_SEEN = 200_000  # words whose terms are cached
SEEDS = 12  # best blocks, whose calls count
TOP_FILES = 15  # whose imports and folders count
BEST = ("text", "prose", "title", "strong", "pairs", "name_strong", "name_title", "line", "called")


class FileBlocks(NamedTuple):
    """A file: its candidate number, lines, blocks and imported modules."""

    number: int
    lines: list[str]
    blocks: list[CodeBlock]
    modules: set[str]


class CountedBlock(NamedTuple):
    """A block with the numbers of its query terms, of its words, and of its query word pairs."""

    file: int  # index in `BlockFeatures.files`
    block: CodeBlock
    counts: dict[str, int]
    length: int
    pairs: int
    bytes: int


class BlockFeatures:
    """Columns of features over the blocks of FILES (candidate number and text, best first)."""

    def __init__(self, features: FileFeatures, files: Sequence[tuple[int, str]]) -> None:
        self.features = features
        self.query = features.query
        paths = features.paths
        self.files = [
            FileBlocks(n, split_lines(text), split_blocks(text, suffix), find_imports(text, suffix))
            for n, text in files
            for suffix in [get_suffix(paths[n])]
        ]
        self._seen: set[str] = set()
        self._terms: dict[str, tuple[str, ...]] = {}  # query terms of words that have some
        self._wanted = {*self.query.terms, *self.query.title_terms}
        self._wanted.update(word.lower() for word in self.query.strong)
        pairs = pairwise(IDENTIFIER.findall(self.query.text.lower()))
        self._pairs = {pair for pair in pairs if not STOP.issuperset(pair)}
        self.blocks = [
            self._count_words(n, file, block)
            for n, file in enumerate(self.files)
            for block in file.blocks
        ]
        self._average = sum(b.length for b in self.blocks) / max(len(self.blocks), 1) or 1.0

    def _count_words(self, n: int, file: FileBlocks, block: CodeBlock) -> CountedBlock:
        text = "".join(file.lines[block.first - 1 : block.last])
        words = IDENTIFIER.findall(text)
        numbers = Counter(words)
        if len(self._seen) > MAX_SEEN:
            self._seen.clear()
        for word in numbers.keys() - self._seen:
            if terms := tuple(term for term in extract_terms(word) if term in self._wanted):
                self._terms[word] = terms
        self._seen |= numbers.keys()
        counts: dict[str, int] = {}
        for word in filter(self._terms.__contains__, numbers):  # in the order of the text
            for term in self._terms[word]:
                counts[term] = counts.get(term, 0) + numbers[word]
        pairs = len(self._pairs.intersection(pairwise(" ".join(words).lower().split(" "))))
        return CountedBlock(n, block, counts, len(words), pairs, len(text.encode("utf-8")))

    def build_columns(self, likely: Column) -> dict[str, Column]:
        """Return every column over `blocks` by name; LIKELY are the files' probabilities."""
        query = self.query
        strong = {word.lower(): weight for word, weight in query.strong.items()}
        text, title = self._score_bm25(query.terms), self._score_bm25(query.title_terms)
        prose = self._score_bm25(query.prose_terms)
        pairs = [math.log1p(block.pairs) for block in self.blocks]
        columns = {
            "text": scale(text),
            "prose": scale(prose),
            "title": scale(title),
            "strong": scale(self._score_bm25(strong)),
            "pairs": scale(pairs),
            "text_in_file": self._scale_in_file(text),
            "text_rank": self._rank_in_file(text),
            "prose_in_file": self._scale_in_file(prose),
            "pairs_in_file": self._scale_in_file(pairs),
            "local": self._scale_in_file(self._score_locally(query.terms)),
            "local_title": self._scale_in_file(self._score_locally(query.title_terms)),
        }
        columns |= self._match_names() | self._match_mentions() | self._describe()
        columns["around"] = self._score_neighbours(columns["text_in_file"])
        columns["called"] = self._score_calls(columns, likely)
        return columns

    def _score_neighbours(self, values: Column) -> Column:
        """Return for each block the better of the VALUES of its neighbours in the file."""
        files = [-1, *(block.file for block in self.blocks), -1]
        padded = [0.0, *values, 0.0]
        return [
            max(
                padded[n - 1] * (files[n - 1] == files[n]),
                padded[n + 1] * (files[n + 1] == files[n]),
            )
            for n in range(1, len(files) - 1)
        ]

    def _score_calls(self, columns: Mapping[str, Column], likely: Column) -> Column:
        """Score each block by the use of its definitions in the best blocks."""
        strength = [
            sum(columns[name][n] for name in ("text", "name_strong", "line"))
            * math.sqrt(likely[block.file])
            for n, block in enumerate(self.blocks)
        ]
        seeds = sorted(range(len(strength)), key=lambda n: -strength[n])[:SEEDS]
        highest = strength[seeds[0]] if seeds else 0.0
        uses: dict[str, float] = {}
        for n in seeds if highest else ():
            lines = self.files[self.blocks[n].file].lines
            block = self.blocks[n].block
            for word in IDENTIFIER.findall("".join(lines[block.first - 1 : block.last])):
                if len(word) > 3:
                    uses[word] = max(uses.get(word, 0.0), strength[n] / highest)
        definers: dict[str, list[int]] = {}
        for n, counted in enumerate(self.blocks):
            for name in counted.block.names:
                definers.setdefault(name, []).append(n)
        called = [0.0] * len(self.blocks)
        for name, numbers in definers.items():
            value = uses.get(name, 0.0) / len(numbers)
            for n in numbers:
                called[n] += 0.0 if n in seeds else value
        return [min(value, 2.0) / 2 for value in called]

    def _score_bm25(self, weights: Mapping[str, float]) -> Column:
        values = {t: w * self.features.corpus.idf(t) for t, w in weights.items()}
        return [self._score(block, values) for block in self.blocks]

    def _score_locally(self, weights: Mapping[str, float]) -> Column:
        """Score every block by the idf of terms among the blocks of its file."""
        holding: list[Counter[str]] = [Counter() for _ in self.files]
        for block in self.blocks:
            holding[block.file].update(block.counts.keys() & weights.keys())
        values = [
            {t: weights[t] * idf(len(file.blocks), n) for t, n in counts.items()}
            for file, counts in zip(self.files, holding, strict=True)
        ]
        return [self._score(block, values[block.file]) for block in self.blocks]

    def _score(self, block: CountedBlock, values: Mapping[str, float]) -> float:
        norm = K1 * (1 - B + B * block.length / self._average)
        pairs = ((values.get(t, 0.0), n) for t, n in block.counts.items())
        return sum(value * n * (K1 + 1) / (n + norm) for value, n in pairs if value)

    def _find_best(self, values: Column) -> Column:
        best = [0.0] * len(self.files)
        for block, value in zip(self.blocks, values, strict=True):
            best[block.file] = max(best[block.file], value)
        return best

    def _scale_in_file(self, values: Column) -> Column:
        best = self._find_best(values)
        return [v / (best[b.file] or 1.0) for b, v in zip(self.blocks, values, strict=True)]

    def _rank_in_file(self, values: Column) -> Column:
        """Return 1 for the highest of VALUES in each file, 1/2 for the second, and so on."""
        seen = [0] * len(self.files)
        ranks = [0.0] * len(values)
        for n in sorted(range(len(values)), key=lambda n: -values[n]):
            seen[self.blocks[n].file] += 1
            ranks[n] = 1 / seen[self.blocks[n].file] if values[n] else 0.0
        return ranks

    def _match_names(self) -> dict[str, Column]:
        query = self.query
        text, title = query.terms.keys(), query.title_terms.keys()
        words = {w for w in query.words if len(w) > 3 and w.lower() not in STOP}
        names = [block.block.names[:40] for block in self.blocks]
        stems = [
            {stem(part) for name in some for part in split_identifier(name) if len(part) > 2}
            for some in names
        ]
        owners = [block.block.owners for block in self.blocks]
        return {
            "name_strong": [_has_any(some, query.strong) for some in names],
            "name_title": [_has_any(some, query.title_words) for some in names],
            "name_word": [_has_any(some, words) for some in names],
            "parts_text": [_measure_part(some, text) for some in stems],
            "parts_title": [_measure_part(some, title) for some in stems],
            "owner_strong": [_has_any(some, query.strong) for some in owners],
            "owner_title": [_has_any(some, query.title_words) for some in owners],
        }

    def _match_mentions(self) -> dict[str, Column]:
        lines: dict[int, set[int]] = {}
        funcs: dict[int, set[str]] = {}
        for mention in self.query.mentions:
            for number in self.features.names.match(mention.path)[0]:
                if mention.line is not None:
                    lines.setdefault(number, set()).add(mention.line)
                if mention.func is not None:
                    funcs.setdefault(number, set()).add(mention.func)
        blocks = [(self.files[block.file].number, block.block) for block in self.blocks]
        return {
            "line": [
                float(any(b.first <= line <= b.last for line in lines.get(n, ())))
                for n, b in blocks
            ],
            "func": [_has_any(b.names, funcs.get(n, ())) for n, b in blocks],
        }

    def _describe(self) -> dict[str, Column]:
        return {
            "header": [float(b.block.is_header) for b in self.blocks],
            "first": [float(b.block.first == 1) for b in self.blocks],
            "lines": [math.log1p(b.block.last - b.block.first) / 4 for b in self.blocks],
            "nameless": [float(not b.block.names) for b in self.blocks],
        }

    def build_file_columns(
        self, columns: Mapping[str, Column], likely: Column
    ) -> dict[str, Column]:
        """Return further columns over `files`, from COLUMNS over blocks and LIKELY files."""
        features = {f"best_{name}": self._find_best(columns[name]) for name in BEST}
        top: list[list[float]] = [[0.0] * 3 for _ in self.files]
        for block, value in zip(self.blocks, columns["text"], strict=True):
            top[block.file].append(value)
        features["top_text"] = [sum(sorted(values)[-3:]) / 3 for values in top]
        return features | self._score_related(likely)

    def _score_related(self, likely: Column) -> dict[str, Column]:
        """Add up the probabilities of files that import a file, that it imports, of its folder."""
        modules = [self.features.names.facts[file.number].module for file in self.files]
        paths = self.features.paths
        folders = [paths[file.number].rpartition("/")[0] for file in self.files]
        users: Column = []
        used: Column = []
        beside: Column = []
        for n, file in enumerate(self.files):
            others = [m for m in range(min(TOP_FILES, len(self.files))) if m != n]
            users.append(sum(likely[m] for m in others if modules[n] in self.files[m].modules))
            used.append(sum(likely[m] for m in others if modules[m] in file.modules))
            beside.append(sum(likely[m] for m in others if folders[m] == folders[n]))
        return {"imported_by": users, "imports": used, "beside": beside}


def _has_any(names: Iterable[str], known: Container[str]) -> float:
    return float(any(name in known for name in names))


def _measure_part(stems: set[str], known: Container[str]) -> float:
    return sum(1 for word in stems if word in known) / len(stems) if stems else 0.0
