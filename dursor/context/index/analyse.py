"""What is kept of a file: how often each word occurs, what it defines, what it imports.

The words are no text any more, but they are the words of the user's files: the cache that holds
them is the user's alone. What looks like a key or a digest is no word (`words.terms`).
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import NamedTuple

from dursor.context.text.languages import find_definitions, find_imports
from dursor.context.text.tokenize import IDENTIFIER, extract_terms

DEFINES = "="  # what leads the name of a definition among the terms
IMPORTS = ">"  # what leads a module that is imported
GENERATED = "!generated"

MAX_CHARS = 400_000  # of one file; what lies behind is not indexed
MAX_WORDS = 6_000  # that differ in one file; code has half as many, what has more is data
_MACHINE_MADE = re.compile(r"(?i)@generated|\bDO NOT (?:EDIT|MODIFY)\b|auto-?generated")
_MOST = 255  # a count is kept in one byte


class Document(NamedTuple):
    """A file as it is indexed."""

    counts: dict[str, int]
    length: int  # words


def analyse(data: bytes, suffix: str) -> Document:
    """Read DATA, the content of a file whose name ends in SUFFIX; empty for what is no text."""
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
    modules = islice(sorted(find_imports(text, suffix)), MAX_WORDS)
    counts.update(dict.fromkeys([IMPORTS + module[:120] for module in modules], 1))
    if _MACHINE_MADE.search(text, 0, 1000):
        counts[GENERATED] = 1
    return Document({term: min(n, _MOST) for term, n in counts.items()}, words.total())
