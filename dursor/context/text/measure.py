"""Lines and token estimates of a file's text."""

from __future__ import annotations

FILE_TOKENS = 12  # the path and the fences of one file


def estimate_tokens(size: int) -> int:
    """Estimate the tokens of SIZE bytes: a quarter, rounded up."""
    return (size + 3) // 4


def split_lines(text: str) -> list[str]:
    """Split TEXT into lines like git, with their ends."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines
