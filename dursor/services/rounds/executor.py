"""Executes the runs of a round: all models at once, each to its own end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor import interrupts
from dursor.agent.active_run import ActiveRun, RoundContext, RunResult
from dursor.agent.ask import CallContext
from dursor.agent.budget import Budget
from dursor.agent.exploration.files import RepositoryFiles
from dursor.agent.exploration.tools import Toolbox
from dursor.agent.steps import STEPS
from dursor.domain import Message, MessageKind, Role, Run, RunError, RunStatus, now
from dursor.errors import DursorError, InternalError, PatchError
from dursor.ids import new_id, short_id
from dursor.services.rounds.recorder import Recorder, RunObserver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
    from concurrent.futures import Executor

    from dursor.agent.ask import RunSpec
    from dursor.providers.client import ModelClient
    from dursor.services.rounds.limits import RoundLimits
    from dursor.services.rounds.plan import PlannedRound

log = logging.getLogger(__name__)
POLL_SECONDS = 0.2
ESTIMATED = "the stream was cut: usage and cost are estimates"


@dataclass(frozen=True)
class RoundExecutor:
    """Executes the stored runs of a planned round in this process."""

    plan: PlannedRound
    specs: Mapping[str, RunSpec]  # by run id
    recorder: Recorder
    client: ModelClient
    cancel_requested: Callable[[], Collection[str]]  # ids of runs to cancel

    async def run(self) -> bool:
        """Run everything to its end; returns whether Ctrl-C or SIGTERM cut it short."""
        # One thread: more would compete with the event loop for the interpreter.
        pool = ThreadPoolExecutor(1, "dursor-resolver")
        try:
            return await self._run_all(self._build_context(pool))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _build_context(self, pool: Executor) -> RoundContext:
        base, limits, selection = self.plan.base, self.plan.limits, self.plan.selection
        files = RepositoryFiles(base.start_tree, limits.rules, selection.mask)
        reserved: dict[str, float] = {}
        if limits.budget_usd is not None:
            reserved = {run_id: spec.first_call_usd or 0.0 for run_id, spec in self.specs.items()}
        budget = Budget(limits.budget_usd, reserved)
        calls = CallContext(self.client, limits.call_limits, budget, Toolbox(files))
        return RoundContext(
            base=base.tree,
            start=base.start,
            rules=limits.rules,
            max_files=limits.max_files,
            restore=selection.restore,
            mask=selection.mask,
            clean=self.recorder.clean,
            secrets=selection.placeholders,
            keys=tuple({spec.endpoint.key for spec in self.specs.values()}),
            calls=calls,
            pool=pool,
        )

    async def _run_all(self, context: RoundContext) -> bool:
        slots = _Slots(self.plan.limits)
        interrupted = False
        with _cancel_on_signals():
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = {
                        run_id: group.create_task(self._run_one(context, run_id, slots))
                        for run_id in self.specs
                    }
                    poller = asyncio.create_task(self._poll(tasks))
                    try:
                        await asyncio.wait(tasks.values())
                    finally:
                        poller.cancel()
            except asyncio.CancelledError:
                interrupted = True
                if task := asyncio.current_task():
                    task.uncancel()  # results can still be stored
        try:
            await self.recorder.close()
        finally:
            await self.client.aclose()
        return interrupted

    async def _poll(self, tasks: dict[str, asyncio.Task[None]]) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            for run_id in self.cancel_requested():
                tasks[run_id].cancel()

    async def _run_one(self, context: RoundContext, run_id: str, slots: _Slots) -> None:
        spec = self.specs[run_id]
        observer = RunObserver(self.recorder, run_id, spec.price)
        active = ActiveRun(context, run_id, spec, observer)
        try:
            async with slots.take(spec):
                self.recorder.begin(run_id)
                result = await active.run(STEPS)
        except asyncio.CancelledError:
            self._end(active, RunStatus.CANCELED)
        except DursorError as error:
            self._end(active, RunStatus.FAILED, error=error)
        except Exception as error:  # a bug in one run must not end the others
            log.debug("internal error in run %s", run_id, exc_info=error)
            hint = "export DURSOR_LOG_LEVEL=debug, try again, and report what it prints"
            failure = InternalError(f"internal error: {type(error).__name__}: {error}", hint=hint)
            self._end(active, RunStatus.FAILED, error=failure)
        else:
            self._succeed(active, result)

    def _succeed(self, active: ActiveRun, result: RunResult) -> None:
        run = self._build_final(active, RunStatus.SUCCEEDED)
        clean = self.recorder.clean
        run = replace(
            run,
            summary=None if result.summary is None else clean(result.summary),
            patch=result.patch.text,
            files_changed=result.files,
            warnings=(*run.warnings, *result.warnings),
        )
        content, kind = clean(result.text), MessageKind.REPLY
        message = Message(
            new_id(), run.task_id, Role.ASSISTANT, kind, content, now(), run_id=run.id
        )
        self.recorder.finish(run, message)

    def _end(
        self, active: ActiveRun, status: RunStatus, *, error: DursorError | None = None
    ) -> None:
        clean = self.recorder.clean
        message = "canceled" if error is None else f"failed: {error.message}"
        self.recorder.log(active.run_id, active.stage, message)
        run = self._build_final(active, status)
        if error is not None:
            hint = error.hint
            if hint is None and isinstance(error, PatchError):
                hint = f"dursor run show {short_id(run.id)} --reply"
            run = replace(run, error=RunError(error.code, clean(error.message), hint, active.stage))
        self.recorder.finish(run, None)

    def _build_final(self, active: ActiveRun, status: RunStatus) -> Run:
        run, session = self.recorder.runs[active.run_id], active.session
        return replace(
            run,
            status=status,
            usage=session.usage.usage,
            cost_usd=session.usage.cost_usd,
            attempts=session.attempts,
            warnings=(*run.warnings, *([ESTIMATED] if session.usage.estimated else [])),
            completed_at=now(),
        )


class _Slots:
    """Limits the number of active runs: in all, and at one vendor."""

    def __init__(self, limits: RoundLimits) -> None:
        self._all = asyncio.Semaphore(limits.jobs) if limits.jobs else None
        self._vendors: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(limits.concurrency)
        )

    @contextlib.asynccontextmanager
    async def take(self, spec: RunSpec) -> AsyncIterator[None]:
        """Wait for a free slot and hold it."""
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(self._vendors[spec.endpoint.provider])
            if self._all is not None:
                await stack.enter_async_context(self._all)
            yield


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
