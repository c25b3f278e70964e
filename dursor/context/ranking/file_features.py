"""Features of files before they are read: from the index, their paths and past commits.

Each feature is a column over the candidates, about 0 to 1 where it has no natural scale. The
weights in `weights.json` refer to columns by name.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dursor.context.index.analyse import DEFINES, GENERATED
from dursor.context.sendable import get_suffix
from dursor.context.text.file_kinds import SIDELINE, FileKind, classify_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dursor.context.ranking.bm25 import Corpus
    from dursor.context.ranking.history_features import HistoryFeatures
    from dursor.context.ranking.path_features import PathNames
    from dursor.context.ranking.query import InstructionQuery

SHORT = 400  # characters of an instruction that names a file in order to change it

Column: TypeAlias = "list[float]"
Sparse: TypeAlias = "dict[int, float]"


@dataclass(frozen=True)
class FileFeatures:
    """Columns of features over candidate files, which have names, sizes and blob numbers."""

    query: InstructionQuery
    names: PathNames
    sizes: Sequence[int]
    blobs: Sequence[int]
    corpus: Corpus
    history: HistoryFeatures

    @property
    def paths(self) -> Sequence[str]:
        return self.names.paths

    def build_columns(self) -> dict[str, array[float]]:
        """Return every column by name, in arrays, a third of the size of lists."""
        columns = (
            self._score_words()
            | self._score_paths()
            | self._score_mentions()
            | self._score_definitions()
            | self._score_history()
            | self._describe()
        )
        return {name: array("d", column) for name, column in columns.items()}

    def _spread(self, values: Sequence[float]) -> Column:
        """Return VALUES of blobs by candidate."""
        return [values[blob] for blob in self.blobs]

    def _to_column(self, sparse: Mapping[int, float]) -> Column:
        return [sparse.get(n, 0.0) for n in range(len(self.paths))]

    def _score_words(self) -> dict[str, Column]:
        corpus, query = self.corpus, self.query
        strong = {word.lower(): weight for word, weight in query.strong.items()}
        title = self._spread(corpus.bm25(query.title_terms))
        return {
            "text": scale(self._spread(corpus.bm25(query.terms))),
            "text_rare": scale(self._spread(corpus.bm25(query.terms, power=2))),
            "prose": scale(self._spread(corpus.bm25(query.prose_terms))),
            "title": scale(title),
            "title_rank": score_ranks(title),
            "strong": scale(self._spread(corpus.bm25(strong))),
            "text_share": self._spread(corpus.coverage(query.terms)),
            "title_share": self._spread(corpus.coverage(query.title_terms)),
        }

    def _score_paths(self) -> dict[str, Column]:
        idf, facts = self.names.idf, self.names.facts
        text, title = self.query.terms.keys(), self.query.title_terms.keys()
        stems, folders = [fact.words for fact in facts], [fact.folder_words for fact in facts]
        total = sum(idf.get(term, 0.0) for term in title) or 1.0
        return {
            "stem_text": [measure_overlap(words, text, idf) for words in stems],
            "stem_title": [measure_overlap(words, title, idf) for words in stems],
            "stem_title_idf": [sum_idf(words, title, idf) / 10 for words in stems],
            "folder_text": [measure_overlap(words, text, idf) for words in folders],
            "folder_title": [measure_overlap(words, title, idf) for words in folders],
            "folder_text_idf": [sum_idf(words, text, idf) / 10 for words in folders],
            "title_in_path": [
                sum_idf(dict.fromkeys((*stem, *folder)), title, idf) / total
                for stem, folder in zip(stems, folders, strict=True)
            ],
            "stem_is_word": [float(fact.stem.lower() in self.query.lowered) for fact in facts],
        }

    def _score_mentions(self) -> dict[str, Column]:
        by_path: Sparse = {}
        by_name: Sparse = {}
        traced_last: Sparse = {}
        for mention in self.query.mentions:
            numbers, same = self.names.match(mention.path)
            share = 1 / len(numbers) if numbers else 0.0
            target = by_path if same > 1 else by_name
            for n in numbers:
                target[n] = max(target.get(n, 0.0), share)
            if numbers and mention.line is not None:
                traced_last = dict.fromkeys(numbers, share)
        total = max(sum(by_path.values()), 1.0)  # a single mention is meant
        named = {n: value / total for n, value in by_path.items()}
        return {
            "named": self._to_column(named),
            "asked": self._to_column(named if len(self.query.text) < SHORT else {}),
            "named_base": self._to_column(by_name),
            "traced_last": self._to_column(traced_last),
            "module": self._to_column(self._score_modules()),
        }

    def _score_modules(self) -> Sparse:
        values: Sparse = {}
        for chain in self.query.chains:
            numbers, steps = self.names.match_modules(chain)
            for n in numbers:
                values[n] = max(values.get(n, 0.0), min(steps, 4) / 4 / len(numbers))
        return values

    def _score_definitions(self) -> dict[str, Column]:
        title = dict.fromkeys(self.query.title_words, 1.0)
        return {
            "defines_strong": self._score_definers(self.query.strong),
            "defines_title": self._score_definers(title),
        }

    def _score_definers(self, names: Mapping[str, float]) -> Column:
        values = [0.0] * self.corpus.size
        for name, weight in names.items():
            blobs = self.corpus.count(DEFINES + name)
            for blob in blobs:
                values[blob] += weight / math.sqrt(len(blobs))
        return self._spread([math.log1p(value) for value in values])

    def _score_history(self) -> dict[str, Column]:
        paths, history = self.paths, self.history
        text = history.score_similar(self.query.terms)
        title = history.score_similar(self.query.title_terms)
        return {
            "similar": scale([text.get(path, 0.0) for path in paths]),
            "similar_title": scale([title.get(path, 0.0) for path in paths]),
            "recent": [history.recency.get(path, 0.0) for path in paths],
            "churn": [history.churn.get(path, 0.0) / 4 for path in paths],
        }

    def _describe(self) -> dict[str, Column]:
        paths, facts = self.paths, self.names.facts
        kinds = [classify_path(path) for path in paths]
        suffixes = [get_suffix(path) for path in paths]
        code: Counter[str] = Counter()  # bytes of code by suffix
        for suffix, size, kind in zip(suffixes, self.sizes, kinds, strict=True):
            code[suffix] += size if kind is FileKind.SOURCE else 0
        total = sum(code.values()) or 1
        generated = self.corpus.count(GENERATED)
        return {
            "size": [math.log1p(size / 1000) / 4 for size in self.sizes],
            "is_index": [float(fact.is_index) for fact in facts],
            "sideline": [float(bool(SIDELINE.search(path.lower()))) for path in paths],
            "depth": [min(fact.depth, 8) / 8 for fact in facts],
            "language": [code[suffix] / total for suffix in suffixes],
            "generated": [float(blob in generated) for blob in self.blobs],
            "is_test": [float(kind is FileKind.TEST) for kind in kinds],
            "is_docs": [float(kind is FileKind.DOCS) for kind in kinds],
            "is_data": [float(kind is FileKind.DATA) for kind in kinds],
            "is_foreign": [float(kind is FileKind.FOREIGN) for kind in kinds],
        }


def scale(values: Column) -> Column:
    """Return VALUES as parts of the highest."""
    highest = max(values, default=0.0)
    return [value / highest for value in values] if highest > 0 else values


def score_ranks(values: Column) -> Column:
    """Return 1 for the highest of VALUES, and less with the logarithm of the rank."""
    order = sorted(range(len(values)), key=lambda n: -values[n])
    scores = [0.0] * len(values)
    for rank, n in enumerate(order):
        if values[n] > 0:
            scores[n] = 1 / (1 + math.log(1 + rank))
    return scores


def sum_idf(words: Iterable[str], known: Iterable[str], idf: Mapping[str, float]) -> float:
    """Add up the idf of those of WORDS that are KNOWN."""
    return sum(idf.get(word, 0.0) for word in words if word in known)


def measure_overlap(words: Iterable[str], known: Iterable[str], idf: Mapping[str, float]) -> float:
    """Return the KNOWN part of WORDS, by idf."""
    total = sum_idf(words, known, idf)
    return total / sum(idf.get(word, 0.0) for word in words) if total else 0.0
