"""Rounds: one instruction, one base, the same context, N runs."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dursor import interrupts
from dursor.agent.attempt import Ask, Ground
from dursor.agent.budget import Meter
from dursor.agent.conversation import most_tokens
from dursor.agent.files import RepositoryFiles
from dursor.agent.tools import Toolbox
from dursor.context.selection.render import count_tokens
from dursor.domain import Choices, Message, Role, Run, RunStatus, Task, new_id, now
from dursor.errors import DursorError, InternalError, UsageError
from dursor.secrets.redact import Redactor
from dursor.services.events import Listener, Notice, RoundStarted, RunFinished, StageEntered
from dursor.services.request import ContextRequest, ModelCount, RoundRequest
from dursor.services.results import ContextPlan, PlannedModel, RoundPlan, RoundResult, WithheldPath
from dursor.services.rounds.executor import Execution
from dursor.services.rounds.recorder import Journal
from dursor.services.tasks import new_task, title_of
from dursor.tree import Overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dursor.providers.client import ModelClient
    from dursor.services.rounds.plan import Plan, Planner
    from dursor.services.runs import Runs
    from dursor.store.lease import Lease
    from dursor.store.read import Reader
    from dursor.store.write import Store

WATCH_SECONDS = 0.2


@dataclass(frozen=True)
class Rounds:
    """Starts, watches and repeats rounds."""

    planner: Planner
    reader: Reader
    runs: Runs
    open_store: Callable[[], Store]
    acquire_lease: Callable[[], Lease]
    make_client: Callable[[], ModelClient]
    spawn: Callable[[dict[str, Any], Lease], None]

    def start(self, request: RoundRequest, listener: Listener) -> RoundResult:
        """Run a round to its end; on Ctrl-C what ran is canceled and the result says so."""
        plan = self.planner.plan(request)
        try:
            return self._run(plan, listener)
        finally:
            plan.close()

    def _run(self, plan: Plan, listener: Listener, former: Run | None = None) -> RoundResult:
        caller = self._warm_caller(plan)
        lease = self.acquire_lease()
        try:
            interrupts.check()
            with interrupts.hold():  # once there are rows, Ctrl-C cancels them
                task, runs = self._record(plan, lease, listener, former)
                return self._execute(plan, task, runs, listener, caller)
        finally:
            lease.release()

    def _warm_caller(self, plan: Plan) -> ModelClient:
        caller = self.make_client()
        caller.warm([target.endpoint for target in plan.targets])
        return caller

    def _execute(
        self, plan: Plan, task: Task, runs: Sequence[Run], listener: Listener, caller: ModelClient
    ) -> RoundResult:
        """Run what has been recorded."""
        asks = [
            self.planner.ask(target, run.id) for target, run in zip(plan.targets, runs, strict=True)
        ]
        known = self.planner.models.keys.list_environment_keys()
        redactor = Redactor([*(ask.endpoint.key for ask in asks), *known])
        listener(RoundStarted(task, tuple(runs)))
        for event in _news(runs, {}):
            listener(event)
        journal = Journal(self.open_store(), runs, listener, redactor)
        finished, interrupted = asyncio.run(self._executed(plan, asks, journal, caller))
        return RoundResult(
            task, tuple(finished), interrupted, plan.bounds.require, failure=journal.failure
        )

    async def _executed(
        self,
        plan: Plan,
        asks: Sequence[Ask],
        journal: Journal,
        caller: ModelClient,
    ) -> tuple[list[Run], bool]:
        standing, bounds = plan.standing, plan.bounds
        tree = Overlay(standing.base, standing.start.changes)
        desk = ThreadPoolExecutor(1, "dursor-desk")  # more would only fight for the interpreter
        ground = Ground(
            standing.base,
            standing.start,
            bounds.rules,
            bounds.max_files,
            plan.selection.restore,
            plan.selection.mask,
            plan.selection.placeholders,
            tuple({ask.endpoint.key for ask in asks}),
            caller,
            bounds.limits,
            _meter(bounds.budget_usd, asks),
            Toolbox(RepositoryFiles(tree, bounds.rules, plan.selection.mask)),
            desk,
        )
        lease = journal.runs[asks[0].run_id].lease or ""
        execution = Execution(
            ground, bounds, asks, journal, lambda: self.reader.cancel_requested(lease)
        )
        try:
            interrupted = await execution.run()
        finally:
            desk.shutdown(wait=False, cancel_futures=True)
        return list(journal.runs.values()), interrupted

    def _record(
        self, plan: Plan, lease: Lease, listener: Listener, former: Run | None = None
    ) -> tuple[Task, tuple[Run, ...]]:
        """Write task, instruction and queued runs in one transaction.

        What is tried once more is a further sample in the round of FORMER, where all was said.
        """
        standing, at = plan.standing, now()
        task = standing.task or new_task(standing.repo.id, title_of(plan.instruction))
        said = Message(new_id(), task.id, Role.USER, plan.instruction, None, at)
        runs = [self._queued(plan, task, index, lease.id, at) for index in range(len(plan.targets))]
        if former is not None:
            runs = [replace(run, round=former.round, sample=0) for run in runs]
        repo = standing.repo if standing.repo_is_new else None
        new = None if standing.task else task
        messages = [said] if former is None else []
        stored, queued = self.open_store().start_round(new, repo, messages, runs)
        for warning in dict.fromkeys(one for run in queued for one in run.warnings):
            listener(Notice(warning))
        return stored, queued

    def _queued(self, plan: Plan, task: Task, index: int, lease: str, at: str) -> Run:
        target, standing = plan.targets[index], plan.standing
        return Run(
            id=new_id(),
            task_id=task.id,
            round=0,  # the store numbers it
            sample=target.sample,
            parent_run_id=standing.parent.id if standing.parent else None,
            model_id=target.profile.id,
            model=target.profile.name,
            provider=target.profile.provider,
            model_name=target.endpoint.model_name,
            instruction=plan.instruction,
            base_ref=standing.base_ref,
            base_commit=standing.base_commit,
            dirty=standing.dirty,
            dirty_patch=standing.dirty_patch,
            status=RunStatus.QUEUED,
            created_at=at,
            warnings=(*plan.warnings, *target.fitted.warnings),
            context=plan.selection.to_context_files(),
            logs=plan.logs,
            lease=lease,
            choices=plan.choices,
        )

    def detach(self, request: RoundRequest, listener: Listener) -> RoundResult:
        """Record a round and leave it to a worker process that outlives this one."""
        plan = self.planner.plan(request)
        lease = self.acquire_lease()
        try:
            interrupts.check()
            with interrupts.hold():
                task, runs = self._record(plan, lease, listener)
                listener(RoundStarted(task, tuple(runs)))
                self.spawn(_orders(plan, request, runs, lease), lease)
        except DursorError:
            lease.release()
            raise
        finally:
            plan.close()
        lease.hand_over()
        return RoundResult(task, tuple(runs))

    def adopt(self, spec: dict[str, Any], listener: Listener) -> RoundResult:
        """Run, in a worker, the round that `detach` recorded."""
        request = RoundRequest.from_json(spec["request"])
        runs = [self.reader.run(run_id) for run_id in spec["runs"]]
        plan = self.planner.again(runs[0], request)
        try:
            task = self.reader.task(runs[0].task_id)
            return self._execute(plan, task, runs, listener, self._warm_caller(plan))
        finally:
            plan.close()

    def retry(self, run: str, also: Choices, listener: Listener) -> RoundResult:
        """A new run of the same model, base, instruction and choices as RUN, and what ALSO says."""
        former = self.runs.find(run)
        models, choices = (ModelCount(former.model, 1),), also.over(former.choices)
        request = RoundRequest(former.instruction, models, choices=choices)
        plan = self.planner.again(former, request)
        try:
            return self._run(plan, listener, former)
        finally:
            plan.close()

    def plan(self, request: RoundRequest) -> RoundPlan:
        """What a round would do; nothing is written or sent."""
        plan = self.planner.plan(request)
        plan.close()
        models = [
            PlannedModel(profile.name, profile.provider, profile.model_name, samples, worst)
            for profile, samples, worst in self.planner.priced(plan)
        ]
        return RoundPlan(_context(plan), tuple(models))

    def context(self, request: ContextRequest) -> ContextPlan:
        """What a round with this instruction would send, file by file."""
        asked = RoundRequest(
            request.instruction,
            repo=request.repo,
            base=request.base,
            choices=Choices(request.files, request.context_budget),
        )
        return _context(self.planner.look(asked))

    def watch(self, runs: Sequence[str], listener: Listener) -> RoundResult:
        """Follow runs of any process until all are final."""
        ids = [self.runs.find(one).id for one in runs]
        if not ids:
            raise UsageError("no run named", hint="dursor run list")
        found = [self.runs.find(one) for one in ids]
        task = self.runs.find_common_task(found)
        if task is not None:
            listener(RoundStarted(task, tuple(found)))
        heard: dict[str, int] = {}
        while True:
            current = [self.runs.find(one) for one in ids]
            for event in _news(current, heard):
                listener(event)
            if all(run.status.is_final for run in current):
                return RoundResult(task, tuple(current))
            time.sleep(WATCH_SECONDS)  # another process works; the store is how it tells


def _orders(plan: Plan, request: RoundRequest, runs: Sequence[Run], lease: Lease) -> dict[str, Any]:
    """What a worker must know to run what has been recorded."""
    return {
        "request": request.to_json(),
        "runs": [run.id for run in runs],
        "keys": {target.profile.id: target.endpoint.key.reveal() for target in plan.targets},
        "lease": lease.id,
    }


def _meter(budget_usd: float | None, asks: Sequence[Ask]) -> Meter:
    if budget_usd is None:
        return Meter(None)
    worst = {ask.run_id: ask.worst_case(most_tokens(ask.prompt)) or 0.0 for ask in asks}
    return Meter(budget_usd, worst)


def _news(runs: Sequence[Run], heard: dict[str, int]) -> Iterator[StageEntered | RunFinished]:
    """What RUNS tell beyond what was heard already; `heard` counts entries, -1 for finished."""
    for run in runs:
        count = heard.get(run.id, 0)
        if count < 0:
            continue
        for entry in run.logs[count:]:
            yield StageEntered(run.id, entry.stage, entry.message, entry.at)
        heard[run.id] = len(run.logs)
        if run.status.is_final:
            heard[run.id] = -1
            yield RunFinished(run)


def _context(plan: Plan) -> ContextPlan:
    selection = plan.selection
    return ContextPlan(
        plan.standing.base_commit,
        selection.budget,
        selection.file_tokens,
        max(selection.total_tokens, count_tokens(selection)),
        selection.to_context_files(),
        tuple(WithheldPath(one.path, one.reason) for one in selection.withheld),
        tuple(dict.fromkeys(_warnings(plan))),
    )


def _warnings(plan: Plan) -> Iterator[str]:
    """What a person should know before a round like PLAN."""
    yield from plan.warnings
    for target in plan.targets:
        yield from target.fitted.warnings
    selection = plan.selection
    if not count_tokens(selection):
        yield "this commit has no file that may be sent"
    elif selection.budget and not (selection.files or selection.added or selection.changed):
        yield "no file was found that fits the budget: raise --context-budget, or use --file"


def spec_of(text: str) -> dict[str, Any]:
    """The worker's orders, as `detach` wrote them."""
    try:
        spec: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise InternalError("the worker was started without orders") from error
    return spec
