"""What the user is told of paths that were held back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.context.selection.guidance import GUIDANCE_NAMES
from dursor.context.selection.selection import WithheldFile
from dursor.context.sendable import REASON_NOT_FETCHED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dursor.context.sendable import Refusal


def list_withheld(
    refused: Mapping[str, Refusal],
    secrets: Mapping[str, int],
    instruction: str,
    *,
    everything: bool,
) -> tuple[WithheldFile, ...]:
    """Secrets replaced, then refused paths: all when EVERYTHING, else those that matter."""
    lowered = instruction.lower()
    relevant = [
        WithheldFile(path, why.reason)
        for path, why in refused.items()
        if (everything and why.reason != REASON_NOT_FETCHED)
        or why.forbidden
        or path in GUIDANCE_NAMES
        or _is_named(path, lowered)
    ]
    relevant.sort(key=lambda w: (not _is_named(w.path, lowered), w.reason == "binary"))
    return (*_replaced(secrets), *relevant)


def _replaced(secrets: Mapping[str, int]) -> Iterator[WithheldFile]:
    for path, count in secrets.items():
        what = "1 secret" if count == 1 else f"{count} secrets"
        by = "a placeholder" if count == 1 else "placeholders"
        yield WithheldFile(path, f"{what} replaced by {by}")


def _is_named(path: str, lowered: str) -> bool:
    return path.rpartition("/")[2].lower() in lowered
