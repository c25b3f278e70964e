"""Which files are worth looking through for an instruction."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.context.kinds import Kind, kind_of
from dursor.context.pathnames import PathNames
from dursor.context.selection import tokens_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.context.query import Query
    from dursor.tree import Entry

# What a title says that is not, or not only, about code.
_WANTED = {
    Kind.TEST: re.compile(
        r"\b(?:add|write|extend|update|fix|improve|create|more|missing|failing|flaky|broken|skip|run"
        r"|unit|integration|regression)\b[^.\n]{0,40}\b(?:tests?|specs?|fixtures?)\b",
        re.IGNORECASE,
    ),
    Kind.DOCS: re.compile(
        r"\b(?:docs?|documentation|documented|readme|changelog|tutorials?|release notes?|typos?)\b",
        re.IGNORECASE,
    ),
    Kind.DATA: re.compile(
        r"\b(?:ya?ml|json|toml|ini|csv|config files?|workflows?|ci|github actions?|pipelines?|bump"
        r"|docker\w*|dependencies|translations?|locales?|licen[cs]e)\b",
        re.IGNORECASE,
    ),
}


def pool_of(entries: Mapping[str, Entry], query: Query, budget: int) -> dict[str, Entry]:
    """Return the files of ENTRIES to look through: code, and of the rest what is asked for.

    Where all the code is less than the BUDGET, everything.
    """
    kinds = {path: kind_of(path) for path in entries}
    wanted = {Kind.SOURCE} | {k for k, words in _WANTED.items() if words.search(query.title)}
    size = sum(entry.size for path, entry in entries.items() if kinds[path] is Kind.SOURCE)
    if tokens_of(size) < budget:
        wanted = set(Kind)
    others = [path for path, kind in kinds.items() if kind not in wanted]
    named = _named(others, query)
    found = {p: e for p, e in entries.items() if e.size and (kinds[p] in wanted or p in named)}
    return dict(sorted(found.items()))


def _named(paths: list[str], query: Query) -> set[str]:
    if not query.places or not paths:
        return set()
    names = PathNames(paths)
    found: set[str] = set()
    for place in query.places:
        numbers, same = names.named(place.path)
        if len(numbers) <= (1 if same == 1 else 3):
            found.update(paths[n] for n in numbers)
    return found
