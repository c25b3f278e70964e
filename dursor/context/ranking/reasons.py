"""Short reasons for the selection of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.context.index.analyse import DEFINES
from dursor.context.text.tokenize import extract_terms, split_identifier, stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dursor.context.ranking.file_features import FileFeatures
    from dursor.context.ranking.rank import RankedFile

MAX_REASONS = 3
MAX_WORDS = 3  # in a reason


class ReasonFinder:
    """Finds the reasons for files in FEATURES."""

    def __init__(self, features: FileFeatures) -> None:
        self._names, self._corpus = features.names, features.corpus
        self._blobs = features.blobs
        self._query = features.query
        self._spellings = _map_spellings(self._query.words)
        self._mentioned = {
            n: mention.line
            for mention in self._query.mentions
            for n in self._names.match(mention.path)[0]
        }
        similar = features.history.score_similar(self._query.terms)
        highest = max(similar.values(), default=0.0)
        self._similar = {path for path, score in similar.items() if score > highest / 2}

    def explain(self, file: RankedFile) -> str:
        reasons = list(self._find(file))[:MAX_REASONS]
        return "; ".join(reasons) or "possibly related"

    def _find(self, file: RankedFile) -> Iterator[str]:
        n, blob = file.number, self._blobs[file.number]
        query = self._query
        if n in self._mentioned:
            yield "named" if self._mentioned[n] is None else "named with a line"
        defined = [name for name in query.strong if blob in self._corpus.count(DEFINES + name)]
        if defined:
            yield "defines " + ", ".join(defined[:MAX_WORDS])
        elif n not in self._mentioned:
            terms = (term for term in self._names.facts[n].words if term in query.terms)
            if words := self._spell(terms):
                yield f"its name contains {words}"
        shared = [term for term in query.terms if blob in self._corpus.count(term)]
        shared.sort(key=lambda term: -query.terms[term] * self._corpus.idf(term))
        if words := self._spell(shared):
            yield f"contains {words}"
        if file.path in self._similar:
            yield "changed in similar commits"

    def _spell(self, terms: Iterable[str]) -> str:
        words = dict.fromkeys(self._spellings.get(term, term) for term in terms)
        return ", ".join(list(words)[:MAX_WORDS])


def _map_spellings(words: Iterable[str]) -> dict[str, str]:
    """Map each term of WORDS to its spelling there: a word, or a part of one."""
    spellings: dict[str, str] = {}
    for word in words:
        terms = extract_terms(word)
        for part in split_identifier(word) if terms else ():
            spellings.setdefault(stem(part), part)
        if word.lower() in terms:
            spellings[word.lower()] = word.lower()
    return spellings
