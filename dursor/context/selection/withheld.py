"""Paths that are held back, as the user sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.context.selection.guidance import GUIDANCE_NAMES
from dursor.context.selection.selection import WithheldFile
from dursor.context.sendable import REASON_NOT_FETCHED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.context.sendable import Refusal


def list_withheld(
    refused: Mapping[str, Refusal], secrets: Mapping[str, int], instruction: str, *, fits: bool
) -> tuple[WithheldFile, ...]:
    """List files with placeholders, then refused paths: the relevant ones, or all if it FITS."""
    lowered = instruction.lower()

    def is_named(path: str) -> bool:
        return path.rpartition("/")[2].lower() in lowered

    masked = [
        WithheldFile(
            path,
            "1 secret replaced by a placeholder"
            if count == 1
            else f"{count} secrets replaced by placeholders",
        )
        for path, count in secrets.items()
    ]
    relevant = [
        WithheldFile(path, refusal.reason)
        for path, refusal in refused.items()
        if (fits and refusal.reason != REASON_NOT_FETCHED)
        or refusal.forbidden
        or path in GUIDANCE_NAMES
        or is_named(path)
    ]
    relevant.sort(key=lambda file: (not is_named(file.path), file.reason == "binary"))
    return (*masked, *relevant)
