"""A round before it starts: everything that can fail cheaply fails here."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from dursor.agent.ask import RunSpec
from dursor.context.selection.path_typos import find_typo
from dursor.domain import LogEntry, Round, Stage, now
from dursor.errors import BudgetError
from dursor.ids import new_id, short_id
from dursor.providers import prices
from dursor.secrets.redact import MARK, Redactor
from dursor.secrets.scan import replace_secrets
from dursor.services.rounds.context import ContextBuilder
from dursor.services.rounds.limits import read_repo_policy, resolve_limits
from dursor.tree import NOT_FETCHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from dursor.config import Settings
    from dursor.context.selection.selection import Selection
    from dursor.domain import Choices, ModelProfile, Usage
    from dursor.providers.base import Endpoint
    from dursor.services.models import Models
    from dursor.services.request import RoundRequest
    from dursor.services.rounds.base import BaseResolver, RoundBase
    from dursor.services.rounds.context import FittedPrompt
    from dursor.services.rounds.limits import RoundLimits

MISSING_FILES = (
    "this partial clone lacks {} files of the commit, which the context leaves out "
    "(git sparse-checkout add FOLDER, or git fetch --refetch --no-filter)"
)
REDACTED = f"the instruction contains a secret or a similar string, which was sent as {MARK}"


@dataclass(frozen=True)
class PlannedRun:
    """One run of a planned round."""

    profile: ModelProfile
    sample: int
    spec: RunSpec
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class ContextPreview:
    """The context that every model of a round receives."""

    base: RoundBase
    limits: RoundLimits
    selection: Selection
    choices: Choices  # with paths from the repository's top
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class PlannedRound(ContextPreview):
    """A round that may start."""

    logs: tuple[LogEntry, ...]
    round: Round
    runs: tuple[PlannedRun, ...]


@dataclass(frozen=True)
class Planner:
    """Plans rounds. A planned round's repository is open inside the `with` block."""

    settings: Settings
    models: Models
    bases: BaseResolver
    cwd: Path

    @contextmanager
    def plan(self, request: RoundRequest) -> Iterator[PlannedRound]:
        """Plan a new round; nothing has been stored or sent when this raises."""
        models = self.models.choose(request.models)
        with self.bases.resolve(request) as base:
            yield self._plan(request, models, base, None)

    @contextmanager
    def replan(self, round_: Round, request: RoundRequest) -> Iterator[PlannedRound]:
        """Plan runs of the stored ROUND_ with the models and options of REQUEST."""
        models = self.models.choose(request.models)
        with self.bases.reopen(round_) as base:
            files = tuple(str(base.repository.top / path) for path in round_.choices.files)
            request = replace(request, choices=replace(request.choices, files=files))
            yield self._plan(request, models, base, round_)

    @contextmanager
    def preview(self, request: RoundRequest) -> Iterator[ContextPreview]:
        """Select the context of REQUEST, without models."""
        with self.bases.resolve(request) as base:
            policy = read_repo_policy(base.committed)
            limits = resolve_limits(self.settings, request, policy)
            yield self._select(request, base, limits, policy.warnings)

    def _plan(
        self,
        request: RoundRequest,
        models: Sequence[tuple[ModelProfile, int]],
        base: RoundBase,
        stored: Round | None,
    ) -> PlannedRound:
        policy = read_repo_policy(base.committed)
        limits = resolve_limits(self.settings, request, policy)
        endpoints = [
            self.models.build_endpoint(profile, limits.max_output_tokens) for profile, _ in models
        ]
        instruction = self._redact(request.instruction, endpoints)
        warnings = (*policy.warnings, *base.warnings)
        if instruction != request.instruction:
            request, warnings = replace(request, instruction=instruction), (*warnings, REDACTED)
        prepared = LogEntry(now(), Stage.PREPARE, _describe_base(base))
        number = 0 if stored is None else stored.number
        preview = self._select(request, base, limits, warnings, number)
        logs = (prepared, LogEntry(now(), Stage.CONTEXT, _describe_selection(preview.selection)))
        round_ = stored or _new_round(instruction, preview, logs)
        runs = self._plan_runs(preview, instruction, models, endpoints)
        _check_budget(runs, limits.budget_usd)
        return PlannedRound(**vars(preview), logs=logs, round=round_, runs=tuple(runs))

    def _redact(self, instruction: str, endpoints: Iterable[Endpoint]) -> str:
        """Return INSTRUCTION without pasted keys and other secrets."""
        keys = [
            *(endpoint.key for endpoint in endpoints),
            *self.models.keys.list_environment_keys(),
        ]
        return replace_secrets(Redactor(keys).clean(instruction), MARK)

    def _select(
        self,
        request: RoundRequest,
        base: RoundBase,
        limits: RoundLimits,
        warnings: tuple[str, ...],
        number: int = 0,
    ) -> ContextPreview:
        pinned = self.context.pin(request.choices.files, base)
        selection = self.context.select(
            request.instruction,
            pinned,
            base,
            limits.rules,
            budget=limits.context_budget,
            number=number,
        )
        entries = base.start_tree.entries()
        if count := sum(entry.size == NOT_FETCHED for entry in entries.values()):
            warnings += (MISSING_FILES.format(count),)
        if typo := find_typo(request.instruction, entries):
            warnings += ("{} does not exist; did you mean {}?".format(*typo),)
        choices = replace(request.choices, files=pinned)
        return ContextPreview(base, limits, selection, choices, warnings)

    @cached_property
    def context(self) -> ContextBuilder:
        return ContextBuilder(self.bases.reader, self.settings.data_dir, self.cwd)

    def _plan_runs(
        self,
        preview: ContextPreview,
        instruction: str,
        models: Sequence[tuple[ModelProfile, int]],
        endpoints: Iterable[Endpoint],
    ) -> list[PlannedRun]:
        prompts: dict[tuple[str, str, int, bool], FittedPrompt] = {}
        runs = []
        for (profile, samples), endpoint in zip(models, endpoints, strict=True):
            explores = preview.limits.lets_explore(profile)
            key = endpoint.provider, endpoint.model_name, endpoint.max_output_tokens, explores
            if key not in prompts:
                prompts[key] = self.context.fit(
                    preview.selection, preview.base, instruction, endpoint, explores=explores
                )
            spec = self._specify(endpoint, prompts[key])
            runs += [
                PlannedRun(profile, sample, spec, prompts[key].warnings)
                for sample in range(1, samples + 1)
            ]
        return runs

    def _specify(self, endpoint: Endpoint, fitted: FittedPrompt) -> RunSpec:
        day, overrides = datetime.now(UTC).date(), self.settings.get("prices")

        def price(usage: Usage) -> float | None:
            return prices.price_usage(endpoint, usage, day, overrides)

        def worst_case(input_tokens: int) -> float | None:
            return prices.price_worst_case(endpoint, input_tokens, day, overrides)

        return RunSpec(endpoint, fitted.prompt, fitted.room, price, worst_case)


def _new_round(instruction: str, preview: ContextPreview, logs: tuple[LogEntry, ...]) -> Round:
    base = preview.base
    return Round(
        id=new_id(),
        task_id="" if base.task is None else base.task.id,
        number=0,
        parent_run_id=None if base.parent is None else base.parent.id,
        base_ref=base.base_ref,
        base_commit=base.base_commit,
        dirty=base.dirty,
        created_at=now(),
        instruction=instruction,
        choices=preview.choices,
        logs=logs,
        context=preview.selection.to_context_files(),
        dirty_patch=base.dirty_patch,
    )


def _describe_base(base: RoundBase) -> str:
    parts = [f"{base.base_ref} at {short_id(base.base_commit)}"]
    if base.dirty:
        parts.append("uncommitted changes")
    if base.parent is not None:
        parts.append(f"run {short_id(base.parent.id)}")
    return ", ".join(parts)


def _describe_selection(selection: Selection) -> str:
    count = len(selection.to_context_files())
    return f"{count} {'file' if count == 1 else 'files'}, {selection.total_tokens} tokens"


def _check_budget(runs: Iterable[PlannedRun], budget_usd: float | None) -> None:
    """Raise BudgetError when the first calls of RUNS could cost more than BUDGET_USD."""
    if budget_usd is None:
        return
    total = 0.0
    for run in runs:
        usd, name = run.spec.first_call_usd, run.spec.endpoint.model_name
        if usd is None:
            raise BudgetError(
                f"--budget cannot limit {run.profile.name}: the price of {name} is unknown",
                hint=f"dursor config set 'prices.\"{name}\".output' USD "
                "(per million tokens; likewise .input), or remove --budget",
            )
        total += usd
    if total > budget_usd:
        raise BudgetError(
            f"this round could cost up to ${total:.4f}, but the budget is ${budget_usd:g}",
            hint="raise --budget, ask fewer models, lower --context-budget or "
            "dursor config set max_output_tokens N",
        )
