"""The summary of a reply."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.patch.formats.whole import parse_path_line

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_LENGTH = 500
_MARKUP = re.compile(r"^(?:#{1,6}\s+|>\s+)|\*\*|__(?=\S)|`")
_RULE = re.compile(r"[-=*_]{3,}")


def summarize(prose: Iterable[str]) -> str | None:
    """Return the first paragraphs of PROSE as one line of at most about 500 characters."""
    words: list[str] = []
    length = 0
    for line in prose:
        text = " ".join(_MARKUP.sub("", line.strip()).split())
        if not text or parse_path_line(line) or _RULE.fullmatch(text):
            continue
        words.append(text)
        length += len(text) + 1
        if length > _MAX_LENGTH:
            break
    text = " ".join(words)
    if len(text) > _MAX_LENGTH:
        text = text[:_MAX_LENGTH].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
    return text or None
