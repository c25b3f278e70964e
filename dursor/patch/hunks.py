"""The hunks of unified diffs, whose counts are as often wrong as right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.patch.edits import Hunk, Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.patch.fences import Fence

HEADER = re.compile(r"@@+ *-(\d{1,9})(?:,(\d{1,9}))? +\+(\d{1,9})(?:,(\d{1,9}))?(?!\d)", re.ASCII)
_SECTION = re.compile(
    r"diff --git |Index: |\*\*\* (?:Begin|End|Update|Add|Delete) |<{5,9} SEARCH|</?(?:diff|patch)>"
)
_SIGNATURE = re.compile(r"\d+\.\d+[\w.-]*\s*$")  # git's version, below the `-- ` of a mail
_SHOWN = 60  # lines of a hunk kept for messages
_TAIL = 6  # lines after an unfenced hunk that may belong to it
_SLIP = 3  # added lines that a count may be wrong by without more being amiss


def read_hunks(
    lines: Sequence[str], at: int, fence: Fence | None, *, open_end: bool
) -> tuple[list[Hunk], int, bool]:
    """Read the hunks from AT on.

    Return them, the index after them, and whether the reply (whose last line has no end when
    OPEN_END) breaks off inside the last one.
    """
    hunks: list[Hunk] = []
    cut = False
    while at < len(lines):
        begin = _skip_blank(lines, at)
        if begin >= len(lines) or not lines[begin].startswith("@@"):
            break
        hunk, at = _read_hunk(lines, begin, fence)
        cut = (at >= len(lines) and open_end and _breaks_off(hunk)) or (
            at + 1 < len(lines) and ends_fence(lines[at], fence) and _goes_on(hunk, lines[at + 1])
        )
        hunks.append(hunk)
        if cut:
            break
    return hunks, at, cut


def is_section(lines: Sequence[str], at: int) -> bool:
    """Tell, from inside a hunk, whether another section begins at AT: by a whole header only."""
    line = lines[at]
    if _SECTION.match(line):
        return True
    if not line.startswith("--- ") or at + 1 >= len(lines):
        return False
    if not lines[at + 1].startswith("+++ "):
        return False
    return at + 2 >= len(lines) or lines[at + 2].startswith("@@") or not lines[at + 2].strip()


def ends_fence(line: str, fence: Fence | None) -> bool:
    """Tell whether LINE closes FENCE, or is some fence where none is open."""
    return fence.is_closed_by(line) if fence else line.startswith(("```", "~~~"))


def _skip_blank(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _breaks_off(hunk: Hunk) -> bool:
    """Tell whether the last hunk of a reply that ends within a line shows that more was to come.

    Its header claims more lines than there are, and what is missing is no mere slip in counting
    context: it stops on a change, or lacks several added lines net.
    """
    missing_old = (hunk.old_count or 0) - len(hunk.old)
    missing_new = (hunk.new_count or 0) - len(hunk.new)
    if max(missing_old, missing_new) <= 0 or not hunk.lines:
        return False
    return hunk.lines[-1].tag != " " or missing_new - missing_old >= _SLIP


def _goes_on(hunk: Hunk, line: str) -> bool:
    """Tell whether LINE, behind a fence, is more of HUNK, whose header claims more lines."""
    more_old = (hunk.old_count or 0) > len(hunk.old)
    more_new = (hunk.new_count or 0) > len(hunk.new)
    match line[:1]:
        case "+":
            return more_new
        case "-":
            return more_old and line[1:2] not in {" ", ""}
        case " ":
            return more_old and more_new
        case _:
            return False


def _read_hunk(lines: Sequence[str], at: int, fence: Fence | None) -> tuple[Hunk, int]:
    match = HEADER.match(lines[at])
    start = old_count = new_count = end = None
    if match:
        start, old_count, new_count = int(match[1]), int(match[2] or 1), int(match[4] or 1)
        if match[2] == "0":
            old_count = 0
        end = _counted_end(lines, at + 1, fence, old_count, new_count)
    counted = end is not None
    if end is None:
        end = _loose_end(lines, at + 1, fence)
    body, old_open, new_open = _body(lines[at + 1 : end])
    tail = lines[end : end + _TAIL] if fence is None and not counted else []
    return Hunk(
        body,
        "\n".join(lines[at : min(end, at + _SHOWN)]),
        start=start,
        old_count=old_count,
        new_count=new_count,
        tail=tuple(tail),
        is_counted=old_count == sum(line.tag != "+" for line in body),
        old_open=old_open,
        new_open=new_open,
    ), end


def _counted_end(
    lines: Sequence[str], at: int, fence: Fence | None, old: int, new: int
) -> int | None:
    """Find where the body ends by the header's counts, if they fit and nothing is left over."""
    while (old > 0 or new > 0) and at < len(lines):
        tag = lines[at][:1]
        if tag not in " +-\\":
            return None
        old -= tag in {" ", "", "-"}
        new -= tag in {" ", "", "+"}
        at += 1
    if old != 0 or new != 0:
        return None
    if at < len(lines) and lines[at].startswith("\\"):
        at += 1
    return at if _is_boundary(lines, at, fence) else None


def _is_boundary(lines: Sequence[str], at: int, fence: Fence | None) -> bool:
    """Tell whether a hunk may end at AT: nothing that looks like more of it follows."""
    after = _skip_blank(lines, at)
    if after >= len(lines) or ends_fence(lines[after], fence) or lines[after].startswith("@@"):
        return True
    if is_section(lines, after) or _is_signature(lines, after):
        return True
    tag = lines[after][:1]
    return fence is None and (tag not in " +-\\" or (after > at and tag == "-"))


def _is_signature(lines: Sequence[str], at: int) -> bool:
    return lines[at].rstrip() == "--" and (
        at + 1 >= len(lines) or bool(_SIGNATURE.match(lines[at + 1]))
    )


def _loose_end(lines: Sequence[str], at: int, fence: Fence | None) -> int:
    """Find where the body ends by what its lines look like.

    Outside of a fence, lines without a tag after the last change are prose, unless another hunk of
    the file follows.
    """
    last_change = at - 1
    first_bare = None
    while at < len(lines):
        line = lines[at]
        if line.startswith(" "):  # nothing but a line of the body, and most lines are
            at += 1
            continue
        if line.startswith("@@"):
            return at
        if ends_fence(line, fence) or is_section(lines, at) or _is_signature(lines, at):
            break
        tag = line[:1]
        if tag in {"+", "-"}:
            last_change, first_bare = at, None
        elif fence is None and first_bare is None and tag not in {"", "\\"}:
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
        elif tag and tag in " +-":
            body.append(Line(tag, line[1:]))
        else:
            body.append(Line(" ", line, bare=True))
    return tuple(body), old_open, new_open
