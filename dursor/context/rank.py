"""Files in the order in which the instruction calls for them."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from dursor.context.words import IDENTIFIER, STOP, terms

if TYPE_CHECKING:
    from collections.abc import Mapping

K1, B = 1.2, 0.5


class Ranked(NamedTuple):
    """A file and what speaks for it."""

    path: str
    score: float
    reason: str


def query_terms(instruction: str) -> dict[str, float]:
    """Return the instruction's terms, weighted by the logarithm of how often they occur."""
    counts = Counter(term for word in IDENTIFIER.findall(instruction) for term in terms(word))
    return {t: 1 + math.log(n) for t, n in counts.items() if t not in STOP and len(t) > 2}


def rank(texts: Mapping[str, str], instruction: str) -> list[Ranked]:
    """Every file of TEXTS, the most relevant first."""
    query = query_terms(instruction)
    counts = {path: _counts(path, text, query) for path, text in texts.items()}
    idf = _idf(counts.values(), query)
    average = sum(len(t) for t in texts.values()) / max(len(texts), 1) or 1.0
    ranked = [
        _score(path, counts[path], len(text) / average, query, idf) for path, text in texts.items()
    ]
    return sorted(ranked, key=lambda r: (-r.score, r.path))


def _counts(path: str, text: str, query: Mapping[str, float]) -> dict[str, int]:
    found: dict[str, int] = {}
    for word, n in Counter(IDENTIFIER.findall(text)).items():
        for term in terms(word):
            if term in query:
                found[term] = found.get(term, 0) + n
    for word in IDENTIFIER.findall(path):
        for term in terms(word):
            if term in query:
                found[term] = found.get(term, 0) + 5
    return found


def _idf(counts: object, query: Mapping[str, float]) -> dict[str, float]:
    documents = list(counts)  # type: ignore[call-overload]
    total = len(documents)
    seen = Counter(term for found in documents for term in found)
    return {t: math.log(1 + (total - seen[t] + 0.5) / (seen[t] + 0.5)) for t in query}


def _score(
    path: str,
    found: Mapping[str, int],
    length: float,
    query: Mapping[str, float],
    idf: Mapping[str, float],
) -> Ranked:
    norm = K1 * (1 - B + B * length)
    weights = {t: query[t] * idf[t] * n * (K1 + 1) / (n + norm) for t, n in found.items()}
    best = sorted(weights, key=lambda t: -weights[t])[:3]
    reason = "shares " + ", ".join(best) if best else "fits the budget"
    return Ranked(path, sum(weights.values()), reason)
