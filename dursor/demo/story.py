"""The demonstration told to people, in plain lines."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dursor.demo.result import DemoResult, TestOutcome
    from dursor.domain import Run

NOTICE = (
    "No real model is called: a practice server on this machine answers, in the wire formats"
    " of OpenAI, Anthropic and Google."
)
HEADS = ("RUN", "MODEL", "STATUS", "FILES", "+/-", "TIME", "TEST")


def lines(result: DemoResult) -> list[str]:
    """Tell RESULT: what was practised, the table, the best diff, and what to type next."""
    told = [
        NOTICE,
        "",
        f"instruction: {result.runs[0].instruction}",
        f"the sample's test, before: {result.before}",
        "",
    ]
    told += _table([_row(*pair) for pair in zip(result.runs, result.tests, strict=True)])
    told += ["", *result.notes, "", *_best(result.best), "", *_next(result)]
    return told


def _row(run: Run, test: TestOutcome) -> Sequence[str]:
    status = f"{run.status}: {run.error.code}" if run.error else str(run.status)
    added = sum(change.added_lines for change in run.files_changed)
    removed = sum(change.removed_lines for change in run.files_changed)
    return (
        run.id[:8],
        run.model,
        status,
        str(len(run.files_changed)),
        f"+{added} -{removed}",
        _seconds(run),
        test.detail,
    )


def _seconds(run: Run) -> str:
    if run.started_at is None or run.completed_at is None:
        return "-"
    spent = datetime.fromisoformat(run.completed_at) - datetime.fromisoformat(run.started_at)
    return f"{spent.total_seconds():.1f} s"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lay out ROWS below the heads, columns two blanks apart."""
    grid = [HEADS, *rows]
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    for row in grid:
        yield "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()


def _best(run: Run | None) -> Iterator[str]:
    if run is None or run.patch is None:
        yield "no answer passed the test"
        return
    yield f"the smallest answer that passes, {run.model}:"
    yield ""
    yield from run.patch.splitlines()


def _next(result: DemoResult) -> Iterator[str]:
    if result.folder is not None:
        yield f"kept in {result.folder}: the repository in toolshed, each answer in answers"
        yield from (f"  {line}" for line in _tour(result.folder, result.best or result.runs[0]))
    yield "next, with a model of your own:"
    yield "  export OPENAI_API_KEY=...  # or ANTHROPIC_API_KEY, GEMINI_API_KEY"
    yield "  cd YOUR_PROJECT"
    yield '  dursor run "WHAT TO CHANGE" -m gpt'


def _tour(folder: Path, run: Run) -> Iterator[str]:
    """Say how to look around in what was kept."""
    yield f"cd {shlex.quote(str(folder / 'toolshed'))}"
    yield f"export DURSOR_DATA_DIR={shlex.quote(str(folder / 'data'))}"
    yield f"dursor run show {run.id[:8]}"
    yield f"dursor run apply {run.id[:8]}"
