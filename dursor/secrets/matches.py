"""Matches of secrets in a text."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class SecretMatch(NamedTuple):
    """A secret from `start` to `end` in a text."""

    start: int
    end: int
    rule: str


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile PATTERN on first use: compiling all of them takes 0.1 s."""
    return re.compile(pattern)


def merge_overlaps(matches: Iterable[SecretMatch]) -> list[SecretMatch]:
    """Sort MATCHES and merge those that overlap."""
    merged: list[SecretMatch] = []
    for match in sorted(matches, key=lambda match: (match.start, -match.end)):
        if not merged or match.start >= merged[-1].end:
            merged.append(match)
        elif match.end > merged[-1].end:
            merged[-1] = merged[-1]._replace(end=match.end)
    return merged


def replace_matches(
    text: str, matches: Iterable[SecretMatch], replacement: Callable[[str], str]
) -> str:
    """Return TEXT with REPLACEMENT of each secret in its place."""
    parts: list[str] = []
    end = 0
    for match in merge_overlaps(matches):
        parts += [text[end : match.start], replacement(text[match.start : match.end])]
        end = match.end
    return "".join([*parts, text[end:]])


def entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    counts = Counter(text).values()
    return math.log2(len(text)) - sum(n * math.log2(n) for n in counts) / len(text)
