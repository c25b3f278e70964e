"""The hunks of unified diffs, whose counts are often wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dursor.patch.edits import Hunk, Line
from dursor.patch.formats.whole import is_path
from dursor.patch.names import parse_header_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.patch.formats.fences import Fence

HEADER = re.compile(r"@@+ *-(\d{1,9})(?:,(\d{1,9}))? +\+(\d{1,9})(?:,(\d{1,9}))?(?!\d)", re.ASCII)
_SECTION = re.compile(
    r"diff --git |Index: |\*\*\* (?:Begin|End|Update|Add|Delete) |<{5,9} SEARCH|</?(?:diff|patch)>"
)
_SIGNATURE = re.compile(r"\d+\.\d+[\w.-]*\s*$")  # git's version, below the `-- ` of a mail
_FENCE = re.compile(r"```|~~~(?!~)")  # a longer run of tildes underlines a heading
_GIT_LINE = "diff --git a/"
_BULLET = re.compile(r"[-+] \S|[-+]*\s*$")  # of a list, or a horizontal rule
_NEAR = 6  # lines behind a fence that are read whatever the header counts
_BEYOND = 60  # most lines read there
_MAX_SOURCE = 60  # lines of a hunk kept for messages
_TAIL = 6  # lines after an unfenced hunk that may belong to it
_SLIP = 3  # missing added lines that are more than a wrong count


def read_hunks(
    lines: Sequence[str], row: int, fence: Fence | None, *, open_end: bool
) -> tuple[list[Hunk], int, bool]:
    """Return the hunks from ROW on, the index after them, and whether the reply breaks off inside.

    With OPEN_END, the reply may have been cut at its end.
    """
    hunks: list[Hunk] = []
    cut = False
    while row < len(lines):
        begin = _skip_blank(lines, row)
        if begin >= len(lines) or not lines[begin].startswith("@@"):
            break
        hunk, row = _read_hunk(lines, begin, fence)
        if row >= len(lines):
            cut = not hunk.lines or (open_end and _breaks_off(hunk))
            hunk = replace(hunk, ends_mid_line=open_end and _claims_more(hunk))
        else:
            cut = ends_fence(lines[row], fence) and _goes_on(hunk, lines, row + 1)
            is_last = row + 1 == len(lines) and bool(lines[row])
            cut |= open_end and is_last and _GIT_LINE.startswith(lines[row])
        hunks.append(hunk)
        if cut:
            break
    return hunks, row, cut


def is_section(lines: Sequence[str], row: int) -> bool:
    """Return whether a complete header at ROW begins another section."""
    line = lines[row]
    if _SECTION.match(line) or is_lone_name(lines, row) or is_move(lines, row):
        return True
    after = lines[row + 1] if row + 1 < len(lines) else ""
    if not line.startswith("--- ") or not after.startswith("+++ "):
        return False
    return row + 2 >= len(lines) or lines[row + 2].startswith("@@") or not lines[row + 2].strip()


def is_lone_name(lines: Sequence[str], row: int) -> bool:
    """Return whether the last line of the reply, at ROW, is the first half of a header."""
    line = lines[row]
    if row + 1 < len(lines) or not line.startswith("--- "):
        return False
    name = parse_header_name(line[4:])
    return name.endswith("/") or is_path(name)


def is_move(lines: Sequence[str], row: int) -> bool:
    """Return whether a rename or copy begins at ROW."""
    if not lines[row].startswith(("rename from ", "copy from ", "similarity index ")):
        return False
    after = lines[row + 1] if row + 1 < len(lines) else ""
    return after.startswith(("rename from ", "rename to ", "copy from ", "copy to "))


def ends_fence(line: str, fence: Fence | None) -> bool:
    """Return whether LINE closes FENCE, or is any fence where none is open."""
    return fence.is_closed_by(line) if fence else bool(_FENCE.match(line))


def _skip_blank(lines: Sequence[str], row: int) -> int:
    while row < len(lines) and not lines[row].strip():
        row += 1
    return row


def _breaks_off(hunk: Hunk) -> bool:
    """Return whether the last HUNK of a reply that may have been cut is incomplete.

    Its header claims more lines, and it stops on a change or before any, or lacks several added
    lines net. Otherwise the header only miscounts context.
    """
    if not _claims_more(hunk):
        return False
    missing_old = (hunk.old_count or 0) - len(hunk.old)
    missing_new = (hunk.new_count or 0) - len(hunk.new)
    tags = {line.tag for line in hunk.lines}
    return tags == {" "} or hunk.lines[-1].tag != " " or missing_new - missing_old >= _SLIP


def _claims_more(hunk: Hunk) -> bool:
    """Return whether HUNK's header claims more lines than it has, or counts none."""
    if hunk.old_count is None or hunk.new_count is None:
        return True
    return hunk.old_count > len(hunk.old) or hunk.new_count > len(hunk.new)


def _goes_on(hunk: Hunk, lines: Sequence[str], row: int) -> bool:
    """Return whether HUNK continues at ROW, behind a fence that is a line of the file.

    Changed lines follow soon, or before the header's counts are reached.
    """
    more_old = (hunk.old_count or 0) - len(hunk.old)
    more_new = (hunk.new_count or 0) - len(hunk.new)
    signs: set[str] = set()
    for line in lines[row : row + min(max(more_old, more_new, _NEAR), _BEYOND)]:
        if _FENCE.match(line) or line.startswith(("--- ", "+++ ", "diff --git ")):
            return False
        if line.startswith(("+", "-")):
            signs.add(line[0])
            if not _BULLET.match(line) or len(signs) > 1:
                return True
    return lines[row : row + 1] != [] and lines[row][:1] == " " and more_old > 0 and more_new > 0


def _read_hunk(lines: Sequence[str], row: int, fence: Fence | None) -> tuple[Hunk, int]:
    match = HEADER.match(lines[row])
    start = old_count = new_count = end = None
    if match:
        start, old_count, new_count = int(match[1]), int(match[2] or 1), int(match[4] or 1)
        end = _find_counted_end(lines, row + 1, fence, old_count, new_count)
    is_counted = end is not None
    if end is None:
        end = _find_loose_end(lines, row + 1, fence)
        end = _extend_to_count(lines, row + 1, end, fence, new_count)
    body, old_open, new_open = _parse_body(lines[row + 1 : end])
    tail = [] if fence or is_counted or _ends_hunk(lines, end, None) else lines[end : end + _TAIL]
    return Hunk(
        body,
        "\n".join(lines[row : min(end, row + _MAX_SOURCE)]),
        start=start,
        old_count=old_count,
        new_count=new_count,
        tail=tuple(tail),
        is_counted=old_count == sum(line.tag != "+" for line in body),
        old_open=old_open,
        new_open=new_open,
    ), end


def _find_counted_end(
    lines: Sequence[str], row: int, fence: Fence | None, old: int, new: int
) -> int | None:
    """Return the end of the body by the header's counts, if they fit exactly."""
    while (old > 0 or new > 0) and row < len(lines):
        tag = lines[row][:1]
        if tag not in " +-\\":
            return None
        old -= tag in {" ", "", "-"}
        new -= tag in {" ", "", "+"}
        row += 1
    if old != 0 or new != 0:
        return None
    if row < len(lines) and lines[row].startswith("\\"):
        row += 1
    return row if _is_boundary(lines, row, fence) else None


def _is_boundary(lines: Sequence[str], row: int, fence: Fence | None) -> bool:
    """Return whether a hunk may end at ROW: nothing below looks like more of it."""
    after = _skip_blank(lines, row)
    if _ends_hunk(lines, after, fence):
        return True
    if fence is not None:
        return False
    return lines[after][:1] not in " +-\\" or (after > row and _is_list(lines, after))


def _ends_hunk(lines: Sequence[str], row: int, fence: Fence | None) -> bool:
    """Return whether the line at ROW, or the end of the reply, ends any hunk."""
    if row >= len(lines) or lines[row].startswith("@@") or ends_fence(lines[row], fence):
        return True
    return is_section(lines, row) or _is_signature(lines, row)


def _is_list(lines: Sequence[str], row: int) -> bool:
    """Return whether the paragraph at ROW is a list with dashes, not removed lines."""
    if not _BULLET.match(lines[row]):
        return False
    while row < len(lines) and lines[row].strip():
        if lines[row].startswith(("+", "-")) and not _BULLET.match(lines[row]):
            return False
        row += 1
    return True


def _is_signature(lines: Sequence[str], row: int) -> bool:
    if row >= len(lines) or lines[row].rstrip() != "--":
        return False
    return row + 1 >= len(lines) or bool(_SIGNATURE.match(lines[row + 1]))


def _find_loose_end(lines: Sequence[str], row: int, fence: Fence | None) -> int:
    """Return the end of the body by the form of its lines.

    Outside a fence, untagged lines after the last change are prose, unless another hunk follows.
    """
    last_change = row - 1
    first_bare = None
    while row < len(lines):
        line = lines[row]
        if line.startswith(" "):  # the common case
            row += 1
            continue
        if line.startswith("@@"):
            return row
        if _ends_hunk(lines, row, fence):
            break
        tag = line[:1]
        if tag in {"+", "-"}:
            last_change, first_bare = row, None
        elif fence is None and first_bare is None and tag not in {"", "\\"}:
            first_bare = row
        row += 1
    return row if first_bare is None or first_bare < last_change else first_bare


def _extend_to_count(
    lines: Sequence[str], row: int, end: int, fence: Fence | None, new: int | None
) -> int:
    """Extend the body to the new lines that its header counts.

    Only if there are exactly as many right below it, or some of them have tags. An untagged one
    is then an added line that lost its tag.
    """
    if fence is not None or new is None or not lines[end - 1] or _is_signature(lines, end):
        return end
    more = new - sum(not line.startswith(("-", "\\")) for line in lines[row:end])
    stop = end
    limit = min(len(lines), end + more)
    while stop < limit and lines[stop] and not _ends_hunk(lines, stop, fence):
        stop += 1
    goes_on = any(line.startswith((" ", "+", "-")) for line in lines[end:stop])
    return stop if goes_on or stop - end == more else end


def _parse_body(lines: Sequence[str]) -> tuple[tuple[Line, ...], bool, bool]:
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
