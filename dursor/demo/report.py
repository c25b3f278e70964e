"""The demonstration's report, as plain lines."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING

from dursor.ids import short_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dursor.demo.result import DemoResult, TestOutcome
    from dursor.domain import Run

NOTICE = (
    "No real model is called: a practice server on this machine answers in the wire formats"
    " of OpenAI, Anthropic and Google."
)
HEADINGS = ("RUN", "MODEL", "STATUS", "FILES", "+/-", "TIME", "TEST")


def format_report(result: DemoResult) -> list[str]:
    """Format RESULT: the instruction, a table, the best diff and the next commands."""
    lines = [
        NOTICE,
        "",
        f"instruction: {result.runs[0].round.instruction}",
        f"test before any change: {result.before}",
        "",
    ]
    lines += _format_table(
        [_make_row(*pair) for pair in zip(result.runs, result.tests, strict=True)]
    )
    lines += ["", *result.notes, "", *_format_best(result.best), "", *_format_next(result)]
    return lines


def _make_row(run: Run, test: TestOutcome) -> Sequence[str]:
    status = f"{run.status}: {run.error.code}" if run.error else str(run.status)
    added = sum(change.added_lines for change in run.files_changed)
    removed = sum(change.removed_lines for change in run.files_changed)
    return (
        short_id(run.id),
        run.model,
        status,
        str(len(run.files_changed)),
        f"+{added} -{removed}",
        _format_duration(run),
        test.detail,
    )


def _format_duration(run: Run) -> str:
    if run.started_at is None or run.completed_at is None:
        return "-"
    duration = datetime.fromisoformat(run.completed_at) - datetime.fromisoformat(run.started_at)
    return f"{duration.total_seconds():.1f} s"


def _format_table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align ROWS below the headings, columns two spaces apart."""
    grid = [HEADINGS, *rows]
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    for row in grid:
        yield "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()


def _format_best(run: Run | None) -> Iterator[str]:
    if run is None or run.patch is None:
        yield "no answer passed the test"
        return
    yield f"smallest answer that passes, {run.model}:"
    yield ""
    yield from run.patch.splitlines()


def _format_next(result: DemoResult) -> Iterator[str]:
    if result.folder is not None:
        yield f"kept in {result.folder}: the repository in toolshed, the answers in answers"
        run = short_id((result.best or result.runs[0]).id)
        yield f"  cd {shlex.quote(str(result.folder / 'toolshed'))}"
        yield f"  export DURSOR_DATA_DIR={shlex.quote(str(result.folder / 'data'))}"
        yield f"  dursor run show {run}"
        yield f"  dursor run apply {run}"
    yield "next, with your own model:"
    yield "  export OPENAI_API_KEY=...  # or ANTHROPIC_API_KEY, GEMINI_API_KEY"
    yield "  cd YOUR_PROJECT"
    yield '  dursor run "WHAT TO CHANGE" -m gpt'
