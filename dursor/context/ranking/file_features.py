"""What speaks for each file at first sight: the index, its path, the past; no file is read.

Each feature is a column over the candidates, about 0 to 1 where it has no natural scale. The
weights of `weights.json` are of these columns by name.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from dursor.context.index.analyse import DEFINES, GENERATED
from dursor.context.sendable import get_suffix
from dursor.context.text.file_kinds import SIDELINE, FileKind, classify_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dursor.context.index.past_changes import HistoryFeatures
    from dursor.context.ranking.bm25 import Corpus
    from dursor.context.ranking.path_features import PathNames
    from dursor.context.ranking.query import InstructionQuery

SHORT = 400  # characters of an instruction that names a file because it is to be changed

Column: TypeAlias = "list[float]"
Sparse: TypeAlias = "dict[int, float]"


class CandidateFiles(NamedTuple):
    """Files to choose from: their paths and sizes, and the number of each one's blob."""

    paths: Sequence[str]
    sizes: Sequence[int]
    blobs: Sequence[int]


class FileFeatures:
    """Columns of features over CANDIDATES for QUERY."""

    def __init__(
        self,
        query: InstructionQuery,
        candidates: CandidateFiles,
        corpus: Corpus,
        names: PathNames,
        votes: HistoryFeatures,
    ) -> None:
        self.query = query
        self.candidates = candidates
        self.corpus = corpus
        self.names = names
        self.votes = votes
        self.n = len(candidates.paths)

    def columns(self) -> dict[str, array[float]]:
        """Return every column by its name, a third of what lists would take."""
        groups = (self._words, self._path_words, self._named, self._defined, self._past)
        return {
            name: array("d", column)
            for group in (*groups, self._nature)
            for name, column in group().items()
        }

    def _of_blobs(self, values: Sequence[float]) -> Column:
        return [values[blob] for blob in self.candidates.blobs]

    def _dense(self, sparse: Mapping[int, float]) -> Column:
        return [sparse.get(n, 0.0) for n in range(self.n)]

    def _words(self) -> dict[str, Column]:
        corpus, query = self.corpus, self.query
        strong = {word.lower(): weight for word, weight in query.strong.items()}
        text = self._of_blobs(corpus.bm25(query.terms))
        title = self._of_blobs(corpus.bm25(query.title_terms))
        return {
            "text": scale(text),
            "text_rare": scale(self._of_blobs(corpus.bm25(query.terms, rare=2))),
            "prose": scale(self._of_blobs(corpus.bm25(query.prose_terms))),
            "title": scale(title),
            "title_rank": score_ranks(title),
            "strong": scale(self._of_blobs(corpus.bm25(strong))),
            "text_share": self._of_blobs(corpus.coverage(query.terms)),
            "title_share": self._of_blobs(corpus.coverage(query.title_terms)),
        }

    def _path_words(self) -> dict[str, Column]:
        idf, facts = self.names.idf, self.names.facts
        text, title = self.query.terms.keys(), self.query.title_terms.keys()
        stems, folders = [one.words for one in facts], [one.around for one in facts]
        whole = sum(idf.get(term, 0.0) for term in title) or 1.0
        return {
            "stem_text": [measure_overlap(words, text, idf) for words in stems],
            "stem_title": [measure_overlap(words, title, idf) for words in stems],
            "stem_title_idf": [sum_idf(words, title, idf) / 10 for words in stems],
            "folder_text": [measure_overlap(words, text, idf) for words in folders],
            "folder_title": [measure_overlap(words, title, idf) for words in folders],
            "folder_text_idf": [sum_idf(words, text, idf) / 10 for words in folders],
            "title_in_path": [
                sum_idf(dict.fromkeys((*one.words, *one.around)), title, idf) / whole
                for one in facts
            ],
            "stem_is_word": [float(one.stem.lower() in self.query.lowered) for one in facts],
        }

    def _named(self) -> dict[str, Column]:
        named: Sparse = {}
        base: Sparse = {}
        traced: Sparse = {}
        last: Sparse = {}
        for place in self.query.places:
            found, same = self.names.named(place.path)
            sure = 1 / len(found) if found else 0.0
            target = named if same > 1 else base
            for n in found:
                target[n] = max(target.get(n, 0.0), sure)
                if place.line is not None:
                    traced[n] = max(traced.get(n, 0.0), sure)
            if found and place.line is not None:
                last = dict.fromkeys(found, sure)
        many = max(sum(named.values()), 1.0)  # one that is named alone is meant
        named = {n: value / many for n, value in named.items()}
        return {
            "named": self._dense(named),
            "asked": self._dense(named if len(self.query.text) < SHORT else {}),
            "named_base": self._dense(base),
            "traced": self._dense(traced),
            "traced_last": self._dense(last),
            "module": self._dense(self._modules()),
        }

    def _modules(self) -> Sparse:
        found: Sparse = {}
        for chain in self.query.chains:
            numbers, steps = self.names.modules(chain)
            for n in numbers:
                value = min(steps, 4) / 4 / len(numbers)
                found[n] = max(found.get(n, 0.0), value)
        return found

    def _defined(self) -> dict[str, Column]:
        query = self.query
        return {
            "defines_strong": self._definers(query.strong),
            "defines_title": self._definers(dict.fromkeys(query.title_words, 1.0)),
        }

    def _definers(self, names: Mapping[str, float]) -> Column:
        values = [0.0] * self.corpus.size
        for name, weight in names.items():
            found = self.corpus.find(DEFINES + name)
            if found:
                value = weight / math.sqrt(len(found))
                for blob in found:
                    values[blob] += value
        return self._of_blobs([math.log1p(value) for value in values])

    def _past(self) -> dict[str, Column]:
        paths, query = self.candidates.paths, self.query
        similar = self.votes.similar(query.terms)
        titled = self.votes.similar(query.title_terms)
        return {
            "similar": scale([similar.get(path, 0.0) for path in paths]),
            "similar_title": scale([titled.get(path, 0.0) for path in paths]),
            "recent": [self.votes.recency.get(path, 0.0) for path in paths],
            "churn": [self.votes.churn.get(path, 0.0) / 4 for path in paths],
        }

    def _nature(self) -> dict[str, Column]:
        paths, facts = self.candidates.paths, self.names.facts
        kinds = [classify_path(path) for path in paths]
        endings = [get_suffix(path) for path in paths]
        bytes_of: Counter[str] = Counter()
        for ending, size, kind in zip(endings, self.candidates.sizes, kinds, strict=True):
            bytes_of[ending] += size if kind is FileKind.SOURCE else 0
        total = sum(bytes_of.values()) or 1
        generated = self.corpus.find(GENERATED)
        return {
            "size": [math.log1p(size / 1000) / 4 for size in self.candidates.sizes],
            "is_index": [float(one.is_index) for one in facts],
            "sideline": [float(bool(SIDELINE.search(path.lower()))) for path in paths],
            "depth": [min(one.depth, 8) / 8 for one in facts],
            "language": [bytes_of[ending] / total for ending in endings],
            "generated": [float(blob in generated) for blob in self.candidates.blobs],
            "is_test": [float(kind is FileKind.TEST) for kind in kinds],
            "is_docs": [float(kind is FileKind.DOCS) for kind in kinds],
            "is_data": [float(kind is FileKind.DATA) for kind in kinds],
            "is_foreign": [float(kind is FileKind.FOREIGN) for kind in kinds],
        }


def scale(values: Column) -> Column:
    """VALUES as parts of the highest."""
    most = max(values, default=0.0)
    return [value / most for value in values] if most > 0 else values


def score_ranks(values: Column) -> Column:
    """1 for the highest of VALUES, falling with the logarithm of the rank."""
    order = sorted(range(len(values)), key=lambda n: -values[n])
    found = [0.0] * len(values)
    for rank, n in enumerate(order):
        if values[n] > 0:
            found[n] = 1 / (1 + math.log(1 + rank))
    return found


def sum_idf(words: Iterable[str], known: Iterable[str], idf: Mapping[str, float]) -> float:
    """Add up what those of WORDS tell that are KNOWN."""
    return sum(idf.get(word, 0.0) for word in words if word in known)


def measure_overlap(words: Iterable[str], known: Iterable[str], idf: Mapping[str, float]) -> float:
    """Return which part of what WORDS tell is KNOWN."""
    found = sum_idf(words, known, idf)
    return found / sum(idf.get(word, 0.0) for word in words) if found else 0.0
