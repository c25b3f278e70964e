"""How a round goes, while it goes: a live table on a terminal, a line for each stage elsewhere."""

from __future__ import annotations

import atexit
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from dursor import interrupts
from dursor.cli.output import formats
from dursor.cli.output.terminal import fit, is_terminal, one_line, tell
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

CHARS_PER_TOKEN = 4  # until the vendor says what was used
FRAMES_PER_SECOND = 5
CURSOR = "\x1b[?25h"
STAGE_CELLS = 32  # a reason is long, and takes no other column's room
MOST_ROWS = 40  # a window seldom shows more; the rest is counted


@contextmanager
def shown() -> Iterator[Listener]:
    """Give the listener that tells a round's story on stderr."""
    if is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb":
        with LiveTable() as rows:
            yield rows.hear
    else:
        yield StageLog().hear


class StageLog:
    """A plain line for every stage, retry and end."""

    def __init__(self) -> None:
        self._models: dict[str, str] = {}

    def hear(self, event: RoundEvent) -> None:
        """Say EVENT; growing answers go unsaid."""
        match event:
            case RoundStarted(runs=runs):
                self._models = {run.id: run.model for run in runs}
            case StageEntered(run_id=run_id, stage=stage, message=message):
                self._say(run_id, f"{stage}: {one_line(message)}")
            case RetryPlanned(run_id=run_id, seconds=seconds, reason=reason):
                self._say(run_id, f"again in {formats.duration(seconds)}: {one_line(reason)}")
            case RunFinished(run=run):
                self._say(run.id, ending(run))
            case Notice(message=message):
                tell(one_line(message))
            case OutputGrew():
                pass

    def _say(self, run_id: str, what: str) -> None:
        tell(f"{formats.short(run_id)} {one_line(self._models.get(run_id, ''))}: {what}")


def ending(run: Run) -> str:
    """Say how a run ended."""
    why = f" ({run.error.code}): {one_line(run.error.message)}" if run.error else ""
    time_taken = formats.duration(formats.elapsed(run))
    return f"{run.status}{why}, {time_taken}, {formats.cost(run.cost_usd)}"


@dataclass
class Row:
    """What the live table says of one run."""

    model: str
    stage: str = "queued"
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    tokens: int = 0
    cost_usd: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds until now, or until the end."""
        return (self.ended or time.monotonic()) - self.began


def _show_cursor() -> None:
    sys.stderr.write(CURSOR)
    sys.stderr.flush()


class LiveTable:
    """A live table, one line a run; drawn by Rich's own thread, events only note what is new."""

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

    def hear(self, event: RoundEvent) -> None:
        """Note EVENT."""
        match event:
            case RoundStarted(runs=runs):
                self._rows = {run.id: Row(run.model) for run in runs}
                self._start()
            case Notice(message=message):
                self._note(message)
            case RunFinished(run=run):
                self._finish(run)
            case StageEntered() | OutputGrew() | RetryPlanned():
                self._change(event)

    def _change(self, event: StageEntered | OutputGrew | RetryPlanned) -> None:
        row = self._rows.get(event.run_id)
        if row is None:
            return
        match event:
            case StageEntered(stage=stage):
                row.stage = str(stage)
            case OutputGrew(output_chars=chars, usage=usage, cost_usd=cost):
                row.tokens = usage.output_tokens if usage else chars // CHARS_PER_TOKEN
                row.cost_usd = cost
            case RetryPlanned(seconds=seconds, reason=reason):
                row.stage = f"again in {formats.duration(seconds)}: {one_line(reason)}"

    def _finish(self, run: Run) -> None:
        row = self._rows.setdefault(run.id, Row(run.model))
        row.stage = f"{run.status}: {run.error.code}" if run.error else str(run.status)
        row.ended = time.monotonic()
        row.cost_usd = run.cost_usd
        row.tokens = run.usage.output_tokens if run.usage else row.tokens

    def _start(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(
            console=Console(stderr=True, highlight=False),
            get_renderable=self._table,
            refresh_per_second=FRAMES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        atexit.register(_show_cursor)  # for the Ctrl-C that strikes while another is dealt with
        self._live.start()

    def _note(self, message: str) -> None:
        if self._live is None:
            tell(one_line(message))
        else:
            self._live.console.print(one_line(message), markup=False)

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for head in ("RUN", "MODEL", "STAGE", "TIME", "TOKENS", "COST"):
            table.add_column(head, no_wrap=True, overflow="ellipsis")
        rows = [*self._rows.items()]
        if len(rows) > MOST_ROWS:
            rows.sort(key=lambda one: one[1].ended is not None)
        for run_id, row in rows[:MOST_ROWS]:
            cells = (
                formats.short(run_id),
                one_line(row.model),
                fit(row.stage, STAGE_CELLS),
                formats.duration(row.seconds),
                formats.count(row.tokens),
                formats.cost(row.cost_usd),
            )
            table.add_row(*map(Text, cells))
        if len(rows) > MOST_ROWS:
            done = sum(row.ended is not None for _, row in rows)
            table.add_row("...", f"{len(rows)} runs, {done} done")
        return table
