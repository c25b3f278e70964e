"""What the repository itself says to agents: AGENTS.md, or CLAUDE.md where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.context.outbound import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection

    from dursor.context.source import Source

GUIDANCE_TOKENS = 4_000  # its own allowance, beside the budget
NAMES = ("AGENTS.md", "CLAUDE.md")


def guidance_path(sendable: Collection[str]) -> str | None:
    """Return the file at the top of the tree that guides agents, or None."""
    return next((name for name in NAMES if name in sendable), None)


def read_guidance(source: Source, path: str) -> str:
    """Return the text of PATH, cut at a line end to the allowance; empty when it is not text.

    SOURCE remembers that it was cut.
    """
    text = source.text(path) or ""
    data = text.encode("utf-8")
    limit = GUIDANCE_TOKENS * 4
    if len(data) <= limit:
        return text
    source.refused[path] = Refusal(f"longer than {limit // 1000} kB: only its beginning is sent")
    cut = data[:limit].decode("utf-8", "ignore")
    cut = cut[: cut.rfind("\n") + 1] or f"{cut}\n"
    return f"{cut}[{path} goes on; the rest was left out]\n"
