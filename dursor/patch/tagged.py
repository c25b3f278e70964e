"""XML-like pairs: `<original>` text and the `<patched>` text that takes its place."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dursor.patch.blocks import block
from dursor.patch.edits import Action, FileEdit

if TYPE_CHECKING:
    from collections.abc import Sequence

_FILE = re.compile(r"\s*<(file|path|file_path|filename)>([^<>]*)</\1>(.*)$")
_OPEN = re.compile(r"\s*<(original|search|old|old_str|old_string)>")
_CLOSE = re.compile(r"</(\w+)>")
_PAIRS = {
    "original": "patched",
    "search": "replace",
    "old": "new",
    "old_str": "new_str",
    "old_string": "new_string",
}


def file_tag(line: str) -> tuple[str, str] | None:
    """Return the name in `<file>name</file>`, and what follows it on LINE."""
    match = _FILE.match(line)
    return (match[2].strip(), match[3]) if match else None


def starts(line: str) -> bool:
    """Tell whether a pair may begin on LINE."""
    return bool(_OPEN.match(line))


@dataclass
class Pairs:
    """The pairs in LINES; where each tag is closed is looked up, not searched for."""

    lines: Sequence[str]
    _closed: dict[str, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        closed = defaultdict(list)
        for at, line in enumerate(self.lines):
            if "</" in line:
                for tag in set(_CLOSE.findall(line)):
                    closed[tag].append(at)
        self._closed = dict(closed)

    def read(self, at: int, path: str | None) -> tuple[FileEdit | None, int]:
        """Read the pair that begins at AT; return it, if it is one, and the index after it.

        A first half with no second half is prose; a second half that does not end is `cut`.
        """
        match = _OPEN.match(self.lines[at])
        old = self._end(at, match[1]) if match else None
        if match is None or old is None:
            return None, at + 1
        after = old + 1
        while after < len(self.lines) and not self.lines[after].strip():
            after += 1
        tag = _PAIRS[match[1]]
        if after >= len(self.lines) or not self.lines[after].lstrip().startswith(f"<{tag}>"):
            return None, at + 1
        new = self._end(after, tag)
        if new is None:
            return FileEdit(Action.MODIFY, path or "", cut=True), len(self.lines)
        hunk = block(
            self._body(at, old, match[1]), self._body(after, new, tag), self.lines[at : new + 1]
        )
        return FileEdit(Action.MODIFY, path or "", hunks=(hunk,)), new + 1

    def _end(self, at: int, tag: str) -> int | None:
        """Return the first line from AT on that closes TAG."""
        places = self._closed.get(tag, [])
        found = bisect_left(places, at)
        return places[found] if found < len(places) else None

    def _body(self, at: int, end: int, tag: str) -> list[str]:
        """Return the lines between the tags, without the empty rest of the tags' own lines."""
        body = list(self.lines[at : end + 1])
        body[-1] = body[-1][: body[-1].index(f"</{tag}>")]
        body[0] = body[0].lstrip()[len(tag) + 2 :]
        if not body[0].strip():
            body = body[1:]
        return body[:-1] if body and not body[-1].strip() else body
