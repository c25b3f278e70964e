"""Progress of a round on stderr: a live table on a terminal, a line per stage elsewhere."""

from __future__ import annotations

import atexit
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from dursor import interrupts
from dursor.cli.output.columns import format_status
from dursor.cli.output.formats import format_cost, format_count, format_duration, measure_elapsed
from dursor.cli.output.terminal import fit, is_terminal, print_stderr, to_one_line
from dursor.ids import short_id
from dursor.services.events import (
    Notice,
    OutputGrew,
    RetryPlanned,
    RoundEvent,
    RoundStarted,
    RunFinished,
    StageEntered,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.live import Live
    from rich.table import Table

    from dursor.domain import Run
    from dursor.services.events import Listener

CHARS_PER_TOKEN = 4  # until the vendor reports usage
FRAMES_PER_SECOND = 5
SHOW_CURSOR = "\x1b[?25h"
STAGE_CELLS = 32  # so that a long reason does not narrow the other columns
MAX_ROWS = 40  # more rarely fit a window


@contextmanager
def show_progress() -> Iterator[Listener]:
    """Return a listener that shows the events of a round on stderr."""
    if is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb":
        with LiveTable() as table:
            yield table.handle
    else:
        yield StageLog().handle


class StageLog:
    """Prints a plain line for every stage, retry and finished run."""

    def __init__(self) -> None:
        self._models: dict[str, str] = {}

    def handle(self, event: RoundEvent) -> None:
        """Print EVENT, unless it only reports more output."""
        match event:
            case RoundStarted(runs=runs):
                self._models = {run.id: run.model for run in runs}
            case StageEntered(run_id=run_id, stage=stage, message=message):
                self._print(run_id, f"{stage}: {to_one_line(message)}")
            case RetryPlanned(run_id=run_id):
                self._print(run_id, format_retry(event))
            case RunFinished(run=run):
                self._print(run.id, format_ending(run))
            case Notice(message=message):
                print_stderr(to_one_line(message))
            case OutputGrew():
                pass

    def _print(self, run_id: str, text: str) -> None:
        print_stderr(f"{short_id(run_id)} {to_one_line(self._models.get(run_id, ''))}: {text}")


def format_retry(event: RetryPlanned) -> str:
    """Format as `retrying in 2.0 s (429, rate limited)`."""
    return f"retrying in {format_duration(event.seconds)} ({to_one_line(event.reason)})"


def format_ending(run: Run) -> str:
    """Format the status, error, time and cost of a finished run."""
    error = f" ({run.error.code}): {to_one_line(run.error.message)}" if run.error else ""
    time_taken = format_duration(measure_elapsed(run))
    return f"{run.status}{error}, {time_taken}, {format_cost(run.cost_usd)}"


@dataclass
class Row:
    """The state of one run in the live table."""

    model: str
    stage: str = "queued"
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    tokens: int = 0
    cost_usd: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds until now, or until the end."""
        return (self.ended or time.monotonic()) - self.started

    def update(self, event: OutputGrew) -> None:
        """Show the size and cost of the output so far."""
        chars, usage = event.output_chars, event.usage
        self.tokens = usage.output_tokens if usage else chars // CHARS_PER_TOKEN
        self.cost_usd = event.cost_usd

    def finish(self, run: Run) -> None:
        """Show the final status, tokens and cost of RUN."""
        self.stage = format_status(run)
        self.ended = time.monotonic()
        self.cost_usd = run.cost_usd
        self.tokens = run.usage.output_tokens if run.usage else self.tokens


def _show_cursor() -> None:
    sys.stderr.write(SHOW_CURSOR)
    sys.stderr.flush()


class LiveTable:
    """A live table with a line per run; Rich's own thread draws it, events only update rows."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is None:
            return
        with interrupts.hold():
            self._live.stop()
            atexit.unregister(_show_cursor)

    def handle(self, event: RoundEvent) -> None:
        """Update the table with EVENT."""
        match event:
            case RoundStarted(runs=runs):
                self._rows = {run.id: Row(run.model) for run in runs}
                self._start()
            case StageEntered(run_id=run_id, stage=stage) if run_id in self._rows:
                self._rows[run_id].stage = str(stage)
            case OutputGrew(run_id=run_id) if run_id in self._rows:
                self._rows[run_id].update(event)
            case RetryPlanned(run_id=run_id) if run_id in self._rows:
                self._rows[run_id].stage = format_retry(event)
            case RunFinished(run=run):
                self._rows.setdefault(run.id, Row(run.model)).finish(run)
            case Notice(message=message):
                self._print(message)
            case _:
                pass  # of a run that this table does not show

    def _start(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(
            console=Console(stderr=True, highlight=False),
            get_renderable=self._render,
            refresh_per_second=FRAMES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        atexit.register(_show_cursor)  # for a second Ctrl-C, during the handling of the first
        self._live.start()

    def _print(self, message: str) -> None:
        if self._live is None:
            print_stderr(to_one_line(message))
        else:
            self._live.console.print(to_one_line(message), markup=False)

    def _render(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for head in ("RUN", "MODEL", "STAGE", "TIME", "TOKENS", "COST"):
            table.add_column(head, no_wrap=True, overflow="ellipsis")
        rows = [*self._rows.items()]
        if len(rows) > MAX_ROWS:
            rows.sort(key=lambda pair: pair[1].ended is not None)
        for run_id, row in rows[:MAX_ROWS]:
            cells = (
                short_id(run_id),
                to_one_line(row.model),
                fit(row.stage, STAGE_CELLS),
                format_duration(row.seconds),
                format_count(row.tokens),
                format_cost(row.cost_usd),
            )
            table.add_row(*map(Text, cells))
        if len(rows) > MAX_ROWS:
            done = sum(row.ended is not None for _, row in rows)
            table.add_row("...", f"{len(rows)} runs, {done} done")
        return table
