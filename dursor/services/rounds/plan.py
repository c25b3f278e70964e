"""A round before it starts: everything that can fail cheaply fails here."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dursor.agent import conversation
from dursor.agent.attempt import Ask
from dursor.config import RepoPolicy, Settings
from dursor.context.selection.path_typos import find_typo
from dursor.domain import LogEntry, Stage, now
from dursor.errors import BudgetError
from dursor.pathrules import PathRules
from dursor.providers import prices
from dursor.providers.base import CallLimits, Endpoint
from dursor.providers.vendors import VENDORS
from dursor.secrets.redact import MARK, Redactor
from dursor.secrets.scan import replace_secrets
from dursor.services.rounds.context import Fitted, Prompting
from dursor.tree import NOT_FETCHED, Overlay

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from dursor.context.selection.selection import Selection
    from dursor.domain import Choices, ModelProfile, Run, Usage
    from dursor.services.models import Models
    from dursor.services.request import RoundRequest
    from dursor.services.rounds.base import Standing, Surveyor
    from dursor.tree import Tree

ABSENT = (
    "this partial clone lacks {} of the commit's files, and they are not looked at: "
    "git sparse-checkout add FOLDER, or git fetch --refetch --no-filter, brings them"
)
POLICY_FILE = ".dursor.toml"


@dataclass(frozen=True)
class Bounds:
    """The limits of a round: flags, environment, config and the repository's policy, strictest."""

    rules: PathRules
    max_files: int
    context_budget: int
    max_output_tokens: int
    budget_usd: float | None
    limits: CallLimits
    jobs: int
    concurrency: int
    require: str
    explore: bool | None  # None: where it is known to work

    def lets_explore(self, profile: ModelProfile) -> bool:
        """Whether the model of PROFILE may look around before it answers.

        Unless said, not on a server of the user's own, nor in Chat Completions, where the vendor's
        newer models take no tools.
        """
        if self.explore is not None:
            return self.explore
        return profile.base_url is None and VENDORS[profile.provider].select_api(profile) != "chat"


@dataclass(frozen=True)
class Target:
    """One run to be: which profile, which sample, and what it is asked."""

    profile: ModelProfile
    sample: int
    endpoint: Endpoint
    fitted: Fitted


@dataclass(frozen=True)
class Plan:
    """A round that may start."""

    instruction: str
    standing: Standing
    bounds: Bounds
    selection: Selection
    targets: tuple[Target, ...]
    warnings: tuple[str, ...]
    worst_case_usd: float | None  # None: some price is unknown
    choices: Choices
    logs: tuple[LogEntry, ...] = ()  # the stages that are behind every run of it

    def close(self) -> None:
        """Let go of the repository."""
        self.standing.repository.close()


@dataclass(frozen=True)
class Planner:
    """Turns a request into a plan, or refuses it."""

    settings: Settings
    models: Models
    surveyor: Surveyor
    cwd: Path

    @cached_property
    def prompting(self) -> Prompting:
        """What chooses the context and renders the prompts."""
        return Prompting(self.surveyor.reader, self.settings.data_dir, self.cwd)

    def plan(self, request: RoundRequest) -> Plan:
        """Check everything; nothing has been created or sent when this raises."""
        chosen = self.models.choose(request.models)
        return self._guarded(request, chosen, self.surveyor.survey(request))

    def again(self, former: Run, request: RoundRequest) -> Plan:
        """The plan of a round that stands where the run FORMER stood."""
        chosen = self.models.choose(request.models)
        standing = self.surveyor.resume(former)
        top = standing.repository.top
        files = tuple(str(top / path) for path in former.choices.files)
        request = replace(request, choices=replace(request.choices, files=files))
        return self._guarded(request, chosen, standing, former.round)

    def _guarded(
        self,
        request: RoundRequest,
        chosen: Sequence[tuple[ModelProfile, int]],
        standing: Standing,
        number: int | None = None,
    ) -> Plan:
        with contextlib.ExitStack() as stack:
            stack.callback(standing.repository.close)
            plan = self._planned(request, chosen, standing, number)
            stack.pop_all()
        return plan

    def _planned(
        self,
        request: RoundRequest,
        chosen: Sequence[tuple[ModelProfile, int]],
        standing: Standing,
        number: int | None,
    ) -> Plan:
        bounds, warnings = self._bounds(request, standing)
        endpoints = self._endpoints(chosen, bounds)
        request, warning = self._cleaned(request, endpoints.values())
        warnings += (*warning, *standing.notes)
        prepared = LogEntry(now(), Stage.PREPARE, _ground(standing))
        plan = self._shown(request, standing, bounds, warnings, number)
        logs = prepared, LogEntry(now(), Stage.CONTEXT, _size_of(plan.selection))
        targets = tuple(self._targets(plan, chosen, endpoints))
        plan = replace(plan, logs=logs, targets=targets)
        plan = replace(plan, worst_case_usd=self._worst_case(plan))
        _refuse_over_budget(plan)
        return plan

    def _cleaned(
        self, request: RoundRequest, endpoints: Iterable[Endpoint]
    ) -> tuple[RoundRequest, tuple[str, ...]]:
        """REQUEST as it may be sent and stored: a key that was pasted is neither."""
        keys = [
            *(endpoint.key for endpoint in endpoints),
            *self.models.keys.list_environment_keys(),
        ]
        clean = replace_secrets(Redactor(keys).clean(request.instruction), MARK)
        if clean == request.instruction:
            return request, ()
        warning = f"the instruction holds a secret, or what looks like one: it was sent as {MARK}"
        return replace(request, instruction=clean), (warning,)

    def look(self, request: RoundRequest) -> Plan:
        """The plan without models: what would be sent, file by file."""
        standing = self.surveyor.survey(request)
        try:
            bounds, warnings = self._bounds(request, standing)
            return self._shown(request, standing, bounds, warnings)
        finally:
            standing.repository.close()

    def _shown(
        self,
        request: RoundRequest,
        standing: Standing,
        bounds: Bounds,
        warnings: tuple[str, ...],
        number: int | None = None,
    ) -> Plan:
        """The plan as far as it is the same for every model."""
        text, pinned = request.instruction, self.prompting.pinned(request.choices.files, standing)
        selection = self.prompting.select(
            text, pinned, standing, bounds.rules, budget=bounds.context_budget, before=number
        )
        choices = replace(request.choices, files=pinned)
        entries = Overlay(standing.base, standing.start.changes).entries()
        if count := sum(entry.size == NOT_FETCHED for entry in entries.values()):
            warnings += (ABSENT.format(count),)
        if slip := find_typo(text, entries):
            warnings += (f"{slip[0]} does not exist; did you mean {slip[1]}?",)
        return Plan(text, standing, bounds, selection, (), warnings, None, choices)

    def _bounds(self, request: RoundRequest, standing: Standing) -> tuple[Bounds, tuple[str, ...]]:
        get = self.settings.get
        policy = repo_policy(standing.committed)
        choices = request.choices

        def strictest(name: str) -> Any:
            ours = getattr(choices, name, None)
            return policy.limit(name, get(name) if ours is None else ours)

        bounds = Bounds(
            rules=path_rules(self.settings, policy, choices.allow_paths),
            max_files=strictest("max_files"),
            context_budget=strictest("context_budget"),
            max_output_tokens=strictest("max_output_tokens"),
            budget_usd=strictest("budget_usd"),
            limits=CallLimits(
                connect=get("connect_timeout"),
                first_byte=get("first_byte_timeout"),
                idle=get("idle_timeout"),
                total=strictest("timeout"),
                retries=get("retries"),
                retry_after_cap=get("retry_after_cap"),
            ),
            jobs=request.jobs or get("jobs"),
            concurrency=get("concurrency"),
            require=request.require or get("require"),
            explore=_explore(choices.explore, get("explore"), policy),
        )
        return bounds, policy.warnings

    def _endpoints(
        self, chosen: Sequence[tuple[ModelProfile, int]], bounds: Bounds
    ) -> dict[str, Endpoint]:
        return {
            profile.id: self.models.build_endpoint(profile, bounds.max_output_tokens)
            for profile, _ in chosen
        }

    def _targets(
        self,
        plan: Plan,
        chosen: Sequence[tuple[ModelProfile, int]],
        endpoints: dict[str, Endpoint],
    ) -> list[Target]:
        fitted: dict[tuple[str, str, int, bool], Fitted] = {}
        targets = []
        for profile, samples in chosen:
            endpoint, explores = endpoints[profile.id], plan.bounds.lets_explore(profile)
            kind = (endpoint.provider, endpoint.model_name, endpoint.max_output_tokens, explores)
            if kind not in fitted:
                fitted[kind] = self.prompting.fitted(
                    plan.selection, plan.standing, plan.instruction, endpoint, explores=explores
                )
            targets += [
                Target(profile, sample, endpoint, fitted[kind]) for sample in range(1, samples + 1)
            ]
        return targets

    def ask(self, target: Target, run_id: str) -> Ask:
        """What the agent needs to know of one run."""
        endpoint, at = target.endpoint, datetime.now(UTC).date()
        overrides = self.settings.get("prices")

        def price(usage: Usage) -> float | None:
            return prices.price_usage(endpoint, usage, at, overrides)

        def worst_case(input_tokens: int) -> float | None:
            return prices.price_worst_case(endpoint, input_tokens, at, overrides)

        fitted = target.fitted
        return Ask(run_id, endpoint, fitted.prompt, fitted.room, price, worst_case)

    def priced(self, plan: Plan) -> Iterator[tuple[ModelProfile, int, float | None]]:
        """Each model of PLAN, its samples, and what they cost together at most."""
        for profile, group in itertools.groupby(plan.targets, lambda target: target.profile):
            targets = list(group)
            usd = self._worst_of(targets[0])
            yield profile, len(targets), None if usd is None else usd * len(targets)

    def _worst_of(self, target: Target) -> float | None:
        return self.ask(target, "").worst_case(conversation.most_tokens(target.fitted.prompt))

    def _worst_case(self, plan: Plan) -> float | None:
        """US dollars at most for the first call of every run; None when a price is unknown."""
        total = 0.0
        for target in plan.targets:
            usd = self._worst_of(target)
            if usd is None:
                if plan.bounds.budget_usd is None:
                    return None
                raise BudgetError(
                    f"no price is known for {target.profile.name} ({target.endpoint.model_name}), "
                    "so a budget cannot bound it",
                    hint=f"dursor config set 'prices.\"{target.endpoint.model_name}\".output' USD "
                    "(per million tokens; likewise .input), or leave --budget away",
                )
            total += usd
        return total


def _ground(standing: Standing) -> str:
    """Say what a round stands on."""
    whole = f"{standing.base_ref} at {standing.base_commit[:8]}"
    if standing.dirty:
        whole += ", with what is not committed"
    return whole if standing.parent is None else f"{whole}, and run {standing.parent.id[:8]}"


def _size_of(selection: Selection) -> str:
    """Say how much a round's models are shown."""
    count = len(selection.to_context_files())
    return f"{count} {'file' if count == 1 else 'files'}, {selection.total_tokens} tokens in all"


def _refuse_over_budget(plan: Plan) -> None:
    limit, worst = plan.bounds.budget_usd, plan.worst_case_usd
    if limit is not None and worst is not None and worst > limit:
        raise BudgetError(
            f"this round could cost up to ${worst:.4f}, and the budget is ${limit:g}",
            hint="raise --budget, ask fewer models, lower --context-budget or "
            "dursor config set max_output_tokens N",
        )


def repo_policy(base: Tree) -> RepoPolicy:
    """The policy that the base commit carries; a proposed change to it does not count."""
    entry = base.entries().get(POLICY_FILE)
    if entry is None or not entry.mode.startswith("100"):
        return RepoPolicy()
    return RepoPolicy.parse(base.read(POLICY_FILE))


def _explore(asked: bool | None, configured: str, policy: RepoPolicy) -> bool | None:
    """Whether models may look around: what the user says, unless the repository forbids it."""
    if not policy.explore:
        return False
    if asked is not None:
        return asked
    return {"on": True, "off": False}.get(configured)


def path_rules(
    settings: Settings, policy: RepoPolicy, allow_paths: Sequence[str] = ()
) -> PathRules:
    """The user's rules, tightened by the repository's."""
    return PathRules(
        (*settings.get("forbidden_paths"), *policy.forbidden_paths),
        (*settings.get("allowed_paths"), *allow_paths),
    )
