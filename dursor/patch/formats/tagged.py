"""XML-like pairs: `<original>` text and the `<patched>` text that replaces it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dursor.patch.edits import Action, FileEdit
from dursor.patch.formats.blocks import build_block
from dursor.patch.formats.calls import PAIRS, PATHS, TEXTS
from dursor.patch.formats.whole import is_path

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES = "|".join(PATHS)
_FILE = re.compile(rf"\s*<({_NAMES})>([^<>]*)</\1>(.*)$")
_OPEN_NAMES = frozenset(f"<{name}>" for name in PATHS)
_ATTRIBUTE = re.compile(
    rf"""\s*<(\w+)\s(?:[^<>]*\s)?(?:{_NAMES}|name)=["']([^"'<>]+)["'][^<>]*>(.*)$"""
)
_OPEN = re.compile(rf"\s*<({'|'.join(PAIRS)})>")
_TEXT = re.compile(rf"\s*<({'|'.join(TEXTS)}|source)>")
_TAG = re.compile(r"<(/?\w+)>")
_LONE = re.compile(r"\s*</?\w+[^<>]*>\w*\s*$")
_CALL = re.compile(r"<(invoke|function)\b[^<>]*>\s*$")
_PARAMETER = re.compile(r"""\s*<(parameter)(?:=|\s+name=)["']?(\w+)["']?\s*>""")
_WHOLE = frozenset({"file", "source", "write", "create", "document", "new_file"})
_HALVES = frozenset(name for name in PAIRS.values() if "_" in name)


def parse_file_tag(lines: Sequence[str], row: int) -> tuple[str, str, int] | None:
    """Return the name in `<file>name</file>`, the rest of the last line, and its index."""
    end, text = row, lines[row]
    if text.strip() in _OPEN_NAMES:  # the name has a line of its own
        end = min(row + 2, len(lines) - 1)
        text = "".join(map(str.strip, lines[row : end + 1]))
    match = _FILE.match(text)
    return (match[2].strip(), match[3], end) if match else None


def parse_attribute(line: str) -> tuple[str, str] | None:
    """Return the path in a LINE such as `<edit path="a.py">`, and the rest of it."""
    match = _ATTRIBUTE.match(line)
    return (match[2], match[3]) if match and is_path(match[2]) else None


def is_lost_half(line: str) -> bool:
    """Return whether LINE begins the second half of a pair."""
    match = _TAG.match(line.lstrip())
    return match is not None and match[1] in _HALVES


def starts(line: str) -> bool:
    """Return whether a pair may begin on LINE."""
    return bool(_OPEN.match(line))


def is_lone(line: str) -> bool:
    """Return whether LINE is only a tag."""
    return bool(_LONE.match(line))


def rename_parameters(lines: list[str], row: int) -> bool:
    """Write `<parameter name="old_str">` as `<old_str>` in the calls of LINES from ROW on.

    Returns whether a call begins at ROW.
    """
    if not _CALL.match(lines[row]):
        return False
    name = ""
    for index in range(row + 1, len(lines)):
        if match := _PARAMETER.match(lines[index]):
            name = match[2]
            lines[index] = f"<{name}>{lines[index][match.end() :]}"
        if name and "</parameter>" in lines[index]:
            lines[index] = lines[index].replace("</parameter>", f"</{name}>")
            name = ""
    return True


@dataclass
class TagPairs:
    """The pairs in LINES, with an index of their tags."""

    lines: Sequence[str]
    _tags: dict[str, list[int]] = field(init=False)  # a closing tag has a "/" before its name

    def __post_init__(self) -> None:
        tags = defaultdict(list)
        for row, line in enumerate(self.lines):
            if "<" in line:
                for tag in set(_TAG.findall(line)):
                    tags[tag].append(row)
        self._tags = dict(tags)

    def read(self, row: int, path: str | None) -> tuple[FileEdit | None, int]:
        """Read the pair that begins at ROW; return it, if it is one, and the index after it.

        A first half alone is prose. A pair is cut when a half does not end or may end in several
        places, and so is a first half that never ends below another pair.
        """
        match = _OPEN.match(self.lines[row])
        old = self._find_next(f"/{match[1]}", row) if match else None
        fault = "the ends of its tags are missing or not clear"
        unclear = FileEdit(Action.MODIFY, path or "", is_cut=True, fault=fault)
        if match is None or old is None:
            is_cut = match is not None and self._tags.get(f"/{match[1]}") is not None
            return (unclear, len(self.lines)) if is_cut else (None, row + 1)
        after = old + 1
        while after < len(self.lines) and not self.lines[after].strip():
            after += 1
        tag = PAIRS[match[1]]
        if after >= len(self.lines) or not self.lines[after].lstrip().startswith(f"<{tag}>"):
            later = self._find_next(tag, after)
            is_half = later is None or (self._find_next(match[1], after) or later) < later
            is_prose = is_half and f"/{tag}" not in self._tags
            return (None, row + 1) if is_prose else (unclear, later or row + 1)
        new = self._find_next(f"/{tag}", after)
        if new is None:
            return unclear, len(self.lines)
        again = self._find_next(f"/{tag}", new + 1)
        if again is not None and (self._find_next(tag, new + 1) or again + 1) > again:
            return unclear, again + 1
        hunk = build_block(
            self._get_body(row, old, match[1]),
            self._get_body(after, new, tag),
            self.lines[row : new + 1],
        )
        return FileEdit(Action.MODIFY, path or "", hunks=(hunk,)), new + 1

    def read_text(self, row: int, path: str) -> tuple[FileEdit | None, int]:
        """Read the whole text in `<content>` or `<file path="a.py">` at ROW, and its end."""
        match = _TEXT.match(self.lines[row]) or _ATTRIBUTE.match(self.lines[row])
        if match is None or not (match.re is _TEXT or match[1] in _WHOLE):
            return None, row
        if match.re is _ATTRIBUTE and any(map(_TEXT.match, self.lines[row + 1 : row + 3])):
            return None, row
        end = self._find_next(f"/{match[1]}", row)
        if end is None:
            return FileEdit(Action.WRITE, path, is_cut=True), len(self.lines)
        again = self._find_next(f"/{match[1]}", end + 1)
        is_cut = again is not None and (self._find_next(match[1], end + 1) or again + 1) > again
        head = self.lines[row][match.end(1) :].partition(">")[2]
        if row == end:
            body = [head.partition(f"</{match[1]}>")[0]]
        else:
            last = self.lines[end].partition(f"</{match[1]}>")[0]
            body = [
                *[head][: bool(head)],
                *self.lines[row + 1 : end],
                *[last][: bool(last.strip())],
            ]
        return FileEdit(Action.WRITE, path, lines=tuple(body), is_cut=is_cut), end + 1

    def _find_next(self, tag: str, row: int) -> int | None:
        """Return the first line from ROW on that has TAG."""
        places = self._tags.get(tag, [])
        rank = bisect_left(places, row)
        return places[rank] if rank < len(places) else None

    def _get_body(self, row: int, end: int, tag: str) -> list[str]:
        """Return the lines between the tags, without empty rests of the lines with the tags."""
        body = list(self.lines[row : end + 1])
        body[-1] = body[-1][: body[-1].index(f"</{tag}>")]
        body[0] = body[0].lstrip()[len(tag) + 2 :]
        if not body[0].strip():
            body = body[1:]
        return body[:-1] if body and not body[-1].strip() else body
