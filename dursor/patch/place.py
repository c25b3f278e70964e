"""Where a sequence of lines occurs in a file, found by content in linear time."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

_WORD = re.compile(r"[A-Za-z_]\w+")
Key = Callable[[str], str]


def exactly(line: str) -> str:
    """The line itself."""
    return line


def without_trailing(line: str) -> str:
    """The line but for blanks at its end."""
    return line.rstrip()


def without_indent(line: str) -> str:
    """The line but for blanks at either end."""
    return line.strip()


@dataclass
class Index:
    """A file's lines under one notion of equality, as a string of line numbers."""

    lines: Sequence[str]
    key: Key = exactly
    _ids: dict[str, str] = field(default_factory=dict)
    scanned: int = 0

    @cached_property
    def text(self) -> str:
        """One character a line."""
        ids = self._ids
        out = []
        for line in self.lines:
            key = self.key(line)
            letter = ids.get(key)
            if letter is None:
                letter = ids[key] = chr(len(ids))
            out.append(letter)
        return "".join(out)

    @cached_property
    def words(self) -> set[str]:
        """Every identifier-like word of the file."""
        return set(_WORD.findall("\n".join(self.lines)))

    def letter(self, line: str) -> str | None:
        """The letter of LINE; None when the file has no such line."""
        return self._ids.get(self.key(line)) if self.text else None

    def all_places(self, pattern: str, most: int) -> list[int]:
        """Every place of PATTERN; none when there are more than MOST."""
        found: list[int] = []
        at = self.text.find(pattern)
        while at >= 0:
            found.append(at)
            if len(found) > most:
                return []
            at = self.text.find(pattern, at + 1)
        return found

    def pattern(self, lines: Sequence[str]) -> str | None:
        """LINES in this index's letters; None when the file has no such line."""
        assert self.text is not None  # noqa: S101
        out = []
        for line in lines:
            letter = self._ids.get(self.key(line))
            if letter is None:
                return None
            out.append(letter)
        return "".join(out)

    def find(self, lines: Sequence[str], hint: int | None) -> list[int]:
        """At most two places where LINES stand; only HINT when they stand exactly there."""
        pattern = self.pattern(lines)
        if not pattern:
            return []
        if hint is not None and hint >= 0 and self.text.startswith(pattern, hint):
            return [hint]
        first = self.text.find(pattern)
        if first < 0:
            return []
        second = self.text.find(pattern, first + 1)
        return [first] if second < 0 else [first, second]

    def __contains__(self, line: str) -> bool:
        return self.pattern([line]) is not None

    def places(self, line: str, most: int) -> list[int]:
        """Where LINE stands; nothing when that is more than MOST times."""
        letter = self.letter(line)
        return self.all_places(letter, most) if letter else []
