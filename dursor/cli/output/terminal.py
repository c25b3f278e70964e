"""Text for a terminal: control characters escaped, widths in cells, colour only where wanted."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
JOINERS = "\u200c\u200d"  # harmless, and Persian and emoji need them
UNLIMITED = 10_000  # columns of a stream that is not a terminal


def prepare_streams() -> None:
    """Replace closed streams, and escape characters that a stream cannot encode."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, stream)


def escape_controls(text: str) -> str:
    """Escape control, direction and undecodable characters of TEXT, but not its line breaks."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else _escape(char) for char in text)


def to_one_line(text: str) -> str:
    """Collapse white space of TEXT and escape its control characters."""
    return escape_controls(" ".join(text.split()))


def _escape(char: str) -> str:
    return char if char in JOINERS else char.encode("unicode_escape").decode("ascii")


def measure_width(text: str) -> int:
    """Count the cells that TEXT takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(char) or char in JOINERS else 2 if east_asian_width(char) in "WF" else 1
        for char in text
    )


def fit(text: str, cells: int) -> str:
    """Cut TEXT to CELLS, with an ellipsis if it is longer."""
    head = text[:cells]
    if head == text and measure_width(text) <= cells:
        return text
    while head and measure_width(head) >= cells:
        head = head[:-1]
    return head.rstrip() + "…"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether STREAM is an open terminal."""
    return stream is not None and stream.isatty()


def count_columns(stream: TextIO) -> int:
    """Count the columns of STREAM; UNLIMITED if it is not a terminal."""
    if not is_terminal(stream):
        return UNLIMITED
    from shutil import get_terminal_size

    return get_terminal_size().columns


def paint(text: str, colour: str | None, stream: TextIO) -> str:
    """Colour TEXT if STREAM shows colours."""
    if colour is None or not _has_colour(stream):
        return text
    return f"\033[{CODES[colour]}m{text}\033[0m"


def _has_colour(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or os.name == "nt":
        return False
    return is_terminal(stream)


def print_stderr(line: str) -> None:
    """Print LINE on stderr; a closed stderr does not end the command."""
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return
