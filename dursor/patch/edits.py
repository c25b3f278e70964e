"""What a reply asks for, whatever format it is written in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
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
    source: str  # as the model wrote it, at most a screenful, for messages
    origin: Origin = Origin.DIFF
    start: int | None = None  # the first old line's number, from 1
    old_count: int | None = None
    new_count: int | None = None
    is_counted: bool = False  # the header counts the old lines right
    tail: tuple[str, ...] = ()  # untagged lines after it: prose, or context that lost its tags
    anchors: tuple[str, ...] = ()  # an envelope's `@@ text` lines: they stand above the place
    at_end: bool = False  # an envelope's `*** End of File`
    ends_mid_line: bool = False  # the reply ends within its last line, and its header claims more
    old_open: bool = False  # `\ No newline at end of file` on the old side
    new_open: bool = False  # and on the new side
    others: tuple[Hunk, ...] = ()  # other readings of the same text; at most one can be meant
    times: int = 1  # how often the reply says just this, in one breath

    @cached_property
    def old(self) -> list[str]:
        """Return the lines that must be there."""
        return [line.text for line in self.lines if line.tag != "+"]

    @cached_property
    def new(self) -> list[str]:
        """Return the lines that will be there."""
        return [line.text for line in self.lines if line.tag != "-"]

    @cached_property
    def said(self) -> tuple[tuple[str, str], ...]:
        """Return the tags and texts of its lines, less blank ones at the edges."""
        lines = [(line.tag, line.text) for line in self.lines]
        while lines and lines[0][0] == " " and not lines[0][1].strip():
            lines.pop(0)
        while lines and lines[-1][0] == " " and not lines[-1][1].strip():
            lines.pop()
        return tuple(lines)

    @property
    def changes(self) -> bool:
        """Whether it changes anything at all."""
        return self.old != self.new or self.old_open != self.new_open


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
    new_path: str | None = None  # where it goes, when the section names another path
    renames: bool = False  # the section says so, in words or in git's header
    copies: bool = False
    hunks: tuple[Hunk, ...] = ()
    new_mode: str | None = None
    prefixed: bool = False  # both names carry one-letter prefixes such as a/ and b/
    certain: bool = False  # git's own header says how the names are written
    binary: bool = False
    lines: tuple[str, ...] = ()  # WRITE: the whole text
    mentions: tuple[str, ...] = ()  # names in the words above, where none of them is `path`
    cut: bool = False  # the reply ends inside it, and it shows
    hollow: bool = False  # it has no hunk where there must be one: no @@ line, or nothing at all
    breath: int = 0  # rises with each piece of prose between edits
    attempt: int = 0  # rises where the prose takes back what was before


@dataclass(frozen=True)
class ParsedReply:
    """What a reply holds: edits in order, and the prose around them."""

    edits: tuple[FileEdit, ...]
    prose: tuple[str, ...] = ()
    doubt: str | None = None  # why the prose leaves open what of it is meant
