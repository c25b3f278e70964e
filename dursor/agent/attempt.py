"""One run from prompt to patch: call, resolve with at most two repair turns, check, finish."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from dursor.agent import conversation, prompts
from dursor.agent.explore import Exploration
from dursor.agent.preflight import refuse_forbidden, strayed_secrets
from dursor.agent.repairs import Broken, content, placed
from dursor.agent.usage import Listening, Spending
from dursor.domain import FileChange, Secret, Stage
from dursor.errors import (
    ApplyFailedError,
    BudgetError,
    CallError,
    DeadlineError,
    NoChangeError,
    PolicyError,
)
from dursor.patch.diff.canonical import CanonicalPatch, render_canonical
from dursor.patch.diff.compose import compose
from dursor.patch.policy import check_policy, escape_path
from dursor.patch.resolve import PartlyResolvedError, summarize_reply
from dursor.tree import Overlay, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Executor

    from dursor.agent.budget import Meter, Price
    from dursor.agent.observer import Watch
    from dursor.agent.tools import Toolbox
    from dursor.patch.resolve import Resolution
    from dursor.pathrules import PathRules
    from dursor.providers.base import CallLimits, Endpoint, Prompt, Reply
    from dursor.providers.client import ModelClient

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

MAX_REPAIRS = 2


@dataclass(frozen=True)
class Ground:
    """What every run of a round stands on."""

    base: Tree  # what the patch is computed against
    start: Resolution  # the chosen answer a run goes on from, against base; empty otherwise
    rules: PathRules
    max_files: int
    restore: Callable[[str], str]  # puts real secrets back where placeholders stand
    mask: Callable[[str], str]  # puts placeholders where secrets stand
    secrets: Mapping[str, str]  # what every placeholder stands for, so far
    keys: tuple[Secret, ...]  # of this round's models: no patch may carry one
    caller: ModelClient
    limits: CallLimits
    meter: Meter
    toolbox: Toolbox  # looks at the tree that the runs start from
    desk: Executor | None = None  # where answers are resolved, so that the streams go on


@dataclass(frozen=True)
class Ask:
    """One model's share of a round."""

    run_id: str
    endpoint: Endpoint
    prompt: Prompt
    room: int  # bytes that everything said may have
    price: Price  # US dollars of a usage, None when unknown
    worst_case: Callable[[int], float | None]  # US dollars at most, from input tokens


@dataclass(frozen=True)
class Answer:
    """A whole answer, resolved and checked."""

    text: str  # the answer as the conversation remembers it
    summary: str | None
    patch: CanonicalPatch
    warnings: tuple[str, ...]

    @property
    def files(self) -> tuple[FileChange, ...]:
        return self.patch.files


@dataclass
class Attempt:
    """One run while it runs; `spending`, `attempts` and `stage` stay true after a failure.

    An attempt is one answer asked for, with all the looking around that it took: `attempts` is 3
    at most, whatever the number of calls. Usage, cost, time and budget count every call.
    """

    ground: Ground
    ask: Ask
    watch: Watch
    stage: Stage = Stage.CALL
    attempts: int = 0
    _began: float = 0.0
    _calls: int = 0

    def __post_init__(self) -> None:
        ground, ask = self.ground, self.ask
        self.spending = Spending(ask.run_id, ask.price, ground.meter)
        self._exploration = Exploration(ground.toolbox, self.watch, ask.room)

    async def run(self) -> Answer:
        """Ask, resolve, check and finish; raises a DursorError, `stage` then says where."""
        self._began = time.monotonic()
        replies, ours = await self._resolved()
        self._enter(Stage.CHECK, f"{len(ours.changes)} paths against policy")
        whole = await self._at_desk(self._checked, ours)
        self._enter(Stage.FINISH, "computing the patch")
        return await self._at_desk(self._finish, replies, ours, whole)

    async def _at_desk(self, work: Callable[[*Ts], T], *args: *Ts) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.ground.desk, work, *args)

    def _checked(self, ours: Resolution) -> Resolution:
        ground = self.ground
        whole = compose(ground.base, ground.start, ours)
        check_policy(ground.base, whole, ground.rules, ground.max_files)
        return whole

    def _finish(self, replies: Sequence[Reply], ours: Resolution, whole: Resolution) -> Answer:
        patch = render_canonical(self.ground.base, whole)
        if not patch.files:
            raise NoChangeError("the answer undoes everything: the result is the base itself")
        if any(key.reveal() in patch.text for key in self.ground.keys):
            raise PolicyError("the patch contains one of your API keys", hint="dursor run show RUN")
        # The first one says what it is all about; what a repair says, and whether, is by the way.
        summary = next(filter(None, (summarize_reply(reply.text) for reply in replies)), None)
        text = replies[0].text if len(replies) == 1 else self._told(summary, ours)
        tree = Overlay(self.ground.base, self.ground.start.changes)
        strayed = strayed_secrets(ours, tree, self.ground.secrets)
        return Answer(text, summary, patch, (*ours.warnings, *strayed))

    def _told(self, summary: str | None, ours: Resolution) -> str:
        """An answer that took repairs, as if it had been right at once."""
        tree = Overlay(self.ground.base, self.ground.start.changes)
        diff = render_canonical(tree, ours).text
        told = f"{summary or 'Here is the change.'}\n\n```diff\n{diff}```\n"
        return self._masked(told, ours.changes)  # it is sent when the conversation goes on

    async def _resolved(self) -> tuple[list[Reply], Resolution]:
        """The replies it took, and the change against the tree that this run starts from."""
        tree = Overlay(self.ground.base, self.ground.start.changes)
        known = prompt = self.ask.prompt
        replies: list[Reply] = []
        broken: Broken | None = None
        while True:
            explored, reply = await self._answer(prompt)
            known = known if explored is prompt else explored
            replies.append(reply)
            self._enter(Stage.RESOLVE, f"{len(reply.text)} characters to place")
            try:
                found = await self._at_desk(self._placed, reply.text, tree, broken)
            except PartlyResolvedError as error:
                self._refuse_forbidden(error)
                if self.attempts > MAX_REPAIRS:
                    raise
                broken = Broken(error.message, error.failures, error.kept)
                self.watch.stage(Stage.RESOLVE, f"{error.message}; asking for a repair")
                prompt = conversation.repairing(known, reply.text, self._repair(broken))
                continue
            self.watch.notes(Stage.RESOLVE, found.notes)
            return replies, found

    def _placed(self, reply: str, tree: Tree, broken: Broken | None) -> Resolution:
        """Resolve REPLY against TREE, or on top of what a BROKEN answer before it left."""
        text = self.ground.restore(reply)
        seen = Overlay(tree, broken.kept.changes) if broken else tree
        refuse_forbidden(text, seen, self.ground.rules, finished=True)
        return placed(text, tree, broken)

    def _refuse_forbidden(self, error: ApplyFailedError) -> None:
        """A repair turn shows real text: never that of a path which may not be sent."""
        for path in {one.path for one in error.failures if one.path}:
            if (reason := self.ground.rules.find_reason(path)) is not None:
                raise PolicyError(
                    f"{escape_path(path)}: {reason}", hint="--allow-path GLOB, if it is meant"
                ) from error

    def _repair(self, broken: Broken) -> str:
        said = prompts.repair(broken.failures, kept=bool(broken.kept.changes))
        return self._masked(said, {one.path for one in broken.failures if one.path})

    def _masked(self, text: str, paths: Iterable[str]) -> str:
        """TEXT that quotes the files at PATHS, with placeholders where their secrets stand.

        A piece of a secret does not look like one, so the whole files are searched first.
        """
        tree = Overlay(self.ground.base, self.ground.start.changes)
        for path in paths:
            self.ground.mask(content(tree, path).decode("utf-8", "replace"))
        return self.ground.mask(text)

    async def _answer(self, prompt: Prompt) -> tuple[Prompt, Reply]:
        """The next answer to PROMPT, after as many looks as it takes, and what it then knew."""
        reply = await self._call(prompt, is_attempt=True)
        while reply.calls:
            seconds = self.ground.limits.total - self._time_left().spent
            prompt = await self._exploration.extend(prompt, reply, seconds)
            reply = await self._call(prompt)
        return prompt, reply

    async def _call(self, prompt: Prompt, *, is_attempt: bool = False) -> Reply:
        self._enter(Stage.CALL, f"asking {self.ask.endpoint.model_name}")
        if self._calls:
            most = conversation.most_tokens(prompt)
            self.ground.meter.reserve(self.ask.run_id, self.ask.worst_case(most))
        limits = self._time_left()
        listening = Listening(self.watch, self.spending, conversation.size(prompt))
        self._calls += 1
        self.attempts += is_attempt
        try:
            reply = await self.ground.caller.ask(self.ask.endpoint, prompt, limits, listening)
        except CallError as error:
            known = error.usage or listening.latest
            cut = known is None and listening.spoke
            self.spending.add(listening.so_far() if cut else known, estimated=cut)
            raise
        except (BudgetError, asyncio.CancelledError):
            self.spending.add(listening.so_far() if listening.heard else None, estimated=True)
            raise
        self.spending.add(reply.usage or listening.latest)
        return reply

    def _time_left(self) -> CallLimits:
        limits, spent = self.ground.limits, time.monotonic() - self._began
        if spent >= limits.total:
            raise DeadlineError(
                f"the limit of {limits.total:g} s for a run passed", hint="raise --timeout"
            )
        return replace(limits, spent=spent)

    def _enter(self, stage: Stage, message: str) -> None:
        self.stage = stage
        self.watch.stage(stage, message)
