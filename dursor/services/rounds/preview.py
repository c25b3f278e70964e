"""The context of a planned round as commands show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.context.selection.render import count_tokens
from dursor.services.results import ContextPlan, WithheldPath

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dursor.services.rounds.plan import ContextPreview


def summarize_context(preview: ContextPreview, warnings: Sequence[str] = ()) -> ContextPlan:
    """Summarize PREVIEW with its own WARNINGS and those of its models."""
    selection = preview.selection
    return ContextPlan(
        preview.base.base_commit,
        selection.budget,
        selection.file_tokens,
        max(selection.total_tokens, count_tokens(selection)),
        selection.to_context_files(),
        tuple(WithheldPath(file.path, file.reason) for file in selection.withheld),
        tuple(dict.fromkeys([*preview.warnings, *warnings, *_warn_if_empty(preview)])),
    )


def _warn_if_empty(preview: ContextPreview) -> Iterator[str]:
    selection = preview.selection
    if not count_tokens(selection):
        yield "this commit has no file that may be sent"
    elif selection.budget and not (selection.files or selection.added or selection.changed):
        yield "no relevant file fits the budget: raise --context-budget, or use --file"
