"""The files to rank for an instruction."""

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

# Titles that are not, or not only, about code.
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
MAX_NAMESAKES = 3  # of a file that is named: of more, none is meant


def list_candidates(
    entries: Mapping[str, Entry], query: InstructionQuery, budget: int
) -> dict[str, Entry]:
    """Return the files of ENTRIES to rank: code, and of the rest those that QUERY asks for.

    All files, if the code is less than BUDGET.
    """
    kinds = {path: classify_path(path) for path in entries}
    wanted = {FileKind.SOURCE}
    wanted.update(kind for kind, words in _WANTED.items() if words.search(query.title))
    size = sum(entry.size for path, entry in entries.items() if kinds[path] is FileKind.SOURCE)
    if estimate_tokens(size) < budget:
        wanted = set(FileKind)
    elif _is_configuration(kinds):
        wanted.add(FileKind.DATA)
    others = [path for path, kind in kinds.items() if kind not in wanted]
    data = [path for path in others if kinds[path] is FileKind.DATA]
    named = _find_mentioned(others, query) | _find_titled(data, query)
    return {
        path: entry
        for path, entry in sorted(entries.items())
        if entry.size and (kinds[path] in wanted or path in named)
    }


def _is_configuration(kinds: Mapping[str, FileKind]) -> bool:
    """Tell whether a repository has more settings than code: charts, playbooks, manifests."""
    code = sum(kind is FileKind.SOURCE for kind in kinds.values())
    suffixes = (get_suffix(path) for path, kind in kinds.items() if kind is FileKind.DATA)
    return sum(suffix in _SETTINGS for suffix in suffixes) > 2 * code


def _find_titled(paths: list[str], query: InstructionQuery) -> set[str]:
    """Return those of PATHS whose stem is a word of the title, unless they are many."""
    words = {word.lower() for word in query.title_words}
    by_stem: dict[str, list[str]] = {}
    for path in paths:
        stem = path.rpartition("/")[2].lstrip(".").partition(".")[0].lower()
        if stem in words:
            by_stem.setdefault(stem, []).append(path)
    return {path for same in by_stem.values() if len(same) <= MAX_NAMESAKES for path in same}


def _find_mentioned(paths: list[str], query: InstructionQuery) -> set[str]:
    names = PathNames(paths)
    mentioned: set[str] = set()
    for mention in query.mentions:
        numbers, same = names.match(mention.path)
        if len(numbers) <= (1 if same == 1 else MAX_NAMESAKES):
            mentioned.update(paths[n] for n in numbers)
    return mentioned
