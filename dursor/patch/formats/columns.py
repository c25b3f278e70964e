"""Columns of line numbers that a model copied from a listing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBERED = re.compile(r" *(\d{1,7})(?:\t| ?[|│→:] ?)")


def strip_numbers(lines: Sequence[str]) -> list[str] | None:
    """Return LINES without their numbers, if each line has the one after that above it."""
    matches = [_NUMBERED.match(line + " ") for line in lines]
    numbers = [int(match[1]) for match in matches if match]
    if not numbers or numbers != list(range(numbers[0], numbers[0] + len(lines))):
        return None
    return [line[match.end() :] for line, match in zip(lines, matches, strict=True) if match]


def is_numbered(line: str) -> bool:
    """Return whether LINE begins with a number."""
    return bool(_NUMBERED.match(line))
