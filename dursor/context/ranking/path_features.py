"""Paths by their words and endings: what names a file, and what a name may mean."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dursor.context.text.languages import make_module_key
from dursor.context.text.tokenize import IDENTIFIER, extract_terms, idf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INDEX_NAMES = frozenset({"__init__", "index", "mod", "main", "lib", "__main__", "init"})


class PathFacts(NamedTuple):
    """A path taken apart."""

    stem: str  # the name without its ending; the folder's for an index file
    is_index: bool
    words: tuple[str, ...]  # terms of the stem
    around: tuple[str, ...]  # terms of the folders
    module: str  # its key as `imported` gives it
    depth: int


@lru_cache(maxsize=100_000)
def _words(name: str) -> tuple[str, ...]:
    found = (term for word in IDENTIFIER.findall(name) for term in extract_terms(word))
    return tuple(dict.fromkeys(term for term in found if len(term) > 2))


@lru_cache(maxsize=50_000)
def _around(folder: str) -> tuple[str, ...]:
    found = (term for step in folder.split("/") for term in _words(step))
    return tuple(dict.fromkeys(found))


def parse_path(path: str) -> PathFacts:
    """Take PATH apart."""
    folder, _, name = path.rpartition("/")
    stem = name.partition(".")[0] or name
    steps = folder.split("/") if folder else []
    is_index = stem.lower() in INDEX_NAMES
    if is_index and steps:
        stem, module = steps[-1], make_module_key(steps)
        folder = folder.rpartition("/")[0]
    else:
        module = make_module_key([*steps, stem])
    return PathFacts(stem, is_index, _words(stem), _around(folder), module, len(steps))


class PathNames:
    """PATHS by what they may be called, and how telling the words in them are."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths
        self._meant: dict[str, tuple[list[int], int]] = {}

    @cached_property
    def facts(self) -> list[PathFacts]:
        """Every path taken apart."""
        return [parse_path(path) for path in self.paths]

    @cached_property
    def _lowered(self) -> list[str]:
        return [f"/{path.lower()}" for path in self.paths]

    @cached_property
    def _by_name(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for n, path in enumerate(self.paths):
            found[path.rpartition("/")[2].lower()].append(n)
        return found

    @cached_property
    def by_module(self) -> Mapping[str, list[int]]:
        """The paths of each module key, and of its last step alone."""
        found: dict[str, list[int]] = defaultdict(list)
        for n, fact in enumerate(self.facts):
            found[fact.module].append(n)
            if "/" in fact.module:
                found[fact.module.rpartition("/")[2]].append(n)
        return found

    @cached_property
    def idf(self) -> Mapping[str, float]:
        """How telling a word is among the words of paths."""
        counts = Counter(term for fact in self.facts for term in {*fact.words, *fact.around})
        total = len(self.paths)
        return {term: idf(total, n) for term, n in counts.items()}

    def named(self, path: str) -> tuple[list[int], int]:
        """Return which paths PATH may mean, and how many of their last steps are the same."""
        path = path.lower().strip("/")
        if path not in self._meant:
            self._meant[path] = self._narrowed(path.split("/"))
        return self._meant[path]

    def _narrowed(self, steps: Sequence[str]) -> tuple[list[int], int]:
        found = self._by_name.get(steps[-1], [])
        same = min(len(found), 1)
        while found and same < len(steps):
            end = "/" + "/".join(steps[-same - 1 :])
            longer = [n for n in found if self._lowered[n].endswith(end)]
            if not longer:
                break
            found, same = longer, same + 1
        return found, same

    def modules(self, chain: Sequence[str]) -> tuple[list[int], int]:
        """Return the modules that a dotted name leads into, and how many of its steps are paths."""
        for last in range(len(chain), 1, -1):
            found = self.by_module.get(f"{chain[last - 2]}/{chain[last - 1]}", ())
            kept = [n for n in found if self._leads_to(n, chain[:last])]
            if kept:
                return kept, last
        return [], 0

    def _leads_to(self, n: int, steps: Sequence[str]) -> bool:
        fact, path = self.facts[n], self.paths[n]
        whole = path.rpartition("/")[0].split("/")
        if not fact.is_index:
            whole.append(fact.stem)
        return _same_end([s.lower() for s in steps], [w.lower() for w in whole]) >= min(
            len(steps), 2 if len(steps) < 3 else 3
        )


def _same_end(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count
