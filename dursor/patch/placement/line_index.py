"""Find a sequence of lines in a file by content, in linear time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dursor.domain import HunkFailure
from dursor.errors import ApplyFailedError

_WORD = re.compile(r"[A-Za-z_]\w+")
_FEW = 8  # occurrences of a line that make it a good start of a search
_PATIENCE = 32  # searches of a whole file before rare lines are looked up
_MAX_SCANNED = 200_000_000  # lines
MAX_LINES = 1_000_000  # one character each, of the 1,114,112 of Unicode
Key = Callable[[str], str]


def exactly(line: str) -> str:
    """Return LINE unchanged."""
    return line


def without_trailing(line: str) -> str:
    """Return LINE without blanks at its end."""
    return line.rstrip()


def without_indent(line: str) -> str:
    """Return LINE without blanks at either end."""
    return line.strip()


@dataclass
class LineIndex:
    """A file's lines under one notion of equality, as a string with one character a line."""

    lines: Sequence[str]
    key: Key = exactly
    _ids: dict[str, str] = field(default_factory=dict)
    _scanned: int = 0

    @cached_property
    def text(self) -> str:
        """The file, spelled with one character a line."""
        keys = self.lines if self.key is exactly else list(map(self.key, self.lines))
        if len(keys) > MAX_LINES:
            reason = f"files of more than {MAX_LINES} lines are not searched"
            raise ApplyFailedError(reason, failures=(HunkFailure(None, "", reason),))
        self._ids.update((key, chr(code)) for code, key in enumerate(dict.fromkeys(keys)))
        return "".join(map(self._ids.__getitem__, keys))

    @cached_property
    def _counts(self) -> Counter[str]:
        """The number of occurrences of each letter."""
        return Counter(self.text)

    @cached_property
    def words(self) -> set[str]:
        """Every identifier-like word of the file."""
        return set(_WORD.findall("\n".join(self.lines)))

    def letter(self, line: str) -> str | None:
        """Return the letter of LINE; None when the file does not have it."""
        return self._ids.get(self.key(line)) if self.text else None

    def occurrences(self, pattern: str, max_: int) -> list[int]:
        """Return the first MAX_ + 1 places of PATTERN.

        A file that has been searched too often gives none, which refuses the hunk: this bounds the
        time of thousands of hunks that fit almost everywhere.
        """
        if self._scanned > _PATIENCE * len(self.text):
            for offset, letter in enumerate(pattern):
                if self._counts[letter] <= _FEW:
                    starts = [place - offset for place in self._find_all(letter) if place >= offset]
                    return [x for x in starts if self.text.startswith(pattern, x)][: max_ + 1]
        places: list[int] = []
        place = self.text.find(pattern) if self._scanned < _MAX_SCANNED else -1
        self._scanned += len(self.text)
        while place >= 0 and len(places) <= max_:
            places.append(place)
            place = self.text.find(pattern, place + 1)
        return places

    @cached_property
    def _last(self) -> dict[str, int]:
        """The last place of each letter."""
        return dict(zip(self.text, range(len(self.text)), strict=True))

    def _find_all(self, letter: str) -> Iterator[int]:
        place = self._last[letter] if self._counts[letter] == 1 else self.text.find(letter)
        while place >= 0:
            yield place
            place = -1 if place == self._last[letter] else self.text.find(letter, place + 1)

    def all_places(self, pattern: str, max_: int) -> list[int]:
        """Return every place of PATTERN; none when there are more than MAX_."""
        places = self.occurrences(pattern, max_)
        return places if len(places) <= max_ else []

    def letters(self, lines: Iterable[str]) -> list[str | None]:
        """Return the letter of each line; None for those that the file lacks."""
        if not self.text:
            return [None for _ in lines]
        keys = lines if self.key is exactly else map(self.key, lines)
        return list(map(self._ids.get, keys))

    def pattern(self, lines: Sequence[str]) -> str | None:
        """Spell LINES with the file's letters; None when the file lacks one of them."""
        letters = self.letters(lines)
        return None if None in letters else "".join(filter(None, letters))

    def find(self, lines: Sequence[str], hint: int | None) -> list[int]:
        """Return at most two places of LINES; only HINT when they are exactly there."""
        pattern = self.pattern(lines)
        if not pattern:
            return []
        if hint is not None and hint >= 0 and self.text.startswith(pattern, hint):
            return [hint]
        return self.occurrences(pattern, 1)

    def holds(self, lines: Sequence[str]) -> bool:
        """Return whether the file has LINES."""
        return bool(self.find(lines, None))

    def places(self, line: str, max_: int) -> list[int]:
        """Return every place of LINE; none when there are more than MAX_."""
        letter = self.letter(line)
        return self.all_places(letter, max_) if letter else []
