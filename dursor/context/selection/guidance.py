"""The repository's guidance for agents: AGENTS.md, or else CLAUDE.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.context.selection.selection import SelectedFile
from dursor.context.sendable import Refusal
from dursor.context.text.measure import estimate_tokens, split_lines

if TYPE_CHECKING:
    from collections.abc import Collection

    from dursor.context.source import TextSource

GUIDANCE_TOKENS = 4_000  # not part of the budget
GUIDANCE_NAMES = ("AGENTS.md", "CLAUDE.md")
GUIDANCE_REASON = "guidance, beside the budget"  # stored with runs


def select_guidance(sendable: Collection[str], source: TextSource) -> SelectedFile | None:
    """Select the guidance at the top of the tree; SOURCE records that it was cut."""
    path = next((name for name in GUIDANCE_NAMES if name in sendable), None)
    text = source.read(path) if path else None
    if not path or not text:
        return None
    data, limit = text.encode("utf-8"), GUIDANCE_TOKENS * 4
    if len(data) <= limit:
        return SelectedFile(path, None, estimate_tokens(len(data)), GUIDANCE_REASON, text)
    source.refused[path] = Refusal(f"longer than {limit // 1000} kB: only its beginning is sent")
    cut = data[:limit].decode("utf-8", "ignore")
    cut = cut[: cut.rfind("\n") + 1] or f"{cut}\n"
    ranges = ((1, len(split_lines(cut))),)
    cut += f"[{path} continues; the rest was omitted]\n"
    tokens = estimate_tokens(len(cut.encode("utf-8")))
    return SelectedFile(path, ranges, tokens, GUIDANCE_REASON, cut)
