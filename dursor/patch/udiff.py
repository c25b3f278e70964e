"""Unified diffs as models write them: git's or bare, with wrong counts, lost spaces, no headers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dursor.patch.edits import Action, FileEdit, Hunk, Line
from dursor.patch.names import DEV_NULL, bare, git_names, header_name, is_prefixed, unquote

if TYPE_CHECKING:
    from collections.abc import Sequence

HUNK = re.compile(r"@@+ *-(\d+)(?:,(\d+))? +\+(\d+)(?:,(\d+))?")
_EXTENDED = re.compile(
    r"(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to|"
    r"similarity index|dissimilarity index|index|rename old|rename new) "
)
_BINARY = re.compile(r"GIT binary patch$|Binary files .* differ$")
_STOP = re.compile(r"diff --git |Index: |\*\*\* (?:Begin|End|Update|Add|Delete) |<{5,9} SEARCH")


@dataclass(frozen=True)
class Fence:
    """The code fence that the lines stand in."""

    mark: str  # "`" or "~"
    width: int
    indent: int = 0

    def is_closed_by(self, line: str) -> bool:
        """Whether LINE ends it."""
        text = line.strip()
        return (
            len(text) >= self.width
            and not text.strip(self.mark)
            and len(line) - len(line.lstrip(" ")) <= self.indent
        )


def starts(lines: Sequence[str], at: int) -> bool:
    """Whether a diff of some file begins at this line."""
    line = lines[at]
    if line.startswith("diff --git "):
        return True
    if not line.startswith(("--- ", "+++ ")):
        return False
    after = lines[at + 1] if at + 1 < len(lines) else ""
    if line.startswith("+++ "):
        return after.startswith("@@")
    return after.startswith(("+++ ", "@@"))


def _is_section(lines: Sequence[str], at: int) -> bool:
    """Whether a new section begins here, seen from inside a hunk: only a whole header counts."""
    line = lines[at]
    if _STOP.match(line):
        return True
    if not line.startswith("--- ") or at + 1 >= len(lines):
        return False
    if not lines[at + 1].startswith("+++ "):
        return False
    return at + 2 >= len(lines) or lines[at + 2].startswith("@@") or not lines[at + 2].strip()


@dataclass
class _Header:
    old: str | None = None
    new: str | None = None
    git: tuple[str, str] | None = None
    said: dict[str, str] = field(default_factory=dict)
    binary: bool = False


def parse(
    lines: Sequence[str], at: int, fence: Fence | None, *, open_end: bool
) -> tuple[FileEdit | None, int]:
    """The section that begins at AT, and the index of the line after it."""
    header = _Header()
    at = _read_header(lines, at, header)
    hunks, at, cut = read_hunks(lines, at, fence, open_end=open_end)
    if header.binary:
        while at < len(lines) and not _is_section(lines, at) and not _ends(lines[at], fence):
            at += 1
    edit = _edit(header, hunks)
    return (replace(edit, cut=cut) if edit else None), at


def _ends(line: str, fence: Fence | None) -> bool:
    if fence is not None:
        return fence.is_closed_by(line)
    return line.startswith(("```", "~~~"))


def _read_header(lines: Sequence[str], at: int, header: _Header) -> int:
    """Read names and extended lines; the first hunk or foreign line ends them."""
    while at < len(lines):
        line = lines[at]
        if line.startswith("diff --git "):
            if header.git or header.old is not None:
                break
            header.git = git_names(line[11:].strip())
        elif line.startswith("--- ") and header.old is None and header.new is None:
            header.old = header_name(line[4:])
        elif line.startswith("+++ ") and header.new is None:
            header.new = header_name(line[4:])
        elif header.new is None and (match := _EXTENDED.match(line)):
            header.said[match[1]] = line[match.end() :].strip()
        elif _BINARY.match(line):
            header.binary = True
        else:
            break
        at += 1
    return at


def _edit(header: _Header, hunks: list[Hunk]) -> FileEdit | None:
    said = header.said
    names = _names(header)
    if names is None:
        return None
    old, new = names
    renamed = said.get("rename from") is not None and said.get("rename to") is not None
    copied = said.get("copy from") is not None and said.get("copy to") is not None
    prefixed = not (renamed or copied) and is_prefixed(old, new)
    same = old == new or (prefixed and bare(old) == bare(new))
    action = Action.MODIFY
    if old == DEV_NULL or "new file mode" in said:
        action, old = Action.ADD, new
    elif new == DEV_NULL or "deleted file mode" in said:
        action, new = Action.DELETE, old
    return FileEdit(
        action,
        old,
        None if same or action is not Action.MODIFY else new,
        renames=renamed or (header.git is not None and header.old is None),
        copies=copied,
        hunks=tuple(hunks),
        old_mode=said.get("old mode") or said.get("deleted file mode"),
        new_mode=said.get("new mode") or said.get("new file mode"),
        prefixed=prefixed,
        binary=header.binary,
    )


def _names(header: _Header) -> tuple[str, str] | None:
    said = header.said
    for kind in ("rename", "copy"):
        if f"{kind} from" in said and f"{kind} to" in said:
            return unquote(said[f"{kind} from"]), unquote(said[f"{kind} to"])
    old, new = header.old, header.new
    if old is None and new is None:
        return header.git
    if old is None or new is None:
        name = old if old is not None else new
        return (name, name) if name is not None and name != DEV_NULL else header.git
    return (old, new) if (old, new) != (DEV_NULL, DEV_NULL) else header.git


def read_hunks(
    lines: Sequence[str], at: int, fence: Fence | None, *, open_end: bool
) -> tuple[list[Hunk], int, bool]:
    """The hunks from AT on, the index after them, and whether the reply breaks off inside."""
    hunks: list[Hunk] = []
    cut = False
    while at < len(lines):
        if not lines[at].strip() and _next_is_hunk(lines, at):
            at += 1
            continue
        if not lines[at].startswith("@@"):
            break
        hunk, at = _read_hunk(lines, at, fence)
        cut = at >= len(lines) and open_end and _breaks_off(hunk)
        hunks.append(hunk)
    return hunks, at, cut


def _next_is_hunk(lines: Sequence[str], at: int) -> bool:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at < len(lines) and lines[at].startswith("@@")


def _breaks_off(hunk: Hunk) -> bool:
    """Whether the last hunk of a reply that ends within a line shows that more was to come.

    Its header claims more lines than there are, and what is missing is no mere slip in counting
    context: it stops on a change, or lacks at least three added lines net.
    """
    old, new = len(hunk.old()), len(hunk.new())
    missing_old = (hunk.old_count or 0) - old
    missing_new = (hunk.new_count or 0) - new
    if max(missing_old, missing_new) <= 0 or not hunk.lines:
        return False
    return hunk.lines[-1].tag != " " or missing_new - missing_old >= 3


def _read_hunk(lines: Sequence[str], at: int, fence: Fence | None) -> tuple[Hunk, int]:
    first = lines[at]
    match = HUNK.match(first)
    start = old_count = new_count = None
    if match:
        start = int(match[1])
        old_count = int(match[2]) if match[2] is not None else 1
        new_count = int(match[4]) if match[4] is not None else 1
    begin = at + 1
    end = _counted_end(lines, begin, fence, old_count, new_count) if match else None
    if end is None:
        end = _loose_end(lines, begin, fence)
    body, old_open, new_open = _body(lines[begin:end])
    source = "\n".join(lines[at : min(end, at + 60)])
    hunk = Hunk(
        body, source, start=start, old_count=old_count, new_count=new_count,
        old_open=old_open, new_open=new_open,
    )  # fmt: skip
    return hunk, end


def _counted_end(
    lines: Sequence[str], at: int, fence: Fence | None, old: int | None, new: int | None
) -> int | None:
    """Where the body ends by the header's counts, if they fit and nothing is left over."""
    if old is None or new is None:
        return None
    while (old > 0 or new > 0) and at < len(lines):
        tag = lines[at][:1]
        if tag in {" ", ""}:
            old, new = old - 1, new - 1
        elif tag == "-":
            old -= 1
        elif tag == "+":
            new -= 1
        elif tag != "\\":
            return None
        at += 1
    if old != 0 or new != 0:
        return None
    if at < len(lines) and lines[at].startswith("\\"):
        at += 1
    return at if _is_boundary(lines, at, fence) else None


def _is_boundary(lines: Sequence[str], at: int, fence: Fence | None) -> bool:
    """Whether a hunk may end here: nothing that looks like more of it follows."""
    blank = False
    while at < len(lines) and not lines[at].strip():
        blank = True
        at += 1
    if at >= len(lines) or _ends(lines[at], fence) or lines[at].startswith("@@"):
        return True
    if _is_section(lines, at):
        return True
    tag = lines[at][:1]
    return fence is None and (tag not in {" ", "+", "-", "\\"} or (blank and tag == "-"))


def _loose_end(lines: Sequence[str], at: int, fence: Fence | None) -> int:
    """Where the body ends by what its lines look like.

    Outside of a fence, lines without a tag after the last change may be prose: they are, unless
    another hunk of the file follows.
    """
    last_change = at - 1
    first_bare = None
    while at < len(lines):
        line = lines[at]
        if line.startswith("@@"):
            return at
        if _ends(line, fence) or _is_section(lines, at):
            break
        tag = line[:1]
        if tag in {"+", "-"}:
            last_change, first_bare = at, None
        elif fence is None and first_bare is None and tag not in {" ", "", "\\"}:
            first_bare = at
        at += 1
    return at if first_bare is None or first_bare < last_change else first_bare


def _body(lines: Sequence[str]) -> tuple[tuple[Line, ...], bool, bool]:
    body: list[Line] = []
    old_open = new_open = False
    for line in lines:
        tag = line[:1]
        if tag == "\\" and line[1:].strip().lower().startswith("no newline"):
            before = body[-1].tag if body else " "
            old_open |= before != "+"
            new_open |= before != "-"
        elif tag in {" ", "+", "-"} and tag:
            body.append(Line(tag, line[1:]))
        else:
            body.append(Line(" ", line, bare=True))
    return tuple(body), old_open, new_open
