"""A planned round, run: every model at once, each to its own honest end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor import interrupts
from dursor.agent.attempt import Answer, Ask, Attempt, Ground
from dursor.domain import Message, Role, Run, RunError, RunStatus, new_id, now
from dursor.errors import DursorError, InternalError
from dursor.services.rounds.recorder import Journal, RunWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence

    from dursor.services.rounds.plan import Bounds

log = logging.getLogger(__name__)
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Execution:
    """One round under way."""

    ground: Ground
    bounds: Bounds
    asks: Sequence[Ask]
    journal: Journal
    canceled: Callable[[], Collection[str]]  # run ids that another process asks to cancel

    async def run(self) -> bool:
        """Run everything to its end; True when Ctrl-C or SIGTERM cut it short."""
        gates = _Gates(self.bounds)
        interrupted = False
        with _cancel_on_signals():
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = {
                        ask.run_id: group.create_task(self._one(ask, gates)) for ask in self.asks
                    }
                    poller = asyncio.create_task(self._poll(tasks))
                    try:
                        await asyncio.wait(tasks.values())
                    finally:
                        poller.cancel()
            except asyncio.CancelledError:
                interrupted = True
                _forgive()
        try:
            await self.journal.close()
        finally:
            await self.ground.caller.aclose()
        return interrupted

    async def _poll(self, tasks: dict[str, asyncio.Task[None]]) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            for run_id in self.canceled():
                tasks[run_id].cancel()

    async def _one(self, ask: Ask, gates: _Gates) -> None:
        watch = RunWatch(self.journal, ask.run_id, ask.price)
        attempt = Attempt(self.ground, ask, watch)
        try:
            async with gates.open(ask):
                self.journal.begin(ask.run_id)
                answer = await attempt.run()
        except asyncio.CancelledError:
            self._end(attempt, RunStatus.CANCELED)
        except DursorError as error:
            self._end(attempt, RunStatus.FAILED, error=error)
        except Exception as error:  # a bug in one run must not take the others along
            log.debug("a bug in run %s", ask.run_id, exc_info=error)
            self._end(attempt, RunStatus.FAILED, error=_internal(error))
        else:
            self._succeed(attempt, answer)

    def _succeed(self, attempt: Attempt, answer: Answer) -> None:
        run = self._ended(attempt, RunStatus.SUCCEEDED)
        clean = self.journal.redactor.clean
        run = replace(
            run,
            summary=None if answer.summary is None else clean(answer.summary),
            patch=answer.patch.text,
            files_changed=answer.files,
            warnings=(*run.warnings, *answer.warnings),
        )
        said = Message(new_id(), run.task_id, Role.ASSISTANT, clean(answer.text), run.id, now())
        self.journal.finish(run, said)

    def _end(
        self, attempt: Attempt, status: RunStatus, *, error: DursorError | None = None
    ) -> None:
        clean = self.journal.redactor.clean
        message = "canceled" if error is None else f"failed: {error.message}"
        self.journal.log(attempt.ask.run_id, attempt.stage, message)
        run = self._ended(attempt, status)
        if error is not None:
            told = RunError(error.code, clean(error.message), error.hint, attempt.stage)
            run = replace(run, error=told)
        self.journal.finish(run, None)

    def _ended(self, attempt: Attempt, status: RunStatus) -> Run:
        run, spending = self.journal.runs[attempt.ask.run_id], attempt.spending
        estimate = ("the stream was cut: usage and cost are estimates",)
        return replace(
            run,
            status=status,
            usage=spending.usage,
            cost_usd=spending.cost_usd,
            attempts=attempt.attempts,
            warnings=(*run.warnings, *(estimate if spending.estimated else ())),
            completed_at=now(),
        )


class _Gates:
    """How many runs may be under way at once: in all, and at one vendor."""

    def __init__(self, bounds: Bounds) -> None:
        self._all = asyncio.Semaphore(bounds.jobs) if bounds.jobs else None
        self._vendors: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(bounds.concurrency)
        )

    @contextlib.asynccontextmanager
    async def open(self, ask: Ask) -> AsyncIterator[None]:
        """Wait for a turn."""
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self._vendors[ask.endpoint.provider])
            if self._all is not None:
                await stack.enter_async_context(self._all)
            yield


def _internal(error: Exception) -> DursorError:
    return InternalError(
        f"internal error: {type(error).__name__}: {error}",
        hint="export DURSOR_LOG_LEVEL=debug, try again, and report what it prints",
    )


def _forgive() -> None:
    """Take the cancellation back, so that what was done can still be stored."""
    if (task := asyncio.current_task()) is not None:
        task.uncancel()


@contextlib.contextmanager
def _cancel_on_signals() -> Iterator[None]:
    """Cancel this task on Ctrl-C and, where the platform has it, on SIGTERM."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is None:
        raise AssertionError
    with contextlib.ExitStack() as stack:
        stack.enter_context(
            interrupts.call_on_interrupt(lambda: loop.call_soon_threadsafe(task.cancel))
        )
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(signal.SIGTERM, task.cancel)  # not on Windows, or in a thread
            stack.callback(loop.remove_signal_handler, signal.SIGTERM)
        yield
