"""XML-like pairs: `<original>` text and the `<patched>` text that replaces it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dursor.patch.edits import Action, FileEdit
from dursor.patch.formats.blocks import build_block

if TYPE_CHECKING:
    from collections.abc import Sequence

_FILE = re.compile(r"\s*<(file|path|file_path|filename)>([^<>]*)</\1>(.*)$")
_OPEN = re.compile(r"\s*<(original|search|old|old_str|old_string)>")
_TAG = re.compile(r"<(/?\w+)>")
_PAIRS = {
    "original": "patched",
    "search": "replace",
    "old": "new",
    "old_str": "new_str",
    "old_string": "new_string",
}


def parse_file_tag(line: str) -> tuple[str, str] | None:
    """Return the name in `<file>name</file>` and the rest of LINE."""
    match = _FILE.match(line)
    return (match[2].strip(), match[3]) if match else None


def starts(line: str) -> bool:
    """Return whether a pair may begin on LINE."""
    return bool(_OPEN.match(line))


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
        unclear = FileEdit(Action.MODIFY, path or "", is_cut=True)
        if match is None or old is None:
            is_cut = match is not None and self._tags.get(f"/{match[1]}") is not None
            return (unclear, len(self.lines)) if is_cut else (None, row + 1)
        after = old + 1
        while after < len(self.lines) and not self.lines[after].strip():
            after += 1
        tag = _PAIRS[match[1]]
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
