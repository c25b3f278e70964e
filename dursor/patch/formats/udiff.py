"""Unified diffs as models write them: with git's header or bare, one section per file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dursor.patch.edits import Action, FileEdit
from dursor.patch.formats.hunks import ends_fence, is_lone_name, is_move, is_section, read_hunks
from dursor.patch.names import (
    DEV_NULL,
    is_prefixed,
    parse_git_names,
    parse_header_name,
    strip_prefix,
    unquote,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.patch.edits import Hunk
    from dursor.patch.formats.fences import Fence

_EXTENDED = re.compile(
    r"(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to|"
    r"similarity index|dissimilarity index|index) "
)
_TRAILING = 20  # blank lines that may end a reply
_BINARY = re.compile(r"GIT binary patch$|Binary files .* differ$")


@dataclass
class _Header:
    old: str | None = None
    new: str | None = None
    git: tuple[str, str] | None = None
    fields: dict[str, str] = field(default_factory=dict)
    binary: bool = False

    def get_pair(self, kind: str) -> tuple[str, str] | None:
        old, new = self.fields.get(f"{kind} from"), self.fields.get(f"{kind} to")
        return (unquote(old), unquote(new)) if old and new else None

    def read_line(self, line: str) -> bool:
        """Read LINE if it can belong to this header."""
        if line.startswith("diff --git "):
            if self.git or self.old is not None:
                return False
            self.git = parse_git_names(line[11:].strip())
        elif line.startswith("--- ") and self.old is None and self.new is None:
            name = parse_header_name(line[4:])
            self.old = name if self.may_name(name) else None
            return self.old is not None
        elif line.startswith("+++ ") and self.new is None:
            self.new = parse_header_name(line[4:])
        elif self.new is None and (match := _EXTENDED.match(line)):
            if match[1] in self.fields:
                return False
            self.fields[match[1]] = line[match.end() :].strip()
        elif _BINARY.match(line):
            self.binary = True
        else:
            return False
        return True

    def may_name(self, name: str) -> bool:
        """Return whether git's line, if there is one, has NAME."""
        if self.git is None or name == DEV_NULL:
            return True
        known = {*self.git, *(self.get_pair("rename") or ()), *(self.get_pair("copy") or ())}
        return strip_prefix(name) in {strip_prefix(other) for other in known}

    def is_open(self, fence: Fence | None) -> bool:
        """Return whether more must follow where the reply ends here."""
        if self.binary:
            return False
        if self.new == DEV_NULL:
            return fence is not None
        if self.new is not None or self.old is not None:
            return True
        if self.fields.get("similarity index", "100%") != "100%":
            return True
        complete = ("new file mode", "deleted file mode", "new mode", "rename to", "copy to")
        return not any(name in self.fields for name in complete)

    def is_hollow(self) -> bool:
        """Return whether the header requires hunks."""
        if self.binary or self.new == DEV_NULL:
            return False
        return self.old is not None or self.new is not None or not self.fields.keys() - {"index"}

    def contradicts_itself(self) -> bool:
        """Return whether git's line and the lines of a rename name different files."""
        pair = self.get_pair("rename") or self.get_pair("copy")
        if pair is None or self.git is None:
            return False
        return any(
            not {git, strip_prefix(git)} & {name, strip_prefix(name)}
            for git, name in zip(self.git, pair, strict=True)
        )

    def find_names(self) -> tuple[str, str] | None:
        """Return the old and the new name, as written."""
        if pair := self.get_pair("rename") or self.get_pair("copy"):
            return pair
        old, new = self.old or self.new, self.new or self.old
        return self.git if not old or not new or old == new == DEV_NULL else (old, new)


def starts(lines: Sequence[str], row: int) -> bool:
    """Return whether the diff of a file begins at ROW."""
    line = lines[row]
    if line.startswith("diff --git ") or is_move(lines, row) or is_lone_name(lines, row):
        return True
    if not line.startswith(("--- ", "+++ ")):
        return False
    after = lines[row + 1] if row + 1 < len(lines) else ""
    return after.startswith("@@" if line.startswith("+++ ") else ("+++ ", "@@"))


def parse(
    lines: Sequence[str], row: int, fence: Fence | None, *, open_end: bool
) -> tuple[FileEdit | None, int]:
    """Read the section that begins at ROW; return it and the index after it."""
    header = _Header()
    while row < len(lines) and header.read_line(lines[row]):
        row += 1
    hunks, row, cut = read_hunks(lines, row, fence, open_end=open_end)
    if not hunks and not "".join(lines[row : row + 1]).strip():
        ends = row + _TRAILING >= len(lines) and not any(map(str.strip, lines[row:]))
        cut = ends and (header.is_open(fence) or header.contradicts_itself())
    if header.binary:
        while row < len(lines) and not is_section(lines, row) and not ends_fence(lines[row], fence):
            row += 1
    return _build_edit(header, hunks, cut=cut), row


def _build_edit(header: _Header, hunks: Sequence[Hunk], *, cut: bool) -> FileEdit | None:
    names, fields = header.find_names(), header.fields
    if names is None or header.contradicts_itself():
        is_edit = bool(hunks) or cut or header.contradicts_itself()
        return FileEdit(Action.MODIFY, "", hunks=tuple(hunks), is_cut=cut) if is_edit else None
    old, new = names
    moved = header.get_pair("rename") or header.get_pair("copy")
    prefixed = not moved and is_prefixed(old, new)
    same = old == new or (prefixed and strip_prefix(old) == strip_prefix(new))
    action = Action.MODIFY
    if old == DEV_NULL or "new file mode" in fields:
        action, old = Action.ADD, new
    elif new == DEV_NULL or "deleted file mode" in fields:
        action = Action.DELETE
    return FileEdit(
        action,
        old,
        None if same or action is not Action.MODIFY else new,
        renames=header.get_pair("rename") is not None or header.git == names,
        copies=header.get_pair("copy") is not None,
        hunks=tuple(hunks),
        new_mode=fields.get("new mode") or fields.get("new file mode"),
        prefixed=prefixed,
        has_git_header=header.git is not None,
        is_binary=header.binary,
        is_cut=cut,
        is_hollow=not hunks and header.is_hollow(),
    )
