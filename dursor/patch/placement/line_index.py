"""Where a sequence of lines occurs in a file, found by content in linear time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dursor.domain import HunkFailure
from dursor.errors import ApplyFailedError

_WORD = re.compile(r"[A-Za-z_]\w+")
_FEW = 8  # places of a line that make it a good one to start from
_PATIENCE = 32  # whole searches of a file before such lines are looked up
_MOST_SCANNED = 200_000_000  # lines
MOST_LINES = 1_000_000  # no more than there are characters to spell them with
Key = Callable[[str], str]


def exactly(line: str) -> str:
    """Return the line itself."""
    return line


def without_trailing(line: str) -> str:
    """Return the line but for blanks at its end."""
    return line.rstrip()


def without_indent(line: str) -> str:
    """Return the line but for blanks at either end."""
    return line.strip()


@dataclass
class LineIndex:
    """A file's lines under one notion of equality, as a string of line numbers."""

    lines: Sequence[str]
    key: Key = exactly
    _ids: dict[str, str] = field(default_factory=dict)
    _scanned: int = 0

    @cached_property
    def text(self) -> str:
        """Spell the file with one character a line."""
        keys = self.lines if self.key is exactly else list(map(self.key, self.lines))
        if len(keys) > MOST_LINES:
            reason = f"a text of more than {MOST_LINES} lines cannot be searched"
            raise ApplyFailedError(reason, failures=(HunkFailure(None, "", reason),))
        self._ids.update((key, chr(at)) for at, key in enumerate(dict.fromkeys(keys)))
        return "".join(map(self._ids.__getitem__, keys))

    @cached_property
    def _counts(self) -> Counter[str]:
        """Count how often each letter stands in the file."""
        return Counter(self.text)

    @cached_property
    def words(self) -> set[str]:
        """Collect every identifier-like word of the file."""
        return set(_WORD.findall("\n".join(self.lines)))

    def letter(self, line: str) -> str | None:
        """Return the letter of LINE; None when the file has no such line."""
        return self._ids.get(self.key(line)) if self.text else None

    def occurrences(self, pattern: str, most: int) -> list[int]:
        """Return where PATTERN stands, MOST places and one at the most.

        A file of which too much has been searched already gives none: hunks by the thousand that
        are almost everywhere are not worth the time, and a hunk without a place is refused.
        """
        if self._scanned > _PATIENCE * len(self.text):
            for offset, letter in enumerate(pattern):
                if self._counts[letter] <= _FEW:
                    starts = [at - offset for at in self._all(letter) if at >= offset]
                    return [at for at in starts if self.text.startswith(pattern, at)][: most + 1]
        found: list[int] = []
        at = self.text.find(pattern) if self._scanned < _MOST_SCANNED else -1
        self._scanned += len(self.text)
        while at >= 0 and len(found) <= most:
            found.append(at)
            at = self.text.find(pattern, at + 1)
        return found

    @cached_property
    def _last(self) -> dict[str, int]:
        """Map each letter to the last place where it stands."""
        return dict(zip(self.text, range(len(self.text)), strict=True))

    def _all(self, letter: str) -> Iterator[int]:
        at = self._last[letter] if self._counts[letter] == 1 else self.text.find(letter)
        while at >= 0:
            yield at
            at = -1 if at == self._last[letter] else self.text.find(letter, at + 1)

    def all_places(self, pattern: str, most: int) -> list[int]:
        """Return every place of PATTERN; none when there are more than MOST."""
        found = self.occurrences(pattern, most)
        return found if len(found) <= most else []

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
        """Return at most two places where LINES stand; only HINT when they stand exactly there."""
        pattern = self.pattern(lines)
        if not pattern:
            return []
        if hint is not None and hint >= 0 and self.text.startswith(pattern, hint):
            return [hint]
        return self.occurrences(pattern, 1)

    def holds(self, lines: Sequence[str]) -> bool:
        """Tell whether LINES stand in the file."""
        return bool(self.find(lines, None))

    def places(self, line: str, most: int) -> list[int]:
        """Return where LINE stands; nothing when that is more than MOST times."""
        letter = self.letter(line)
        return self.all_places(letter, most) if letter else []
