"""The files among which a search goes on: which hold a term, how often, and what that is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.context.text.tokenize import idf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dursor.context.index.segment import Segment

K1, B = 1.2, 0.5


class Corpus:
    """Blobs numbered from 0, and what the index knows of them."""

    def __init__(self, oids: Sequence[bytes], segments: Sequence[Segment]) -> None:
        number = {oid: n for n, oid in enumerate(oids)}
        self.size = len(number)
        self.lengths = [0] * self.size
        self._segments: list[tuple[Segment, list[int]]] = []
        for segment in segments:
            places = [number.pop(oid, -1) for oid in segment.oids()]
            self._segments.append((segment, places))
            for at, length in zip(places, segment.lengths(), strict=True):
                if at >= 0:
                    self.lengths[at] = length
        average = sum(self.lengths) / max(self.size, 1) or 1.0
        self._norms = [K1 * (1 - B + B * length / average) for length in self.lengths]
        self._found: dict[str, dict[int, int]] = {}

    def find(self, term: str) -> dict[int, int]:
        """Return the blobs that hold TERM, and how often each does."""
        found = self._found.get(term)
        if found is None:
            found = self._found[term] = {}
            for segment, places in self._segments:
                numbers, counts = segment.postings(term)
                for number, count in zip(numbers, counts, strict=True):
                    if places[number] >= 0:
                        found[places[number]] = count
        return found

    def idf(self, term: str) -> float:
        """Return how telling TERM is: the rarer the more."""
        return idf(self.size, len(self.find(term)))

    def bm25(self, query: Mapping[str, float], *, rare: float = 1) -> list[float]:
        """Score every blob by the terms of QUERY, which has their weights.

        RARE is the power of what a term tells.
        """
        scores, norms = [0.0] * self.size, self._norms
        for term, weight in query.items():
            found = self.find(term)
            if not found:
                continue
            worth = weight * self.idf(term) ** rare * (K1 + 1)
            for at, count in found.items():
                scores[at] += worth * count / (count + norms[at])
        return scores

    def coverage(self, query: Iterable[str]) -> list[float]:
        """Return for every blob which part of what QUERY's terms tell it holds."""
        shares, total = [0.0] * self.size, 0.0
        for term in query:
            found = self.find(term)
            if found:
                worth = self.idf(term)
                total += worth
                for at in found:
                    shares[at] += worth
        return [share / total for share in shares] if total else shares
