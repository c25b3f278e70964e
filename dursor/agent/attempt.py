"""One run from prompt to patch: call, resolve with at most two repair turns, check, finish."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.agent import conversation, prompts
from dursor.agent.guard import refuse_forbidden
from dursor.agent.spending import Listening, Spending
from dursor.context.placeholders import PREFIX
from dursor.domain import FileChange, HunkFailure, Secret, Stage
from dursor.errors import (
    ApplyFailedError,
    BudgetError,
    CallError,
    DeadlineError,
    NoChangeError,
    PolicyError,
)
from dursor.patch.canonical import CanonicalPatch, canonical
from dursor.patch.compose import compose
from dursor.patch.policy import check, shown
from dursor.patch.resolve import Resolution, resolve, summary_of
from dursor.tree import Overlay, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dursor.agent.meter import Meter, Price
    from dursor.agent.watch import Watch
    from dursor.pathrules import PathRules
    from dursor.providers.base import Caller, Endpoint, Limits, Prompt, Reply

MAX_REPAIRS = 2
_PLACEHOLDER = re.compile(PREFIX.encode() + rb"[0-9a-f]{8}")


@dataclass(frozen=True)
class Ground:
    """What every run of a round stands on."""

    base: Tree  # what the patch is computed against
    start: Resolution  # the chosen answer a run goes on from, against base; empty otherwise
    rules: PathRules
    max_files: int
    restore: Callable[[str], str]  # puts real secrets back where placeholders stand
    mask: Callable[[str], str]  # puts placeholders where secrets stand
    keys: tuple[Secret, ...]  # of this round's models: no patch may carry one
    caller: Caller
    limits: Limits
    meter: Meter


@dataclass(frozen=True)
class Ask:
    """One model's share of a round."""

    run_id: str
    endpoint: Endpoint
    prompt: Prompt
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
    """One run while it runs; `spending`, `calls` and `stage` stay true after a failure."""

    ground: Ground
    ask: Ask
    watch: Watch
    stage: Stage = Stage.CALL
    calls: int = 0
    _began: float = 0.0

    def __post_init__(self) -> None:
        self.spending = Spending(self.ask.run_id, self.ask.price, self.ground.meter)

    async def run(self) -> Answer:
        """Ask, resolve, check and finish; raises a DursorError, `stage` then says where."""
        self._began = time.monotonic()
        reply, ours = await self._resolved()
        self._enter(Stage.CHECK, f"{len(ours.changes)} paths against policy")
        whole = await asyncio.to_thread(self._checked, ours)
        self._enter(Stage.FINISH, "computing the patch")
        return await asyncio.to_thread(self._finish, reply, ours, whole)

    def _checked(self, ours: Resolution) -> Resolution:
        ground = self.ground
        whole = compose(ground.base, ground.start, ours)
        check(ground.base, whole, ground.rules, ground.max_files)
        return whole

    def _finish(self, reply: Reply, ours: Resolution, whole: Resolution) -> Answer:
        patch = canonical(self.ground.base, whole)
        if not patch.files:
            raise NoChangeError("the answer undoes everything: the result is the base itself")
        if any(key.reveal() in patch.text for key in self.ground.keys):
            raise PolicyError("the patch contains one of your API keys", hint="dursor run show RUN")
        summary = summary_of(reply.text)
        text = reply.text if self.calls == 1 else self._told(summary, ours)
        return Answer(text, summary, patch, ours.warnings)

    def _told(self, summary: str | None, ours: Resolution) -> str:
        """An answer that took repairs, as if it had been right at once."""
        tree = Overlay(self.ground.base, self.ground.start.changes)
        diff = canonical(tree, ours).text
        told = f"{summary or 'Here is the change.'}\n\n```diff\n{diff}```\n"
        return self._masked(told, ours.changes)  # it is sent when the conversation goes on

    async def _resolved(self) -> tuple[Reply, Resolution]:
        """The reply and the change against the tree that this run starts from."""
        tree = Overlay(self.ground.base, self.ground.start.changes)
        prompt, kept = self.ask.prompt, None
        while True:
            reply = await self._call(prompt)
            self._enter(Stage.RESOLVE, f"{len(reply.text)} characters to place")
            try:
                found = await asyncio.to_thread(self._placed, reply.text, tree, kept)
            except ApplyFailedError as error:
                self._refuse_forbidden(error)
                if self.calls > MAX_REPAIRS:
                    raise
                kept = getattr(error, "kept", None) or kept
                self.watch.stage(Stage.RESOLVE, f"{error.message}; asking for a repair")
                prompt = self._repairing(reply, error, kept=bool(kept and kept.changes))
                continue
            self.watch.notes(Stage.RESOLVE, found.notes)
            return reply, found

    def _placed(self, reply: str, tree: Tree, kept: Resolution | None) -> Resolution:
        text = self.ground.restore(reply)
        refuse_forbidden(text, Overlay(tree, kept.changes) if kept else tree, self.ground.rules)
        found = resolve(text, tree, kept=kept)
        strange = {
            name
            for path, state in found.changes.items()
            if state is not None and (names := set(_PLACEHOLDER.findall(state.data)))
            for name in names - set(_PLACEHOLDER.findall(_content(tree, path)))
        }
        if strange:
            name = min(strange).decode()
            why = f"{name} stands for no secret of these files"
            raise ApplyFailedError(why, failures=(HunkFailure(None, name, why),))
        return found

    def _refuse_forbidden(self, error: ApplyFailedError) -> None:
        """A repair turn shows real text: never that of a path which may not be sent."""
        for path in {one.path for one in error.failures if one.path}:
            if (reason := self.ground.rules.reason(path)) is not None:
                raise PolicyError(
                    f"{shown(path)}: {reason}", hint="--allow-path GLOB, if it is meant"
                ) from error

    def _repairing(self, reply: Reply, error: ApplyFailedError, *, kept: bool) -> Prompt:
        said = prompts.repair(error.failures, kept=kept)
        said = self._masked(said, {one.path for one in error.failures if one.path})
        return conversation.repairing(self.ask.prompt, reply.text, said)

    def _masked(self, text: str, paths: Iterable[str]) -> str:
        """TEXT that quotes the files at PATHS, with placeholders where their secrets stand.

        A piece of a secret does not look like one, so the whole files are searched first.
        """
        tree = Overlay(self.ground.base, self.ground.start.changes)
        for path in paths:
            self.ground.mask(_content(tree, path).decode("utf-8", "replace"))
        return self.ground.mask(text)

    async def _call(self, prompt: Prompt) -> Reply:
        self._enter(Stage.CALL, f"asking {self.ask.endpoint.model_name}")
        if self.calls:
            most = conversation.most_tokens(prompt)
            self.ground.meter.reserve(self.ask.run_id, self.ask.worst_case(most))
        limits = self._time_left()
        listening = Listening(self.watch, self.spending, conversation.size(prompt))
        self.calls += 1
        try:
            reply = await self.ground.caller.answer(self.ask.endpoint, prompt, limits, listening)
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

    def _time_left(self) -> Limits:
        limits, spent = self.ground.limits, time.monotonic() - self._began
        if spent >= limits.total:
            raise DeadlineError(
                f"the limit of {limits.total:g} s for a run passed", hint="raise --timeout"
            )
        return replace(limits, spent=spent)

    def _enter(self, stage: Stage, message: str) -> None:
        self.stage = stage
        self.watch.stage(stage, message)


def _content(tree: Tree, path: str) -> bytes:
    return tree.read(path) if path in tree.entries() else b""
