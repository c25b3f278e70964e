"""The index entry of a file: the numbers of its words, and its definitions.

The entry is not text any more, but contains the words of the user's files: its cache is private to
the user. Words that look like a key or a digest are not indexed (`extract_terms`).
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import NamedTuple

from dursor.context.text.languages import find_definitions
from dursor.context.text.tokenize import IDENTIFIER, extract_terms

DEFINES = "="  # prefix of a definition's name among the terms
GENERATED = "!generated"

MAX_CHARS = 400_000  # of a file; the rest is not indexed
MAX_WORDS = 6_000  # distinct ones of a file; code has half as many, data more
_GENERATED = re.compile(r"(?i)@generated|\bDO NOT (?:EDIT|MODIFY)\b|auto-?generated")
_MAX_COUNT = 255  # a count takes one byte


class Document(NamedTuple):
    """The index entry of a file."""

    counts: dict[str, int]
    length: int  # words


def analyse(data: bytes, suffix: str) -> Document:
    """Return the index entry of DATA, a file with SUFFIX; an empty one if it is not text."""
    if b"\0" in data:
        return Document({}, 0)
    text = data.decode("utf-8", "replace")[:MAX_CHARS]
    words = Counter(IDENTIFIER.findall(text))
    counts: dict[str, int] = {}
    for word, n in islice(words.items(), MAX_WORDS):
        for term in extract_terms(word):
            counts[term] = counts.get(term, 0) + n
    for definition in islice(find_definitions(text, suffix), MAX_WORDS):
        name = DEFINES + definition.name[:80]
        counts[name] = counts.get(name, 0) + 1
    if _GENERATED.search(text, 0, 1000):
        counts[GENERATED] = 1
    return Document({term: min(n, _MAX_COUNT) for term, n in counts.items()}, words.total())
