"""Features of paths from past commits: files changed for similar reasons, recently, or often."""

from __future__ import annotations

import math
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from dursor.context.text.tokenize import idf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dursor.context.index.commit_cache import PastChange

MAX_SIMILAR = 40  # commits that count
RECENT = 50.0  # commits after which recency has halved


class HistoryFeatures:
    """Features of paths from COMMITS, newest first."""

    def __init__(self, commits: Sequence[PastChange]) -> None:
        self.commits = [commit for commit in commits if commit.paths]

    def score_similar(self, query: Mapping[str, float]) -> dict[str, float]:
        """Score paths by the commits that changed them and whose messages are similar to QUERY."""
        counts = Counter(term for commit in self.commits for term in commit.terms if term in query)
        values = {term: query[term] * idf(len(self.commits), n) for term, n in counts.items()}
        scored = []
        for commit in self.commits:
            score = sum(values.get(term, 0.0) for term in commit.terms)
            if score:
                scored.append((score / math.sqrt(8 + len(commit.terms)), commit))
        scored.sort(key=lambda pair: -pair[0])
        scores: dict[str, float] = {}
        for score, commit in scored[:MAX_SIMILAR]:
            share = (score / scored[0][0]) ** 2 / math.sqrt(len(commit.paths))
            for path in commit.paths:
                scores[path] = scores.get(path, 0.0) + share
        return scores

    @cached_property
    def recency(self) -> dict[str, float]:
        """For each path, 1 if the newest commit changed it, less if an older one did."""
        values: dict[str, float] = {}
        for n, commit in enumerate(self.commits):
            for path in commit.paths:
                values.setdefault(path, RECENT / (RECENT + n))
        return values

    @cached_property
    def churn(self) -> dict[str, float]:
        """For each path, the logarithm of the number of its changes."""
        counts = Counter(path for commit in self.commits for path in commit.paths)
        return {path: math.log1p(n) for path, n in counts.items()}
