"""Which files are worth looking through for an instruction."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.context.ranking.path_features import PathNames
from dursor.context.sendable import get_suffix
from dursor.context.text.file_kinds import FileKind, classify_path
from dursor.context.text.measure import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.context.ranking.query import InstructionQuery
    from dursor.tree import Entry

# What a title says that is not, or not only, about code.
_WANTED = {
    FileKind.TEST: re.compile(
        r"\b(?:add|write|extend|update|fix|improve|create|more|missing|failing|flaky|broken|skip|run"
        r"|unit|integration|regression)\b[^.\n]{0,40}\b(?:tests?|specs?|fixtures?)\b",
        re.IGNORECASE,
    ),
    FileKind.DOCS: re.compile(
        r"\b(?:docs?|documentation|documented|readme|changelog|tutorials?|release notes?|typos?)\b",
        re.IGNORECASE,
    ),
    FileKind.DATA: re.compile(
        r"\b(?:ya?ml|json|toml|ini|csv|config files?|workflows?|ci|github actions?|pipelines?|bump"
        r"|docker\w*|dependencies|translations?|locales?|licen[cs]e)\b",
        re.IGNORECASE,
    ),
}
_SETTINGS = {"yaml", "yml", "toml", "ini", "cfg", "conf", "properties", "env"}  # JSON is often data
NAMESAKES = 3  # of a file that is named: of more, none is meant


def list_candidates(
    entries: Mapping[str, Entry], query: InstructionQuery, budget: int
) -> dict[str, Entry]:
    """Return the files of ENTRIES to look through: code, and of the rest what is asked for.

    Where all the code is less than the BUDGET, everything.
    """
    kinds = {path: classify_path(path) for path in entries}
    wanted = {FileKind.SOURCE} | {k for k, words in _WANTED.items() if words.search(query.title)}
    size = sum(entry.size for path, entry in entries.items() if kinds[path] is FileKind.SOURCE)
    if estimate_tokens(size) < budget:
        wanted = set(FileKind)
    elif _is_configuration(kinds):
        wanted.add(FileKind.DATA)
    others = [path for path, kind in kinds.items() if kind not in wanted]
    named = _named(others, query) | _titled([p for p in others if kinds[p] is FileKind.DATA], query)
    found = {p: e for p, e in entries.items() if e.size and (kinds[p] in wanted or p in named)}
    return dict(sorted(found.items()))


def _is_configuration(kinds: Mapping[str, FileKind]) -> bool:
    """Say whether a repository is settings more than code: charts, playbooks, manifests."""
    code = sum(kind is FileKind.SOURCE for kind in kinds.values())
    settings = (get_suffix(path) for path, kind in kinds.items() if kind is FileKind.DATA)
    return sum(ending in _SETTINGS for ending in settings) > 2 * code


def _titled(paths: list[str], query: InstructionQuery) -> set[str]:
    """Return those of PATHS whose name without its ending is a word of the title, if few are."""
    words = {word.lower() for word in query.title_words}
    found: dict[str, list[str]] = {}
    for path in paths:
        stem = path.rpartition("/")[2].lstrip(".").partition(".")[0].lower()
        if stem in words:
            found.setdefault(stem, []).append(path)
    return {path for some in found.values() if len(some) <= NAMESAKES for path in some}


def _named(paths: list[str], query: InstructionQuery) -> set[str]:
    if not query.places or not paths:
        return set()
    names = PathNames(paths)
    found: set[str] = set()
    for place in query.places:
        numbers, same = names.named(place.path)
        if len(numbers) <= (1 if same == 1 else NAMESAKES):
            found.update(paths[n] for n in numbers)
    return found
