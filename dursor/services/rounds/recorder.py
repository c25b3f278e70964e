"""What happens to the runs of a round, told to the listener at once and to the store in batches."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dursor.domain import LogEntry, Message, Run, RunStatus, Stage, Usage, now
from dursor.errors import DursorError
from dursor.services.events import Listener, OutputGrew, RetryPlanned, RunFinished, StageEntered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dursor.secrets.redact import Redactor
    from dursor.store.write import Store

PROGRESS_SECONDS = 0.25
MOST_NOTES = 50


class Journal:
    """Keeps every run of a round up to date; lives in the event loop, writes in one thread.

    Updates that arrive while a write is under way go into the next one together, so that
    hundreds of runs cost a handful of transactions.
    """

    def __init__(
        self, store: Store, runs: Sequence[Run], listener: Listener, redactor: Redactor
    ) -> None:
        self.runs = {run.id: run for run in runs}
        self.listener = listener
        self.redactor = redactor
        self._store = store
        self._dirty: dict[str, dict[str, Any]] = {}
        self._finals: list[tuple[Run, Message | None]] = []
        self._writer = ThreadPoolExecutor(1, "dursor-journal")
        self._flushing: asyncio.Task[None] | None = None
        self.failure: DursorError | None = None  # what kept the store from taking part of this

    def begin(self, run_id: str) -> None:
        """RUN has its turn."""
        self._change(run_id, status=RunStatus.RUNNING, started_at=now())

    def log(self, run_id: str, stage: Stage, message: str) -> None:
        """RUN is at STAGE."""
        entry = self.note(run_id, stage, message)
        self.listener(StageEntered(run_id, stage, entry.message, entry.at))

    def note(self, run_id: str, stage: Stage, message: str) -> LogEntry:
        """Add to the log of RUN what the listener hears in another way."""
        entry = LogEntry(now(), stage, self.redactor.clean(message))
        self._change(run_id, logs=(*self.runs[run_id].logs, entry))
        return entry

    def notes(self, run_id: str, stage: Stage, messages: Sequence[str]) -> None:
        """Add to the log of RUN what is too much to be told, the first MOST_NOTES of it."""
        told = [*messages[:MOST_NOTES]]
        if len(messages) > MOST_NOTES:
            told.append(f"... and {len(messages) - MOST_NOTES} more")
        entries = [LogEntry(now(), stage, self.redactor.clean(one)) for one in told]
        self._change(run_id, logs=(*self.runs[run_id].logs, *entries))

    def finish(self, run: Run, message: Message | None) -> None:
        """RUN is over; MESSAGE is what it said, for the conversation."""
        self.runs[run.id] = run
        self._dirty.pop(run.id, None)
        self._finals.append((run, message))
        self._wake()
        self.listener(RunFinished(run))

    def _change(self, run_id: str, **fields: Any) -> None:
        self.runs[run_id] = replace(self.runs[run_id], **fields)
        self._dirty.setdefault(run_id, {}).update(fields)
        self._wake()

    def _wake(self) -> None:
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while (self._dirty or self._finals) and self.failure is None:
            dirty, self._dirty = self._dirty, {}
            finals, self._finals = self._finals, []
            try:
                await loop.run_in_executor(self._writer, self._store.record_runs, dirty, finals)
            except DursorError as error:
                self.failure = error  # the models go on: their answers are paid for

    async def close(self) -> None:
        """Wait until everything is stored, or `failure` says why it is not."""
        while self._flushing is not None and not self._flushing.done():
            await self._flushing
        self._writer.shutdown()


class RunWatch:
    """One run's voice in the journal."""

    def __init__(
        self, journal: Journal, run_id: str, cost: Callable[[Usage], float | None]
    ) -> None:
        self.journal = journal
        self.run_id = run_id
        self._cost = cost
        self._next = 0.0

    def stage(self, stage: Stage, message: str) -> None:
        """Log that the run is at STAGE."""
        self.journal.log(self.run_id, stage, message)

    def notes(self, stage: Stage, messages: Sequence[str]) -> None:
        """Log details that nobody needs to hear while the run goes on."""
        self.journal.notes(self.run_id, stage, messages)

    def progress(self, output_chars: int, usage: Usage | None) -> None:
        """Say, a few times a second, how far the answer has grown."""
        at = asyncio.get_running_loop().time()
        if at < self._next:
            return
        self._next = at + PROGRESS_SECONDS
        cost = None if usage is None else self._cost(usage)
        self.journal.listener(OutputGrew(self.run_id, output_chars, usage, cost))

    def retry(self, seconds: float, error: DursorError) -> None:
        """Log that the call is made again, and when."""
        reason = self.journal.redactor.clean(error.message)
        self.journal.note(self.run_id, Stage.CALL, f"retrying in {seconds:.1f} s ({reason})")
        self.journal.listener(RetryPlanned(self.run_id, seconds, reason))
