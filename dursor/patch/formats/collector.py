"""The edits of a reply as they are read, with the prose between them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dursor.patch.edits import FileEdit, ParsedReply
from dursor.patch.formats import prose_cues, whole
from dursor.patch.formats.choices import Passage, find_choice
from dursor.patch.formats.tagged import is_lone

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass
class EditCollector:
    """Collects edits into passages, and the reasons to doubt that all of them are meant."""

    edits: list[FileEdit] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    since: list[str] = field(default_factory=list)  # prose since the last edit
    names: list[str] = field(default_factory=list)  # of files, since the last edit
    consumed: list[tuple[int, int]] = field(default_factory=list)  # lines of edits and reasoning
    doubt: str | None = None
    _passages: list[Passage] = field(default_factory=list)
    _revision: int = 0

    def add(self, edits: Iterable[FileEdit]) -> None:
        """Add EDITS, which have no prose between them."""
        self.doubt = self.doubt or prose_cues.find_doubt(self.since, is_first=not self.edits)
        if self.since and self.edits:
            self._revision += prose_cues.takes_back(self.since)
        if self.since or not self._passages:
            self._passages.append(Passage(self.since, self.names, self._revision))
        self.since, self.names = [], []
        number = len(self._passages) - 1
        new = [replace(x, passage=number, revision=self._revision) for x in edits]
        self._passages[-1].edits += new
        self.edits += new

    def add_prose(self, line: str) -> None:
        """Add a line of prose; paths and tags alone on a line begin no passage."""
        self.prose.append(line)
        if whole.parse_path_line(line):
            self.names.append(line)
        elif line.strip() and not is_lone(line):
            self.since.append(line)

    def is_consumed(self, row: int) -> bool:
        """Return whether line ROW belongs to an edit or to reasoning."""
        rank = bisect_right(self.consumed, row, key=lambda span: span[1])
        return rank < len(self.consumed) and self.consumed[rank][0] <= row

    def finish(self) -> ParsedReply:
        """Return what was collected, with the first reason for doubt."""
        if self.edits and prose_cues.withdraws(self.since):
            self.doubt = self.doubt or "the reply withdraws its last patch"
        if not any(x.is_cut or x.is_hollow or not x.path for x in self.edits):
            self.doubt = self.doubt or find_choice(self._passages)
        return ParsedReply(tuple(self.edits), tuple(self.prose), self.doubt)
