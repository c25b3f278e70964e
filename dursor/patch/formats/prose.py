"""What a reply says in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.patch.formats.whole import path_in

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST = 500
_MARKUP = re.compile(r"^(?:#{1,6}\s+|>\s+)|\*\*|__(?=\S)|`")
_RULE = re.compile(r"[-=*_]{3,}")


def summary(prose: Iterable[str]) -> str | None:
    """Return the first paragraphs of PROSE as one line, at most about 500 characters."""
    words: list[str] = []
    length = 0
    for line in prose:
        text = " ".join(_MARKUP.sub("", line.strip()).split())
        if not text or path_in(line) or _RULE.fullmatch(text):
            continue
        words.append(text)
        length += len(text) + 1
        if length > _MOST:
            break
    text = " ".join(words)
    if len(text) > _MOST:
        text = text[:_MOST].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
    return text or None
