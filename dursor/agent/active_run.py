"""One run from prompt to patch, as a list of steps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from dursor.agent.ask import ModelSession
from dursor.domain import Stage
from dursor.patch.diff.resolution import Resolution
from dursor.tree import Overlay, Tree, read_or_empty

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Executor

    from dursor.agent.ask import CallContext, RunSpec
    from dursor.agent.observer import Observer
    from dursor.domain import FileChange, Secret
    from dursor.patch.diff.canonical import CanonicalPatch
    from dursor.pathrules import PathRules

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True)
class RoundContext:
    """The trees, rules and resources that all runs of a round share."""

    base: Tree  # the tree that patches are computed against
    start: Resolution  # the parent run's change to base; empty without a parent
    rules: PathRules
    max_files: int
    restore: Callable[[str], str]  # replaces placeholders by their secrets
    mask: Callable[[str], str]  # replaces secrets by their placeholders
    clean: Callable[[str], str]  # removes API keys and text that looks like a secret
    secrets: Mapping[str, str]  # placeholder -> secret, so far
    keys: tuple[Secret, ...]  # API keys of this round: no patch may contain one
    calls: CallContext
    pool: Executor | None = None  # resolves replies while streams go on


@dataclass(frozen=True)
class RunResult:
    """The result of a run that succeeded."""

    text: str  # the reply as later rounds send it
    summary: str | None
    patch: CanonicalPatch
    warnings: tuple[str, ...]

    @property
    def files(self) -> tuple[FileChange, ...]:
        return self.patch.files


class ActiveRun:
    """One run and the results of its steps so far; `stage` names the current one."""

    def __init__(
        self, context: RoundContext, run_id: str, spec: RunSpec, observer: Observer
    ) -> None:
        self.context = context
        self.run_id = run_id
        self.spec = spec
        self.observer = observer
        self.session = ModelSession(context.calls, run_id, spec, observer)
        self.tree = Overlay(context.base, context.start.changes)  # where the run starts
        self.stage = Stage.CALL
        self.replies: list[str] = []
        self.change = Resolution({}, {})  # this run's change to `tree`
        self.total = Resolution({}, {})  # the change to the base, the parent's included
        self.result: RunResult | None = None

    async def run(self, steps: Sequence[Callable[[ActiveRun], Awaitable[None]]]) -> RunResult:
        """Run STEPS in order; raises a DursorError, and `stage` then names the failed stage."""
        for step in steps:
            await step(self)
        if self.result is None:
            raise AssertionError("the last step sets a result")
        return self.result

    def enter(self, stage: Stage, message: str) -> None:
        self.stage = stage
        self.observer.stage(stage, message)

    async def in_pool(self, work: Callable[[*Ts], T], *args: *Ts) -> T:
        """Run WORK outside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.context.pool, work, *args)

    def mask_secrets(self, text: str, paths: Iterable[str]) -> str:
        """Return TEXT, which quotes files at PATHS, with placeholders for their secrets.

        Part of a secret may not look like one, so the whole files are searched first.
        """
        for path in paths:
            self.context.mask(read_or_empty(self.tree, path).decode("utf-8", "replace"))
        return self.context.mask(text)
