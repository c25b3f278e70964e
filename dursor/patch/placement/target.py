"""A file as hunks look for their places in it, and what they find."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from dursor.patch.placement import indent as margins
from dursor.patch.placement.line_index import Key, LineIndex, exactly

if TYPE_CHECKING:
    from dursor.patch.lines import FileText, Splice


@dataclass(frozen=True)
class Placement:
    """Where a hunk goes, and which rule says so."""

    splices: tuple[Splice, ...]
    rule: str
    start: int
    stop: int


@dataclass(frozen=True)
class Ambiguity:
    """Two places (from 0) that the rule cannot tell apart."""

    rule: str
    places: tuple[int, ...]


Outcome: TypeAlias = Placement | Ambiguity | None


@dataclass
class IndexedFile:
    """A file with its indexes."""

    text: FileText
    _indexes: dict[Key, LineIndex] = field(default_factory=dict)

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the file's lines."""
        return self.text.lines

    @cached_property
    def step(self) -> int:
        """Return how far apart levels of indentation are."""
        return margins.step(self.text.lines)

    @cached_property
    def signs(self) -> set[str]:
        """Return what lines are indented with."""
        return margins.signs(self.text.lines)

    def index(self, key: Key = exactly) -> LineIndex:
        """Return the index under KEY, built once."""
        if key not in self._indexes:
            self._indexes[key] = LineIndex(self.text.lines, key)
        return self._indexes[key]
