"""A file with the indexes in which hunks are looked up, and the results of a lookup."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from dursor.patch.placement import indent
from dursor.patch.placement.line_index import Key, LineIndex, exactly

if TYPE_CHECKING:
    from dursor.patch.edits import Hunk
    from dursor.patch.lines import FileText, Splice


@dataclass(frozen=True)
class Placement:
    """The one place of a hunk in a file."""

    hunk: Hunk  # as its rule read it
    splices: tuple[Splice, ...]
    rule: str  # for the log
    start: int
    stop: int
    is_repaired: bool = False  # the rule assumes that the hunk lost tags or context


@dataclass(frozen=True)
class Ambiguity:
    """Two places (from 0) between which a rule cannot choose."""

    places: tuple[int, ...]


PlacementResult: TypeAlias = Placement | Ambiguity | None


@dataclass
class IndexedFile:
    """A file's text and its indexes, each built on first use."""

    text: FileText
    _indexes: dict[Key, LineIndex] = field(default_factory=dict)

    @property
    def lines(self) -> tuple[str, ...]:
        """The file's lines."""
        return self.text.lines

    @cached_property
    def step(self) -> int:
        """The width of one level of indentation."""
        return indent.measure_step(self.lines)

    @cached_property
    def margin_characters(self) -> set[str]:
        """The characters that indent the file's lines."""
        return {line[0] for line in self.lines if line[:1] in {" ", "\t"} and line.strip()}

    def index(self, key: Key = exactly) -> LineIndex:
        if key not in self._indexes:
            self._indexes[key] = LineIndex(self.lines, key)
        return self._indexes[key]
