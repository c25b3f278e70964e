"""A file with the indexes in which hunks are looked up, and the results of a lookup."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from dursor.patch.placement import indent
from dursor.patch.placement.line_index import Key, LineIndex, exactly, without_indent

if TYPE_CHECKING:
    from dursor.patch.edits import Hunk
    from dursor.patch.lines import FileText, Splice

_MAX_SEARCHES = 200  # of a whole file, for the beginnings of lines


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
    _searches: int = 0

    @property
    def lines(self) -> tuple[str, ...]:
        """The file's lines."""
        return self.text.lines

    @cached_property
    def step(self) -> int:
        """The width of one level of indentation."""
        return indent.measure_step(self.lines)

    def has_margin(self, char: str) -> bool:
        """Return whether CHAR indents some line."""
        return any(line.startswith(char) and line.strip() for line in self.lines)

    def find_anchor(self, anchor: str, max_: int) -> list[int]:
        """Return the lines with the text ANCHOR, or else those that begin with it as a name."""
        places = self.index(without_indent).places(anchor, max_)
        if places or self._searches >= _MAX_SEARCHES:
            return places
        self._searches += 1
        name = re.compile(rf"\s*{re.escape(anchor)}(?!\w)")
        return [place for place, line in enumerate(self.lines) if name.match(line)]

    def index(self, key: Key = exactly) -> LineIndex:
        if key not in self._indexes:
            self._indexes[key] = LineIndex(self.lines, key)
        return self._indexes[key]
