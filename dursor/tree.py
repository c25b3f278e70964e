"""Trees of files as git stores them, and changes on top of a tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import NamedTuple, Protocol, TypeAlias

FILE = "100644"
EXECUTABLE = "100755"
SYMLINK = "120000"
SUBMODULE = "160000"
NOT_FETCHED = 1 << 62  # the size of a blob that a partial clone lacks


class Entry(NamedTuple):
    """One path of a tree; `size` in bytes (0 for a submodule, or NOT_FETCHED)."""

    mode: str
    oid: str  # blob id in hex; "" when the content exists only in memory
    size: int


class FileState(NamedTuple):
    """The mode and the content of a path after a change."""

    mode: str
    data: bytes


# path -> new state, or None if the path is deleted
Changes: TypeAlias = Mapping[str, FileState | None]


class Tree(Protocol):
    """Reads the files of a tree. Paths are UTF-8, undecodable bytes are surrogates."""

    def entries(self) -> Mapping[str, Entry]:
        """Return every path in git's order."""
        ...

    def read(self, path: str) -> bytes:
        """Return the content of PATH (a symlink's target); KeyError if it is not in the tree."""
        ...

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """Return the contents of PATHS in one batch; KeyError as for `read`."""
        ...


@dataclass(frozen=True)
class Overlay:
    """A tree with changes on top of it."""

    base: Tree
    changes: Changes

    @cached_property
    def _entries(self) -> Mapping[str, Entry]:
        kept = ((p, e) for p, e in self.base.entries().items() if p not in self.changes)
        new = ((p, Entry(s.mode, "", len(s.data))) for p, s in self.changes.items() if s)
        return dict(chain(kept, new))

    def entries(self) -> Mapping[str, Entry]:
        return self._entries

    def read(self, path: str) -> bytes:
        if path not in self.changes:
            return self.base.read(path)
        state = self.changes[path]
        if state is None:
            raise KeyError(path)
        return state.data

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        wanted = list(paths)
        below = self.base.read_many([path for path in wanted if path not in self.changes])
        return {path: below[path] if path in below else self.read(path) for path in wanted}


def read_or_empty(tree: Tree, path: str) -> bytes:
    """Return the content of PATH in TREE, empty when TREE does not have it."""
    return tree.read(path) if path in tree.entries() else b""
