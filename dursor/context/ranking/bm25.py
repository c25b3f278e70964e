"""Terms of the candidate files, and their BM25 scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.context.text.tokenize import idf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dursor.context.index.segment import Segment

K1, B = 1.2, 0.5


class Corpus:
    """Blobs numbered from 0, with their terms in the index."""

    def __init__(self, oids: Sequence[bytes], segments: Sequence[Segment]) -> None:
        number = {oid: n for n, oid in enumerate(oids)}
        self.size = len(number)
        self.lengths = [0] * self.size
        self._segments: list[tuple[Segment, list[int]]] = []
        for segment in segments:
            numbers = [number.pop(oid, -1) for oid in segment.oids()]
            self._segments.append((segment, numbers))
            for n, length in zip(numbers, segment.lengths(), strict=True):
                if n >= 0:
                    self.lengths[n] = length
        average = sum(self.lengths) / max(self.size, 1) or 1.0
        self._norms = [K1 * (1 - B + B * length / average) for length in self.lengths]
        self._counts: dict[str, dict[int, int]] = {}

    def count(self, term: str) -> dict[int, int]:
        """Return the number of times each blob contains TERM, for those that do."""
        counts = self._counts.get(term)
        if counts is None:
            counts = self._counts[term] = {}
            for segment, numbers in self._segments:
                for local, n in zip(*segment.postings(term), strict=True):
                    if numbers[local] >= 0:
                        counts[numbers[local]] = n
        return counts

    def idf(self, term: str) -> float:
        return idf(self.size, len(self.count(term)))

    def bm25(self, query: Mapping[str, float], *, power: float = 1) -> list[float]:
        """Score every blob by the weighted terms of QUERY. POWER is the exponent of idf."""
        scores, norms = [0.0] * self.size, self._norms
        for term, weight in query.items():
            counts = self.count(term)
            if not counts:
                continue
            value = weight * self.idf(term) ** power * (K1 + 1)
            for n, count in counts.items():
                scores[n] += value * count / (count + norms[n])
        return scores

    def coverage(self, query: Iterable[str]) -> list[float]:
        """Return for every blob its part of the summed idf of QUERY's terms."""
        shares, total = [0.0] * self.size, 0.0
        for term in query:
            counts = self.count(term)
            if counts:
                value = self.idf(term)
                total += value
                for n in counts:
                    shares[n] += value
        return [share / total for share in shares] if total else shares
