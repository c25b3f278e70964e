"""Why a file was chosen, in a few true words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.context.index.analyse import DEFINES
from dursor.context.text.tokenize import extract_terms, split_identifier, stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dursor.context.ranking.file_features import FileFeatures
    from dursor.context.ranking.rank import RankedFile

MOST = 3  # words named of a kind


class ReasonFinder:
    """Says what speaks for the files of EVIDENCE."""

    def __init__(self, evidence: FileFeatures) -> None:
        self._evidence = evidence
        query = evidence.query
        self._spelt = _spelt(query.words)
        places = {n: p.line for p in query.places for n in evidence.names.named(p.path)[0]}
        self._named = places
        similar = evidence.votes.similar(query.terms)
        most = max(similar.values(), default=0.0)
        self._similar = {path for path, vote in similar.items() if vote > most / 2}

    def of(self, ranked: RankedFile) -> str:
        """Say what speaks most for RANKED."""
        return "; ".join(list(self._found(ranked))[:MOST]) or "may be near what is asked"

    def _found(self, ranked: RankedFile) -> Iterator[str]:
        n, blob = ranked.number, self._evidence.candidates.blobs[ranked.number]
        if n in self._named:
            yield "named" if self._named[n] is None else "named with a line"
        defined = [
            name
            for name in self._evidence.query.strong
            if blob in self._evidence.corpus.find(DEFINES + name)
        ]
        if defined:
            yield "defines " + ", ".join(defined[:MOST])
        elif n not in self._named and (words := self._in_name(n)):
            yield "its name says " + ", ".join(words)
        if shared := self._shared(blob):
            yield "shares " + ", ".join(shared)
        if ranked.path in self._similar:
            yield "changed in similar commits"

    def _in_name(self, n: int) -> list[str]:
        query = self._evidence.query.terms
        found = [term for term in self._evidence.names.facts[n].words if term in query]
        return list(dict.fromkeys(self._spelt.get(term, term) for term in found))[:MOST]

    def _shared(self, blob: int) -> list[str]:
        corpus, query = self._evidence.corpus, self._evidence.query.terms
        found = [term for term in query if blob in corpus.find(term)]
        found.sort(key=lambda term: -query[term] * corpus.idf(term))
        return list(dict.fromkeys(self._spelt.get(term, term) for term in found))[:MOST]


def _spelt(words: Iterable[str]) -> dict[str, str]:
    """Return for each term of WORDS how it is written there: whole, or as a part of a word."""
    found: dict[str, str] = {}
    for word in words:
        known = extract_terms(word)
        for part in split_identifier(word) if known else ():
            found.setdefault(stem(part), part)
        if known and word.lower() in known:
            found[word.lower()] = word.lower()
    return found
