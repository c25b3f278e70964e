"""The words, identifiers, paths and modules in an instruction, and the lines of its tracebacks."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cached_property
from typing import NamedTuple

from dursor.context.text.tokenize import IDENTIFIER, STOP, extract_terms, split_identifier

MAX_CHARS = 60_000  # of an instruction; a longer one is a log
MAX_TERMS = 400

# A path with a suffix, perhaps with a line: `a/b.py:12`, `b.py", line 12, in f`, `b.ts(12,3)`.
_PATH = re.compile(
    r"(?<![\w.])(?P<path>(?:[\w.@+~-]{1,80}[/\\]){0,20}[\w.@+-]{1,80}\.[A-Za-z]\w{0,9})(?![\w/])"
    r"(?:(?:\"?,? line |[:(]|#L)(?P<line>\d{1,6}))?(?:[,:)\d]*,? in (?P<func>\w+))?"
)
_DOTTED = re.compile(r"(?<![\w./])[A-Za-z_]\w{0,80}(?:(?:\.|::)[A-Za-z_]\w{0,80}){1,12}")
_QUOTED = re.compile(r"(?<!`)`++([^`\n]{1,120})`+")
_CALLED = re.compile(r"\b([A-Za-z_]\w{2,80})\(")
_CAMEL = re.compile(r"[a-z][A-Z]|[A-Z][A-Z][a-z]|^[A-Z][a-z]+[A-Z]|\w_\w")
_CODE = re.compile(r"```(?s:.*?)(?:```|\Z)|^(?:[ ]{4}|\t|>>>|\.\.\.|[ ]{2}File).*$", re.MULTILINE)
_URL = re.compile(r"https?://\S+")
_LINK = re.compile(r"/(?:blob|tree|raw)/[^/\s]+/([^\s#?)>\]\"']+)(?:#L(\d+))?")


class PathMention(NamedTuple):
    """A path in an instruction, perhaps with a line and a function."""

    path: str
    line: int | None
    func: str | None


class InstructionQuery:
    """The search terms of INSTRUCTION."""

    def __init__(self, instruction: str) -> None:
        self.text = instruction[:MAX_CHARS]

    @cached_property
    def title(self) -> str:
        """The first line that is not empty."""
        lines = (line.strip(" #\t\r*") for line in self.text.splitlines())
        return next((line for line in lines if line), "")[:300]

    @cached_property
    def _plain(self) -> str:
        return _URL.sub(" ", self.text)

    @cached_property
    def words(self) -> Counter[str]:
        """Every identifier or word as written, and its number."""
        return Counter(IDENTIFIER.findall(self._plain))

    @cached_property
    def terms(self) -> dict[str, float]:
        """The terms to search for, weighted by the logarithm of their number."""
        return _weigh_terms(self.words)

    @cached_property
    def prose_terms(self) -> dict[str, float]:
        """The terms of prose, without code, sessions and tracebacks."""
        return _weigh_terms(Counter(IDENTIFIER.findall(_CODE.sub(" ", self._plain))))

    @cached_property
    def title_terms(self) -> dict[str, float]:
        return _weigh_terms(Counter(IDENTIFIER.findall(_URL.sub(" ", self.title))))

    @cached_property
    def strong(self) -> dict[str, float]:
        """Certain identifiers: of several words, quoted, called, or part of a dotted name."""
        words = {word for word in self.words if _CAMEL.search(word)}
        words.update(_CALLED.findall(self._plain))
        for quoted in _QUOTED.findall(self._plain):
            words.update(IDENTIFIER.findall(quoted))
        words.update(*self.chains)
        strong = (word for word in words if len(word) > 2 and word.lower() not in STOP)
        return {word: 1 + math.log(max(self.words[word], 1)) for word in sorted(strong)}

    @cached_property
    def title_words(self) -> frozenset[str]:
        """The title's words as written, without stop words."""
        words = IDENTIFIER.findall(_URL.sub(" ", self.title))
        return frozenset(word for word in words if len(word) > 2 and word.lower() not in STOP)

    @cached_property
    def chains(self) -> list[tuple[str, ...]]:
        """Dotted names as their parts, in order of occurrence."""
        names = dict.fromkeys(_DOTTED.findall(self._plain))
        return [tuple(re.split(r"\.|::", name)) for name in names][:200]

    @cached_property
    def mentions(self) -> list[PathMention]:
        """Paths, in order; the innermost frame of a traceback comes last."""
        mentions = [
            PathMention(path, int(line) if line else None, None)
            for path, line in _LINK.findall(self.text)
        ]
        for match in _PATH.finditer(self._plain):
            line, path = match["line"], match["path"].replace("\\", "/")
            mentions.append(PathMention(path, int(line) if line else None, match["func"]))
        return list(dict.fromkeys(mentions))[:300]

    @cached_property
    def lowered(self) -> frozenset[str]:
        """Every word in lower case, and its parts."""
        words = {word.lower() for word in self.words}
        return frozenset(words.union(*map(split_identifier, self.words)))


def _weigh_terms(words: Counter[str]) -> dict[str, float]:
    counts: Counter[str] = Counter()
    for word, n in words.items():
        if word.lower() not in STOP:
            for term in dict.fromkeys(extract_terms(word)):
                counts[term] += n
    weights = {t: 1 + math.log(n) for t, n in counts.items() if t not in STOP and len(t) > 2}
    best = sorted(weights, key=lambda t: (-weights[t], t))[:MAX_TERMS]
    return {term: weights[term] for term in best}
