"""A tree of files held in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dursor.tree import Entry, FileState


@dataclass(frozen=True)
class MemoryTree:
    """A tree held in memory."""

    files: Mapping[str, FileState]

    def entries(self) -> Mapping[str, Entry]:
        """Every path."""
        return {p: Entry(f.mode, "", len(f.data)) for p, f in self.files.items()}

    def read(self, path: str) -> bytes:
        """The content of PATH."""
        return self.files[path].data

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The contents of PATHS."""
        return {path: self.read(path) for path in paths}
