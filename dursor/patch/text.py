"""Bytes as lines that keep their ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def split_lines(text: str) -> list[str]:
    r"""Cut TEXT after each `\n` and nowhere else."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def joined(lines: Iterable[str]) -> bytes:
    """Return the bytes of LINES."""
    return "".join(lines).encode("utf-8", "surrogateescape")
