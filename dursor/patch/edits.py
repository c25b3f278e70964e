"""What a reply asks for, whatever format it is written in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Line(NamedTuple):
    """One line of a hunk: its tag (' ', '-', '+') and text; `bare` when it stood without a tag."""

    tag: str
    text: str
    bare: bool = False


class Origin(StrEnum):
    """The format a hunk was written in."""

    DIFF = "diff"
    BLOCK = "search/replace"
    ENVELOPE = "envelope"


@dataclass(frozen=True)
class Hunk:
    """One place to change: its lines, and what its header claims."""

    lines: tuple[Line, ...]
    source: str  # as the model wrote it, for messages
    origin: Origin = Origin.DIFF
    start: int | None = None  # the first old line's number, from 1
    old_count: int | None = None
    new_count: int | None = None
    anchor: str | None = None  # an envelope's `@@ text`: a line above the place
    at_end: bool = False  # an envelope's `*** End of File`
    old_open: bool = False  # `\ No newline at end of file` on the old side
    new_open: bool = False  # and on the new side

    def old(self) -> list[str]:
        """The lines that must be there."""
        return [line.text for line in self.lines if line.tag != "+"]

    def new(self) -> list[str]:
        """The lines that will be there."""
        return [line.text for line in self.lines if line.tag != "-"]

    @property
    def changes(self) -> bool:
        """Whether it changes anything at all."""
        return self.old() != self.new() or self.old_open != self.new_open


class Action(StrEnum):
    """What happens to the file."""

    MODIFY = "modify"
    ADD = "add"
    DELETE = "delete"
    WRITE = "write"  # the whole new text is given


@dataclass(frozen=True)
class FileEdit:
    """Everything one section of a reply says about one file; paths as written, unquoted."""

    action: Action
    path: str  # the old one, where there are two
    new_path: str | None = None  # where it goes, when the section says so
    renames: bool = False  # the section says `rename`, or names both sides in git's header
    copies: bool = False
    hunks: tuple[Hunk, ...] = ()
    old_mode: str | None = None
    new_mode: str | None = None
    prefixed: bool = False  # both names carry one-letter prefixes such as a/ and b/
    binary: bool = False
    whole: tuple[str, ...] = ()  # WRITE: the lines
    final_newline: bool = True
    attempt: int = 0  # which attempt of the reply it belongs to
    cut: bool = False  # the reply ends inside it and it shows


@dataclass(frozen=True)
class Extract:
    """What a reply holds: edits in order, and the prose around them."""

    edits: tuple[FileEdit, ...]
    prose: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())
