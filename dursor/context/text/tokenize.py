"""Words of code and prose: identifiers, their parts, and their stems."""

from __future__ import annotations

import math
import re
from functools import lru_cache

IDENTIFIER = re.compile(r"[^\W\d]\w+")

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|\d+")
_MAX_CHARS = 48  # a longer word is data
_RANDOM = re.compile(r"(?:[A-Za-z_]*\d+){3}|\d{5}")  # keys, digests

# Words of prose and of every programming language, which say nothing about where to look.
_STOP = """
    about above actual actually after again all also although always and another any anything are
    around because been before behavior behaviour being below between both bug but call called can
    cannot case change code could currently def default description did different does doing done
    each either else error even every example expected fail failed fails file first fix following
    for from function get gets getting give given has have having here how however if import in
    instead into is issue it its just know like line lines look looks made make makes may might
    more most much must need new not nothing now of on one only or other our out output problem
    python question reproduce result return returned returns same see seem seems self set should
    since so some something still such sure than that the their them then there these they thing
    think this those to trying two use used user uses using value version very want was way we
    well were what when where whether which while who why will with without work working works
    would wrong yes you your
    """
STOP = frozenset(_STOP.split())

# Longest first; the rest has to be long enough to be a word.
_PLAIN = ("ings", "ions", "ing", "ion", "ors", "ers", "ed", "es", "or", "er", "s", "e")
_ENDINGS = {"ations": "at", "ation": "at", "ies": "y"} | dict.fromkeys(_PLAIN, "")
_ENDINGS = dict(sorted(_ENDINGS.items(), key=lambda pair: -len(pair[0])))
_MIN_STEM = 4
_LAST = tuple(sorted({ending[-1] for ending in _ENDINGS}))


@lru_cache(maxsize=20_000)
def split_identifier(identifier: str) -> tuple[str, ...]:
    """Return the lower-case words of IDENTIFIER in snake or camel case."""
    if identifier.islower() and identifier.isalpha():
        return (identifier,)
    words = tuple([part.lower() for part in _PARTS.findall(identifier) if len(part) > 1])
    return words or (identifier.lower(),)


@lru_cache(maxsize=40_000)
def stem(word: str) -> str:
    """Cut the ending off a lower-case WORD, so that its forms match."""
    if not word.endswith(_LAST) or word.endswith("ss"):
        return word
    for ending, replacement in _ENDINGS.items():
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM:
            return word[: -len(ending)] + replacement
    return word


@lru_cache(maxsize=80_000)
def extract_terms(identifier: str) -> tuple[str, ...]:
    """Return the index terms of IDENTIFIER: all of it, and the stems of its parts.

    A key or a digest has none.
    """
    if len(identifier) > _MAX_CHARS or (len(identifier) > 15 and _RANDOM.search(identifier)):
        return ()
    words, lowered = split_identifier(identifier), identifier.lower()
    stems = tuple([stem(word) for word in words])
    return stems if words == (lowered,) else (lowered, *stems)


def idf(total: int, holding: int) -> float:
    """Return the inverse document frequency of a term in HOLDING of TOTAL texts."""
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))
