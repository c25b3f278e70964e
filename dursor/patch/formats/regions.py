"""Where the lines of a reply may begin an edit, and where they are only reasoning."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.patch.formats.fences import OPENING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MARK = re.compile(
    r"\n(?=[ \t]*(?:diff --git |(?:rename|copy) from |similarity |--- |\+\+\+ |@@|\*\*\* |<|"
    r"```|~~~|-{5}|[>|]{5}|\+{5}|\{\s*[\"\[{]|\[\s*\{))"
)
_REASONING = re.compile(r"[ \t]*<(/?)(think|thinking|reasoning|details)\b[^<>]*>")


@dataclass(frozen=True)
class Marks:
    """The lines that may begin an edit, a fence or reasoning: their places in the text."""

    offsets: dict[int, int]
    places: Sequence[int]

    def list_between(self, start: int, end: int) -> Iterator[int]:
        """Yield the marked lines from START on and above END."""
        low, high = bisect_left(self.places, start), bisect_left(self.places, end)
        return map(self.places.__getitem__, range(low, high))


def find_marks(text: str) -> Marks:
    """Return the marked lines of TEXT."""
    text = "\n" + text
    offsets: dict[int, int] = {}
    line = end = 0
    for match in _MARK.finditer(text):
        line += text.count("\n", end, match.start())
        end = match.start()
        offsets[line] = end
    return Marks(offsets, list(offsets))


def find_reasoning_end(lines: Sequence[str], marks: Marks, row: int) -> int | None:
    """Return the line below the reasoning that begins at ROW; None when none does."""
    tag = _REASONING.match(lines[row])
    if not tag:
        return None
    close = f"</{tag[2]}>"
    if tag[1] or close in lines[row]:
        return row + 1
    below = marks.list_between(row + 1, len(lines))
    return next((end + 1 for end in below if close in lines[end]), len(lines))


def find_headless_end(lines: Sequence[str], marks: Marks) -> int:
    """Return the line below reasoning whose opening tag is not part of the reply."""
    fences = 0
    for row in marks.places:
        tag = _REASONING.match(lines[row])
        if tag and not fences % 2:
            return row + 1 if tag[1] and tag[2] != "details" else 0
        fences += bool(OPENING.match(lines[row]))
    return 0
