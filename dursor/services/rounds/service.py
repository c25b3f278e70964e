"""Start, detach, retry, preview and watch rounds."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dursor import interrupts
from dursor.context.selection.render import count_tokens
from dursor.domain import Choices, Run, RunStatus, now
from dursor.errors import DursorError, UsageError
from dursor.ids import new_id
from dursor.services.events import Listener, Notice, RoundStarted, RunFinished, StageEntered
from dursor.services.request import ContextRequest, ModelCount, RoundRequest
from dursor.services.results import ContextPlan, PlannedModel, RoundPlan, RoundResult, WithheldPath
from dursor.services.rounds.recorder import Recorder
from dursor.services.tasks import build_title, create_task

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from dursor.agent.ask import RunSpec
    from dursor.providers.client import ModelClient
    from dursor.services.ports import Executor, RunStore
    from dursor.services.rounds.plan import ContextPreview, PlannedRound, PlannedRun, Planner
    from dursor.services.runs import Runs
    from dursor.store.lease import Lease
    from dursor.store.read import Reader
    from dursor.store.rounds import StoredRound

    ExecutorFactory = Callable[
        [PlannedRound, Mapping[str, RunSpec], Recorder, ModelClient, Callable[[], Collection[str]]],
        Executor,
    ]

WATCH_SECONDS = 0.2


@dataclass(frozen=True)
class RoundService:
    """Starts, repeats and watches rounds."""

    planner: Planner
    reader: Reader
    runs: Runs
    open_store: Callable[[], RunStore]
    acquire_lease: Callable[[], Lease]
    make_client: Callable[[], ModelClient]
    make_executor: ExecutorFactory
    spawn: Callable[[dict[str, Any], Lease], None]

    def start(self, request: RoundRequest, listener: Listener) -> RoundResult:
        """Run a round to its end; Ctrl-C cancels its active runs."""
        with self.planner.plan(request) as plan:
            return self._run(plan, listener)

    def retry(self, reference: str, choices: Choices, listener: Listener) -> RoundResult:
        """Add a run to the round of a run: the same model and options, overridden by CHOICES."""
        run = self.runs.find(reference)
        choices = choices.override(run.overrides or run.round.choices)
        models = (ModelCount(run.model, 1),)
        request = RoundRequest(run.round.instruction, models, choices=choices)
        with self.planner.replan(run.round, request) as plan:
            return self._run(plan, listener)

    def _run(self, plan: PlannedRound, listener: Listener) -> RoundResult:
        client = self._open_client(plan)
        lease = self.acquire_lease()
        try:
            interrupts.check()
            with interrupts.hold():  # once rows exist, Ctrl-C cancels them
                stored = self._store(plan, lease, listener)
                return self._execute(plan, stored, lease.id, listener, client)
        finally:
            lease.release()

    def detach(self, request: RoundRequest, listener: Listener) -> RoundResult:
        """Store a round and leave it to a worker process that outlives this one."""
        with self.planner.plan(request) as plan:
            lease = self.acquire_lease()
            try:
                interrupts.check()
                with interrupts.hold():
                    stored = self._store(plan, lease, listener)
                    listener(RoundStarted(stored.task, stored.runs))
                    self.spawn(_build_order(plan, request, stored, lease), lease)
            except DursorError:
                lease.release()
                raise
        lease.hand_over()
        return RoundResult(stored.task, stored.round, stored.runs)

    def adopt(self, order: dict[str, Any], listener: Listener) -> RoundResult:
        """Run, in a worker, the round that `detach` stored."""
        from dursor.store.rounds import StoredRound

        request = RoundRequest.from_json(order["request"])
        runs = tuple(self.reader.run(run_id) for run_id in order["runs"])
        round_ = runs[0].round
        with self.planner.replan(round_, request) as plan:
            stored = StoredRound(self.reader.task(round_.task_id), round_, runs)
            client = self._open_client(plan)
            return self._execute(plan, stored, order["lease"], listener, client)

    def _open_client(self, plan: PlannedRound) -> ModelClient:
        client = self.make_client()
        client.warm([run.spec.endpoint for run in plan.runs])
        return client

    def _store(self, plan: PlannedRound, lease: Lease, listener: Listener) -> StoredRound:
        """Write task, round, instruction and queued runs in one transaction."""
        base, round_ = plan.base, plan.round
        task, message = None, None
        if base.task is None:
            task = create_task(base.repo.id, build_title(round_.instruction))
        if not round_.number:
            message = replace(round_.message, id=new_id())
        stored = self.open_store().start_round(
            round_,
            [_queue(plan, run) for run in plan.runs],
            task=task,
            repo=base.repo if base.repo_is_new else None,
            message=message,
            lease=lease.id,
        )
        warnings = itertools.chain.from_iterable(run.warnings for run in stored.runs)
        for warning in dict.fromkeys(warnings):
            listener(Notice(warning))
        return stored

    def _execute(
        self,
        plan: PlannedRound,
        stored: StoredRound,
        lease_id: str,
        listener: Listener,
        client: ModelClient,
    ) -> RoundResult:
        specs = {run.id: planned.spec for run, planned in zip(stored.runs, plan.runs, strict=True)}
        known_keys = self.planner.models.keys.list_environment_keys()
        recorder = Recorder(self.open_store(), stored.runs, listener, known_keys, specs)
        listener(RoundStarted(stored.task, stored.runs))
        for event in _list_events(stored.runs, {}):
            listener(event)
        executor = self.make_executor(
            plan, specs, recorder, client, lambda: self.reader.cancel_requested(lease_id)
        )
        interrupted = asyncio.run(executor.run())
        return RoundResult(
            stored.task,
            stored.round,
            tuple(recorder.runs.values()),
            interrupted,
            plan.limits.require,
            failure=recorder.failure,
        )

    def plan(self, request: RoundRequest) -> RoundPlan:
        """Return the context and maximum cost of a round; nothing is stored or sent."""
        with self.planner.plan(request) as plan:
            models = [
                _summarize_model(list(runs))
                for _, runs in itertools.groupby(plan.runs, lambda run: run.profile)
            ]
            warnings = [warning for run in plan.runs for warning in run.warnings]
            return RoundPlan(_summarize_context(plan, warnings), tuple(models))

    def context(self, request: ContextRequest) -> ContextPlan:
        """Return the context of a round with this instruction, file by file."""
        choices = Choices(request.files, request.context_budget)
        round_request = RoundRequest(
            request.instruction, repo=request.repo, base=request.base, choices=choices
        )
        with self.planner.preview(round_request) as preview:
            return _summarize_context(preview)

    def watch(self, references: Sequence[str], listener: Listener) -> RoundResult:
        """Follow runs of any process until all are final."""
        ids = [self.runs.find(reference).id for reference in references]
        if not ids:
            raise UsageError("no run given", hint="dursor run list")
        runs = tuple(self.runs.find(run_id) for run_id in ids)
        task, round_ = self.runs.find_common_task(runs), self.runs.find_common_round(runs)
        if task is not None:
            listener(RoundStarted(task, runs))
        reported: dict[str, int] = {}
        while True:
            runs = tuple(self.runs.find(run_id) for run_id in ids)
            for event in _list_events(runs, reported):
                listener(event)
            if all(run.status.is_final for run in runs):
                return RoundResult(task, round_, runs)
            time.sleep(WATCH_SECONDS)  # another process runs them: the store is polled


def _queue(plan: PlannedRound, planned: PlannedRun) -> Run:
    """Build the row of a planned run; a retry takes the next sample of its model."""
    is_retry = bool(plan.round.number)
    context = plan.selection.to_context_files()
    return Run(
        id=new_id(),
        round=plan.round,
        sample=0 if is_retry else planned.sample,
        model_id=planned.profile.id,
        model=planned.profile.name,
        provider=planned.profile.provider,
        model_name=planned.spec.endpoint.model_name,
        status=RunStatus.QUEUED,
        created_at=now() if is_retry else plan.round.created_at,
        warnings=(*plan.warnings, *planned.warnings),
        logs=plan.logs if is_retry else (),
        context=context if context != plan.round.context else None,
        overrides=plan.choices if plan.choices != plan.round.choices else None,
    )


def _build_order(
    plan: PlannedRound, request: RoundRequest, stored: StoredRound, lease: Lease
) -> dict[str, Any]:
    """Build the order that a worker reads from its standard input, keys included."""
    return {
        "request": request.to_json(),
        "runs": [run.id for run in stored.runs],
        "keys": {run.profile.id: run.spec.endpoint.key.reveal() for run in plan.runs},
        "lease": lease.id,
    }


def _summarize_context(preview: ContextPreview, warnings: Sequence[str] = ()) -> ContextPlan:
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


def _summarize_model(runs: Sequence[PlannedRun]) -> PlannedModel:
    profile, usd = runs[0].profile, runs[0].spec.first_call_usd
    worst_usd = None if usd is None else usd * len(runs)
    return PlannedModel(profile.name, profile.provider, profile.model_name, len(runs), worst_usd)


def _list_events(
    runs: Sequence[Run], reported: dict[str, int]
) -> Iterator[StageEntered | RunFinished]:
    """Yield the events of RUNS after those REPORTED: log entries by run id, -1 when finished."""
    for run in runs:
        count = reported.get(run.id, 0)
        if count < 0:
            continue
        for entry in run.full_log[count:]:
            yield StageEntered(run.id, entry.stage, entry.message, entry.at)
        reported[run.id] = len(run.full_log)
        if run.status.is_final:
            reported[run.id] = -1
            yield RunFinished(run)
