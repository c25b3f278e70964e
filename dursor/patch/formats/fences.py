"""Markdown code fences."""

from __future__ import annotations

import re
from dataclasses import dataclass

OPENING = re.compile(r"( *)(`{3,}|~{3,})([^`]*)$")


@dataclass(frozen=True)
class Fence:
    """An open code fence."""

    mark: str  # "`" or "~"
    width: int
    indent: int = 0

    def is_closed_by(self, line: str) -> bool:
        text = line.strip()
        return (
            text.startswith(self.mark * self.width)
            and not text.strip(self.mark)
            and len(line) - len(line.lstrip(" ")) <= self.indent
        )
