"""A tree of files as git sees it, read from a commit or from one with changes laid over it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

FILE = "100644"
EXECUTABLE = "100755"
SYMLINK = "120000"
SUBMODULE = "160000"


NOT_FETCHED = 1 << 62  # the size of what a partial clone left where it came from: never to be read


class Entry(NamedTuple):
    """One path of a tree; `size` in bytes (0 for a submodule, or NOT_FETCHED)."""

    mode: str
    oid: str  # blob id in hex; "" when the content exists only in memory
    size: int


class FileState(NamedTuple):
    """What a path holds after a change."""

    mode: str
    data: bytes


# path -> new state, or None when the path is deleted
Changes: TypeAlias = Mapping[str, FileState | None]


class Tree(Protocol):
    """Read access to every file of one tree. Paths are UTF-8, undecodable bytes as surrogates."""

    def entries(self) -> Mapping[str, Entry]:
        """Every path, in git's order."""
        ...

    def read(self, path: str) -> bytes:
        """The content of PATH (a symlink's is its target); KeyError when it is not in the tree."""
        ...

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The contents of PATHS, faster than one by one; KeyError as `read`."""
        ...


@dataclass(frozen=True)
class Overlay:
    """A tree with changes laid over it."""

    base: Tree
    changes: Changes
    _cache: dict[str, Mapping[str, Entry]] = field(default_factory=dict, repr=False, compare=False)

    def entries(self) -> Mapping[str, Entry]:
        """Every path of the resulting tree."""
        if "entries" not in self._cache:
            self._cache["entries"] = dict(self._merged())
        return self._cache["entries"]

    def _merged(self) -> Iterator[tuple[str, Entry]]:
        for path, entry in self.base.entries().items():
            if path not in self.changes:
                yield path, entry
        for path, state in self.changes.items():
            if state is not None:
                yield path, Entry(state.mode, "", len(state.data))

    def read(self, path: str) -> bytes:
        """The content of PATH, changed or not."""
        if path not in self.changes:
            return self.base.read(path)
        state = self.changes[path]
        if state is None:
            raise KeyError(path)
        return state.data

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The contents of PATHS, changed or not."""
        wanted = list(paths)
        below = self.base.read_many([path for path in wanted if path not in self.changes])
        return {path: below[path] if path in below else self.read(path) for path in wanted}
