"""What the repository itself says to agents: AGENTS.md, or CLAUDE.md where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.context.selection.model import Pick
from dursor.context.sendable import Refusal
from dursor.context.text.measure import lines_of, tokens_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from dursor.context.source import Source

GUIDANCE_TOKENS = 4_000  # its own allowance, beside the budget
NAMES = ("AGENTS.md", "CLAUDE.md")
REASON = "guidance, beside the budget"


def guidance_path(sendable: Collection[str]) -> str | None:
    """Return the file at the top of the tree that guides agents, or None."""
    return next((name for name in NAMES if name in sendable), None)


def guide_of(sendable: Collection[str], source: Source) -> Pick | None:
    """Pick what guides agents among SENDABLE, cut at a line end to the allowance; None for nothing.

    SOURCE remembers that it was cut.
    """
    path = guidance_path(sendable)
    text = source.text(path) if path else None
    if not path or not text:
        return None
    data, limit = text.encode("utf-8"), GUIDANCE_TOKENS * 4
    if len(data) <= limit:
        return Pick(path, None, tokens_of(len(data)), REASON, text)
    source.refused[path] = Refusal(f"longer than {limit // 1000} kB: only its beginning is sent")
    cut = data[:limit].decode("utf-8", "ignore")
    cut = cut[: cut.rfind("\n") + 1] or f"{cut}\n"
    ranges = ((1, len(lines_of(cut))),)
    cut += f"[{path} goes on; the rest was left out]\n"
    return Pick(path, ranges, tokens_of(len(cut.encode("utf-8"))), REASON, cut)
