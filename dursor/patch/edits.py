"""The edits of a reply, whatever format they are written in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple


class Line(NamedTuple):
    """One line of a hunk: tag (' ', '-', '+') and text; `bare` when the reply had no tag."""

    tag: str
    text: str
    bare: bool = False


class Origin(StrEnum):
    """The format of a hunk."""

    DIFF = "diff"
    BLOCK = "search/replace"
    ENVELOPE = "envelope"


@dataclass(frozen=True)
class Hunk:
    """One place to change: its lines and the claims of its header."""

    lines: tuple[Line, ...]
    source: str  # as the model wrote it, at most a screenful, for messages
    origin: Origin = Origin.DIFF
    start: int | None = None  # number of the first old line, from 1
    old_count: int | None = None
    new_count: int | None = None
    is_counted: bool = False  # the header counts the old lines right
    tail: tuple[str, ...] = ()  # untagged lines below: prose, or context that lost its tags
    anchors: tuple[str, ...] = ()  # an envelope's `@@ text` lines, somewhere above the place
    at_end: bool = False  # an envelope's `*** End of File`
    ends_mid_line: bool = False  # the reply ends in its last line, and its header claims more
    old_open: bool = False  # `\ No newline at end of file` on the old side
    new_open: bool = False  # and on the new side
    other_readings: tuple[Hunk, ...] = ()  # of the same text; at most one is meant
    times: int = 1  # how often one passage of the reply repeats it

    @cached_property
    def old(self) -> list[str]:
        return [line.text for line in self.lines if line.tag != "+"]

    @cached_property
    def new(self) -> list[str]:
        return [line.text for line in self.lines if line.tag != "-"]

    @cached_property
    def core(self) -> tuple[tuple[str, str], ...]:
        """Tags and texts of the lines, without blank ones at the edges."""
        lines = [line[:2] for line in self.lines]
        while lines and lines[0][0] == " " and not lines[0][1].strip():
            lines.pop(0)
        while lines and lines[-1][0] == " " and not lines[-1][1].strip():
            lines.pop()
        return tuple(lines)

    @property
    def changes(self) -> bool:
        """Whether the two sides differ."""
        return self.old != self.new or self.old_open != self.new_open


class Action(StrEnum):
    """The effect of an edit on its file."""

    MODIFY = "modify"
    ADD = "add"
    DELETE = "delete"
    WRITE = "write"  # the edit holds the whole new text


@dataclass(frozen=True)
class FileEdit:
    """One section of a reply about one file; paths as written, unquoted."""

    action: Action
    path: str  # the old one, where there are two
    new_path: str | None = None  # when the section names another path
    renames: bool = False  # the section has rename lines
    copies: bool = False
    hunks: tuple[Hunk, ...] = ()
    new_mode: str | None = None
    prefixed: bool = False  # both names carry one-letter prefixes such as a/ and b/
    has_git_header: bool = False
    is_binary: bool = False
    lines: tuple[str, ...] = ()  # WRITE: the whole text
    mentions: tuple[str, ...] = ()  # paths in the prose above a block that inherits its path
    is_cut: bool = False  # the reply visibly ends inside it
    is_hollow: bool = False  # it has no hunk where one is required
    passage: int = 0  # increases with each piece of prose between edits
    revision: int = 0  # increases where the prose withdraws the edits before it


@dataclass(frozen=True)
class ParsedReply:
    """The edits of a reply in order, and the prose around them."""

    edits: tuple[FileEdit, ...]
    prose: tuple[str, ...] = ()
    doubt: str | None = None  # why the prose leaves open which edits are meant
