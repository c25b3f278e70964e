"""What is written to a terminal: harmless, measured in cells, coloured only where wanted."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
JOINERS = "\u200c\u200d"  # Persian and emoji need them, and they do no harm
ENDLESS = 10_000  # columns, where nobody's window ends the line


def prepare() -> None:
    """Let no character that a terminal cannot show, and no closed stream, end a command."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, stream)


def harmless(text: str) -> str:
    """Make control, direction and undecodable characters of TEXT visible; keep its lines."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\n\t" else _visible(one) for one in text)


def one_line(text: str) -> str:
    """Make TEXT harmless and a single line."""
    return harmless(" ".join(text.split()))


def _visible(char: str) -> str:
    if char in JOINERS:
        return char
    return char.encode("unicode_escape").decode("ascii")


def width(text: str) -> int:
    """Count the cells that TEXT takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(one) or one in JOINERS else 2 if east_asian_width(one) in "WF" else 1
        for one in text
    )


def fit(text: str, cells: int) -> str:
    """Cut TEXT to at most CELLS, with an ellipsis."""
    head = text[:cells]
    if head == text and width(text) <= cells:
        return text
    while head and width(head) >= cells:
        head = head[:-1]
    return head.rstrip() + "…"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at STREAM."""
    return stream is not None and stream.isatty()


def columns(stream: TextIO) -> int:
    """Count the columns of STREAM; endless unless it is a terminal."""
    if not is_terminal(stream):
        return ENDLESS
    from shutil import get_terminal_size

    return get_terminal_size().columns


def has_colour(stream: TextIO) -> bool:
    """Whether STREAM may be coloured."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or os.name == "nt":
        return False
    return is_terminal(stream)


def paint(text: str, colour: str | None, stream: TextIO) -> str:
    """Colour TEXT where STREAM may be coloured."""
    if colour is None or not has_colour(stream):
        return text
    return f"\033[{CODES[colour]}m{text}\033[0m"


def tell(line: str) -> None:
    """Say LINE on stderr; a story nobody listens to any more must not end the work."""
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return
