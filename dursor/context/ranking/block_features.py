"""What speaks for each block of the most promising files, and what their texts say of the files."""

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
    from collections.abc import Iterable, Mapping, Sequence

    from dursor.context.ranking.file_features import FileFeatures


MAX_SEEN = 200_000  # words whose terms are remembered
SEEDS = 12  # blocks, or files, whose surroundings are looked at
BEST = ("text", "prose", "title", "strong", "pairs", "name_strong", "name_title", "line", "called")


class FileBlocks(NamedTuple):
    """A file that was read: its candidate number, lines and blocks."""

    number: int
    lines: list[str]
    blocks: list[CodeBlock]
    modules: set[str]  # that it imports


class CountedBlock(NamedTuple):
    """A block's words: those of the query, how many there are, pairs that the query has, too."""

    file: int  # which of the files read
    block: CodeBlock
    counts: dict[str, int]
    length: int
    pairs: int
    bytes: int


class BlockFeatures:
    """Columns of features over the blocks of FILES (candidate number and text, the best first)."""

    def __init__(self, evidence: FileFeatures, files: Sequence[tuple[int, str]]) -> None:
        self.evidence = evidence
        self.query = evidence.query
        paths = evidence.candidates.paths
        self.files = [_read(number, text, paths[number]) for number, text in files]
        self._seen: set[str] = set()
        self._hits: dict[str, tuple[str, ...]] = {}  # the terms of words that have some
        self._wanted = {*self.query.terms, *self.query.title_terms}
        self._wanted.update(word.lower() for word in self.query.strong)
        self._pairs = _pairs_of(IDENTIFIER.findall(self.query.text.lower()))
        self._pairs = {p for p in self._pairs if not STOP.issuperset(p)}
        self.blocks = [
            self._counted(n, read, block)
            for n, read in enumerate(self.files)
            for block in read.blocks
        ]
        self._average = sum(b.length for b in self.blocks) / max(len(self.blocks), 1) or 1.0

    def _counted(self, n: int, read: FileBlocks, block: CodeBlock) -> CountedBlock:
        text = "".join(read.lines[block.first - 1 : block.last])
        words = IDENTIFIER.findall(text)
        times = Counter(words)
        if len(self._seen) > MAX_SEEN:
            self._seen.clear()
        self._learn(times.keys() - self._seen)
        counts: dict[str, int] = {}
        for word in filter(self._hits.__contains__, times):  # in the order of the text
            for term in self._hits[word]:
                counts[term] = counts.get(term, 0) + times[word]
        pairs = len(self._pairs.intersection(pairwise(" ".join(words).lower().split(" "))))
        return CountedBlock(n, block, counts, len(words), pairs, len(text.encode("utf-8")))

    def _learn(self, words: set[str]) -> None:
        self._seen |= words
        for word in words:
            found = tuple(term for term in extract_terms(word) if term in self._wanted)
            if found:
                self._hits[word] = found

    def block_columns(self, likely: Column) -> dict[str, Column]:
        """Return every column over `blocks` by its name; LIKELY tells how likely each file is."""
        query = self.query
        strong = {word.lower(): weight for word, weight in query.strong.items()}
        text, title = self._bm25(query.terms), self._bm25(query.title_terms)
        prose = self._bm25(query.prose_terms)
        pairs = [math.log1p(block.pairs) for block in self.blocks]
        columns = {
            "text": scale(text),
            "prose": scale(prose),
            "title": scale(title),
            "strong": scale(self._bm25(strong)),
            "pairs": scale(pairs),
            "text_in_file": self._in_file(text),
            "text_rank": self._rank_in_file(text),
            "prose_in_file": self._in_file(prose),
            "title_in_file": self._in_file(title),
            "pairs_in_file": self._in_file(pairs),
            "local": self._in_file(self._local(query.terms)),
            "local_title": self._in_file(self._local(query.title_terms)),
        }
        columns |= self._names() | self._traced() | self._nature()
        columns["around"] = self._around(columns["text_in_file"])
        columns["called"] = self._called(columns, likely)
        return columns

    def _around(self, values: Column) -> Column:
        """Give each block the better of the VALUES of the ones before and after it."""
        files = [-1, *(block.file for block in self.blocks), -1]
        padded = [0.0, *values, 0.0]
        return [
            max(
                padded[n - 1] * (files[n - 1] == files[n]),
                padded[n + 1] * (files[n + 1] == files[n]),
            )
            for n in range(1, len(files) - 1)
        ]

    def _called(self, columns: Mapping[str, Column], likely: Column) -> Column:
        """Say how far each block defines what the most promising blocks use."""
        known = ("text", "name_strong", "line")
        strength = [
            sum(columns[name][n] for name in known) * math.sqrt(likely[block.file])
            for n, block in enumerate(self.blocks)
        ]
        seeds = sorted(range(len(strength)), key=lambda n: -strength[n])[:SEEDS]
        most = strength[seeds[0]] if seeds else 0.0
        uses: dict[str, float] = {}
        for n in seeds:
            for word in IDENTIFIER.findall(self._text(self.blocks[n])) if most else ():
                if len(word) > 3:
                    uses[word] = max(uses.get(word, 0.0), strength[n] / most)
        called = [0.0] * len(self.blocks)
        for name, numbers in self._definers().items():
            if name in uses:
                for n in numbers:
                    called[n] += 0.0 if n in seeds else uses[name] / len(numbers)
        return [min(value, 2.0) / 2 for value in called]

    def _definers(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for n, block in enumerate(self.blocks):
            for name in block.block.names:
                found.setdefault(name, []).append(n)
        return found

    def _text(self, block: CountedBlock) -> str:
        return "".join(self.files[block.file].lines[block.block.first - 1 : block.block.last])

    def _bm25(self, terms_of: Mapping[str, float]) -> Column:
        worth = {t: w * self.evidence.corpus.idf(t) for t, w in terms_of.items()}
        return [self._score(block, worth) for block in self.blocks]

    def _local(self, terms_of: Mapping[str, float]) -> Column:
        """Score every block by what a term tells among the blocks of its file alone."""
        held: list[Counter[str]] = [Counter() for _ in self.files]
        for block in self.blocks:
            held[block.file].update(block.counts.keys() & terms_of.keys())
        worth = [
            {t: terms_of[t] * idf(len(read.blocks), n) for t, n in found.items()}
            for read, found in zip(self.files, held, strict=True)
        ]
        return [self._score(block, worth[block.file]) for block in self.blocks]

    def _score(self, block: CountedBlock, worth: Mapping[str, float]) -> float:
        norm = K1 * (1 - B + B * block.length / self._average)
        found = ((worth.get(t, 0.0), n) for t, n in block.counts.items())
        return sum(value * n * (K1 + 1) / (n + norm) for value, n in found if value)

    def _in_file(self, values: Column) -> Column:
        most = [0.0] * len(self.files)
        for block, value in zip(self.blocks, values, strict=True):
            most[block.file] = max(most[block.file], value)
        return [v / (most[b.file] or 1.0) for b, v in zip(self.blocks, values, strict=True)]

    def _rank_in_file(self, values: Column) -> Column:
        """Give the block with the highest of VALUES in its file 1, the second a half, and so on."""
        seen = [0] * len(self.files)
        ranks = [0.0] * len(values)
        for n in sorted(range(len(values)), key=lambda n: -values[n]):
            seen[self.blocks[n].file] += 1
            ranks[n] = 1 / seen[self.blocks[n].file] if values[n] else 0.0
        return ranks

    def _names(self) -> dict[str, Column]:
        query = self.query
        text, title = query.terms.keys(), query.title_terms.keys()
        words = {w for w in query.words if len(w) > 3 and w.lower() not in STOP}
        names = [block.block.names[:40] for block in self.blocks]
        stems = [_stems(found) for found in names]
        owners = [block.block.owners for block in self.blocks]
        return {
            "name_strong": [_any(found, query.strong) for found in names],
            "name_title": [_any(found, query.title_words) for found in names],
            "name_word": [_any(found, words) for found in names],
            "parts_text": [_part(found, text) for found in stems],
            "parts_title": [_part(found, title) for found in stems],
            "owner_strong": [_any(found, query.strong) for found in owners],
            "owner_title": [_any(found, query.title_words) for found in owners],
        }

    def _traced(self) -> dict[str, Column]:
        lines: dict[int, set[int]] = {}
        funcs: dict[int, set[str]] = {}
        for place in self.query.places:
            for number in self.evidence.names.named(place.path)[0]:
                if place.line is not None:
                    lines.setdefault(number, set()).add(place.line)
                if place.func is not None:
                    funcs.setdefault(number, set()).add(place.func)
        found = [(self.files[block.file].number, block.block) for block in self.blocks]
        return {
            "line": [
                float(any(b.first <= line <= b.last for line in lines.get(n, ()))) for n, b in found
            ],
            "func": [_any(b.names, funcs.get(n, ())) for n, b in found],
        }

    def _nature(self) -> dict[str, Column]:
        return {
            "header": [float(b.block.is_header) for b in self.blocks],
            "first": [float(b.block.first == 1) for b in self.blocks],
            "lines": [math.log1p(b.block.last - b.block.first) / 4 for b in self.blocks],
            "nameless": [float(not b.block.names) for b in self.blocks],
        }

    def file_columns(self, columns: Mapping[str, Column], likely: Column) -> dict[str, Column]:
        """Return further columns over `files`, from COLUMNS over blocks and how LIKELY each is."""
        found = {f"best_{name}": self._best(columns[name]) for name in BEST}
        found["top_text"] = self._top(columns["text"])
        return found | self._neighbours(likely)

    def _top(self, values: Column) -> Column:
        """Return the mean of the three highest of VALUES in each file."""
        best: list[list[float]] = [[0.0] * 3 for _ in self.files]
        for block, value in zip(self.blocks, values, strict=True):
            best[block.file].append(value)
        return [sum(sorted(found)[-3:]) / 3 for found in best]

    def _best(self, values: Column) -> Column:
        best = [0.0] * len(self.files)
        for block, value in zip(self.blocks, values, strict=True):
            best[block.file] = max(best[block.file], value)
        return best

    def _neighbours(self, likely: Column) -> dict[str, Column]:
        """Say how likely the files are that import a file, that it imports, that lie beside it."""
        facts = [self.evidence.names.facts[read.number] for read in self.files]
        folders = [self._folder(read) for read in self.files]
        top = range(min(15, len(self.files)))
        users: Column = []
        used: Column = []
        beside: Column = []
        for n, (fact, read) in enumerate(zip(facts, self.files, strict=True)):
            others = [m for m in top if m != n]
            users.append(sum(likely[m] for m in others if fact.module in self.files[m].modules))
            used.append(sum(likely[m] for m in others if facts[m].module in read.modules))
            beside.append(sum(likely[m] for m in others if folders[m] == folders[n]))
        return {"imported_by": users, "imports": used, "beside": beside}

    def _folder(self, read: FileBlocks) -> str:
        return self.evidence.candidates.paths[read.number].rpartition("/")[0]


def _read(number: int, text: str, path: str) -> FileBlocks:
    ending = get_suffix(path)
    return FileBlocks(
        number, split_lines(text), split_blocks(text, ending), find_imports(text, ending)
    )


def _pairs_of(words: Sequence[str]) -> set[tuple[str, str]]:
    return set(pairwise(words))


def _stems(names: Iterable[str]) -> set[str]:
    return {stem(part) for name in names for part in split_identifier(name) if len(part) > 2}


def _any(names: Iterable[str], known: Iterable[str]) -> float:
    return float(any(name in known for name in names))


def _part(stems: set[str], known: Iterable[str]) -> float:
    return sum(1 for word in stems if word in known) / len(stems) if stems else 0.0
