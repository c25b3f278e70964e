"""Records the runs of a round: events to the listener at once, rows to the store in batches."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dursor.domain import AttemptReply, LogEntry, Message, Run, RunStatus, Stage, Usage, now
from dursor.errors import DursorError
from dursor.secrets.redact import Redactor
from dursor.services.events import Listener, OutputGrew, RetryPlanned, RunFinished, StageEntered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dursor.agent.ask import RunSpec
    from dursor.agent.budget import Price
    from dursor.domain import Secret
    from dursor.services.ports import RunStore

PROGRESS_SECONDS = 0.25
MAX_NOTES = 50


class Recorder:
    """Keeps every run of a round up to date; lives in the event loop, writes in one thread.

    Updates that arrive during a write go into the next one together, so that hundreds of runs
    cost a handful of transactions.
    """

    def __init__(
        self,
        store: RunStore,
        runs: Sequence[Run],
        listener: Listener,
        known_keys: Iterable[Secret],
        specs: Mapping[str, RunSpec],
    ) -> None:
        self.runs = {run.id: run for run in runs}
        self.listener = listener
        keys = [spec.endpoint.key for spec in specs.values()]
        self.clean = Redactor([*keys, *known_keys]).clean
        self.failure: DursorError | None = None  # why the store lacks part of this round
        self._store = store
        self._changes: dict[str, dict[str, Any]] = {}
        self._finals: list[tuple[Run, Message | None]] = []
        self._replies: dict[tuple[str, int], str] = {}
        self._writer = ThreadPoolExecutor(1, "dursor-recorder")
        self._writing: asyncio.Task[None] | None = None

    def begin(self, run_id: str) -> None:
        """Mark a run as running."""
        self._change(run_id, status=RunStatus.RUNNING, started_at=now())

    def log(self, run_id: str, stage: Stage, message: str) -> None:
        """Log MESSAGE and report that the run is at STAGE."""
        entry = self.note(run_id, stage, message)
        self.listener(StageEntered(run_id, stage, entry.message, entry.at))

    def note(self, run_id: str, stage: Stage, message: str) -> LogEntry:
        """Log MESSAGE without an event."""
        entry = LogEntry(now(), stage, self.clean(message))
        self._change(run_id, logs=(*self.runs[run_id].logs, entry))
        return entry

    def notes(self, run_id: str, stage: Stage, messages: Sequence[str]) -> None:
        """Log the first MAX_NOTES of MESSAGES without events."""
        texts = [*messages[:MAX_NOTES]]
        if len(messages) > MAX_NOTES:
            texts.append(f"... and {len(messages) - MAX_NOTES} more")
        entries = [LogEntry(now(), stage, self.clean(text)) for text in texts]
        self._change(run_id, logs=(*self.runs[run_id].logs, *entries))

    def reply(self, run_id: str, attempt: int, text: str) -> None:
        """Store the reply of an attempt as soon as it is complete or cut."""
        run, reply = self.runs[run_id], AttemptReply(attempt, self.clean(text))
        others = (other for other in run.replies if other.attempt != attempt)
        self.runs[run_id] = replace(run, replies=(*others, reply))
        self._replies[run_id, attempt] = reply.text
        self._wake()

    def finish(self, run: Run, message: Message | None) -> None:
        """Store the end of a run, and MESSAGE for the conversation."""
        self.runs[run.id] = run
        self._changes.pop(run.id, None)
        self._finals.append((run, message))
        self._wake()
        self.listener(RunFinished(run))

    def _change(self, run_id: str, **fields: Any) -> None:
        self.runs[run_id] = replace(self.runs[run_id], **fields)
        self._changes.setdefault(run_id, {}).update(fields)
        self._wake()

    def _wake(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while (self._changes or self._finals or self._replies) and self.failure is None:
            changes, self._changes = self._changes, {}
            finals, self._finals = self._finals, []
            replies = [(run, AttemptReply(n, text)) for (run, n), text in self._replies.items()]
            self._replies = {}
            try:
                await loop.run_in_executor(
                    self._writer, self._store.record_runs, changes, finals, replies
                )
            except DursorError as error:
                self.failure = error  # the models continue: their replies are paid for

    async def close(self) -> None:
        """Wait until everything is stored, or `failure` is set."""
        while self._writing is not None and not self._writing.done():
            await self._writing
        self._writer.shutdown()


class RunObserver:
    """Reports the progress of one run to the recorder."""

    def __init__(self, recorder: Recorder, run_id: str, price: Price) -> None:
        self.recorder = recorder
        self.run_id = run_id
        self._price = price
        self._next = 0.0

    def stage(self, stage: Stage, message: str) -> None:
        """Log and report that the run is at STAGE."""
        self.recorder.log(self.run_id, stage, message)

    def notes(self, stage: Stage, messages: Sequence[str]) -> None:
        """Log details without an event."""
        self.recorder.notes(self.run_id, stage, messages)

    def progress(self, output_chars: int, usage: Usage | None) -> None:
        """Report, a few times a second, how long the reply is."""
        time = asyncio.get_running_loop().time()
        if time < self._next:
            return
        self._next = time + PROGRESS_SECONDS
        cost = None if usage is None else self._price(usage)
        self.recorder.listener(OutputGrew(self.run_id, output_chars, usage, cost))

    def retry(self, seconds: float, error: DursorError) -> None:
        """Log and report that the call is repeated after SECONDS."""
        reason = self.recorder.clean(error.message)
        self.recorder.note(self.run_id, Stage.CALL, f"retrying in {seconds:.1f} s ({reason})")
        self.recorder.listener(RetryPlanned(self.run_id, seconds, reason))

    def reply(self, attempt: int, text: str) -> None:
        """Store the text of ATTEMPT."""
        self.recorder.reply(self.run_id, attempt, text)
