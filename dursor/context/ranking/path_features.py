"""Paths by their words and suffixes, and the paths that a name can refer to."""

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
    """The parts of a path."""

    stem: str  # the name without its suffix; for an index file, the folder's name
    is_index: bool
    words: tuple[str, ...]  # terms of the stem
    folder_words: tuple[str, ...]
    module: str  # its key, as in `find_imports`
    depth: int


@lru_cache(maxsize=100_000)
def _extract_terms(name: str) -> tuple[str, ...]:
    terms = (term for word in IDENTIFIER.findall(name) for term in extract_terms(word))
    return tuple(dict.fromkeys(term for term in terms if len(term) > 2))


@lru_cache(maxsize=50_000)
def _extract_folder_terms(folder: str) -> tuple[str, ...]:
    terms = (term for step in folder.split("/") for term in _extract_terms(step))
    return tuple(dict.fromkeys(terms))


def parse_path(path: str) -> PathFacts:
    """Split PATH into its parts."""
    folder, _, name = path.rpartition("/")
    stem = name.partition(".")[0] or name
    steps = folder.split("/") if folder else []
    is_index = stem.lower() in INDEX_NAMES
    if is_index and steps:
        stem, module = steps[-1], make_module_key(steps)
        folder = folder.rpartition("/")[0]
    else:
        module = make_module_key([*steps, stem])
    words, folder_words = _extract_terms(stem), _extract_folder_terms(folder)
    return PathFacts(stem, is_index, words, folder_words, module, len(steps))


class PathNames:
    """PATHS by their possible names, and the idf of words in them."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths
        self._matches: dict[str, tuple[list[int], int]] = {}

    @cached_property
    def facts(self) -> list[PathFacts]:
        return [parse_path(path) for path in self.paths]

    @cached_property
    def _lowered(self) -> list[str]:
        return [f"/{path.lower()}" for path in self.paths]

    @cached_property
    def _by_name(self) -> Mapping[str, list[int]]:
        numbers: dict[str, list[int]] = defaultdict(list)
        for n, path in enumerate(self.paths):
            numbers[path.rpartition("/")[2].lower()].append(n)
        return numbers

    @cached_property
    def _by_module(self) -> Mapping[str, list[int]]:
        """The paths of each module key, and of its last step alone."""
        numbers: dict[str, list[int]] = defaultdict(list)
        for n, fact in enumerate(self.facts):
            numbers[fact.module].append(n)
            if "/" in fact.module:
                numbers[fact.module.rpartition("/")[2]].append(n)
        return numbers

    @cached_property
    def idf(self) -> Mapping[str, float]:
        """The inverse document frequency of the words of all paths."""
        counts = Counter(term for fact in self.facts for term in {*fact.words, *fact.folder_words})
        return {term: idf(len(self.paths), n) for term, n in counts.items()}

    def match(self, path: str) -> tuple[list[int], int]:
        """Return the paths that PATH can refer to, and the number of last steps they share."""
        path = path.lower().strip("/")
        if path not in self._matches:
            self._matches[path] = self._match_steps(path.split("/"))
        return self._matches[path]

    def _match_steps(self, steps: Sequence[str]) -> tuple[list[int], int]:
        numbers = self._by_name.get(steps[-1], [])
        same = min(len(numbers), 1)
        while numbers and same < len(steps):
            end = "/" + "/".join(steps[-same - 1 :])
            longer = [n for n in numbers if self._lowered[n].endswith(end)]
            if not longer:
                break
            numbers, same = longer, same + 1
        return numbers, same

    def match_modules(self, chain: Sequence[str]) -> tuple[list[int], int]:
        """Return the modules in a dotted name, and the number of its steps that are a path."""
        for last in range(len(chain), 1, -1):
            known = self._by_module.get(f"{chain[last - 2]}/{chain[last - 1]}", ())
            numbers = [n for n in known if self._is_module(n, chain[:last])]
            if numbers:
                return numbers, last
        return [], 0

    def _is_module(self, n: int, steps: Sequence[str]) -> bool:
        """Tell whether the last two or three STEPS lead to path N."""
        path = self.paths[n].lower().rpartition("/")[0].split("/")
        if not self.facts[n].is_index:
            path.append(self.facts[n].stem.lower())
        count = min(len(steps), 2 if len(steps) < 3 else 3)
        return path[-count:] == [step.lower() for step in steps[-count:]]
