"""What past commits tell: files that changed for similar reasons, lately, or often."""

from __future__ import annotations

import math
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from dursor.context.text.tokenize import idf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIMILAR = 40  # commits that have a vote
MAX_PATHS = 30  # of a commit; one that changes more tells nothing
RECENT = 50.0  # commits after which "lately" has faded to about a third


class PastChange(NamedTuple):
    """A commit in the past of the base: the terms of its message, the paths it changed."""

    terms: tuple[str, ...]
    paths: tuple[str, ...]


class HistoryFeatures:
    """COMMITS, the newest first, as evidence."""

    def __init__(self, commits: Sequence[PastChange]) -> None:
        self.commits = [one for one in commits if 0 < len(one.paths) <= MAX_PATHS]

    def similar(self, query: Mapping[str, float]) -> dict[str, float]:
        """Return for each path how much commits whose messages are like QUERY speak for it."""
        scored = sorted(self._scored(query), key=lambda pair: -pair[0])[:SIMILAR]
        votes: dict[str, float] = {}
        for score, commit in scored:
            share = (score / scored[0][0]) ** 2 / math.sqrt(len(commit.paths))
            for path in commit.paths:
                votes[path] = votes.get(path, 0.0) + share
        return votes

    def _scored(self, query: Mapping[str, float]) -> list[tuple[float, PastChange]]:
        counts = Counter(term for one in self.commits for term in one.terms if term in query)
        total = len(self.commits)
        worth = {term: query[term] * idf(total, n) for term, n in counts.items()}
        found = []
        for one in self.commits:
            score = sum(worth.get(term, 0.0) for term in one.terms)
            if score:
                found.append((score / math.sqrt(8 + len(one.terms)), one))
        return found

    @cached_property
    def recency(self) -> dict[str, float]:
        """How lately each path changed: 1 for the newest commit, fading."""
        found: dict[str, float] = {}
        for n, one in enumerate(self.commits):
            for path in one.paths:
                found.setdefault(path, RECENT / (RECENT + n))
        return found

    @cached_property
    def churn(self) -> dict[str, float]:
        """How often each path changed, as a logarithm."""
        counts = Counter(path for one in self.commits for path in one.paths)
        return {path: math.log1p(n) for path, n in counts.items()}
