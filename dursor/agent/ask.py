"""Asking one model: calls, tools, budget and deadline, whatever the reply is for."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.agent import conversation
from dursor.agent.exploration.exploration import Exploration
from dursor.agent.usage import RunUsage, UsageListener
from dursor.domain import Stage
from dursor.errors import BudgetError, CallError, DeadlineError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dursor.agent.budget import Budget, Price
    from dursor.agent.exploration.tools import Toolbox
    from dursor.agent.observer import Observer
    from dursor.providers.base import CallLimits, Endpoint, Prompt, Reply
    from dursor.providers.client import ModelClient


@dataclass(frozen=True)
class CallContext:
    """The resources that all calls of a round share."""

    client: ModelClient
    limits: CallLimits
    budget: Budget
    toolbox: Toolbox  # reads the tree that the runs start from


@dataclass(frozen=True)
class RunSpec:
    """The model of a run, its prompt and its prices."""

    endpoint: Endpoint
    prompt: Prompt
    room: int  # bytes that a whole conversation may have
    price: Price  # US dollars of a usage; None when unknown
    worst_case: Callable[[int], float | None]  # upper bound in US dollars for input tokens

    @property
    def first_call_usd(self) -> float | None:
        """Upper bound on the cost of the first call; None when the price is unknown."""
        return self.worst_case(conversation.bound_tokens(self.prompt))


class ModelSession:
    """One model while it is asked; `usage` and `attempts` stay true after a failure.

    An attempt is one reply with all the exploration that it took: `attempts` counts replies, while
    usage, cost, time and budget count every call.
    """

    def __init__(
        self, context: CallContext, run_id: str, spec: RunSpec, observer: Observer
    ) -> None:
        self.context = context
        self.run_id = run_id
        self.spec = spec
        self.observer = observer
        self.usage = RunUsage(run_id, spec.price, context.budget)
        self.attempts = 0
        self._exploration = Exploration(context.toolbox, observer, spec.room)
        self._started = 0.0
        self._calls = 0
        self._texts: list[str] = []  # of the current attempt's calls

    async def ask(self, prompt: Prompt) -> tuple[Prompt, Reply]:
        """Return the model's reply to PROMPT, and PROMPT with the exploration before the reply.

        Raises CallError, BudgetError, or NoPatchError when the exploration has no end.
        """
        self._started = self._started or time.monotonic()
        self._texts = []
        reply = await self._call(prompt, is_attempt=True)
        while reply.calls:
            limits = self._limits_left()
            prompt = await self._exploration.extend(prompt, reply, limits.total - limits.spent)
            reply = await self._call(prompt)
        return prompt, reply

    async def _call(self, prompt: Prompt, *, is_attempt: bool = False) -> Reply:
        spec = self.spec
        self.observer.stage(Stage.CALL, f"asking {spec.endpoint.model_name}")
        if self._calls:
            worst_case = spec.worst_case(conversation.bound_tokens(prompt))
            self.context.budget.reserve(self.run_id, worst_case)
        limits = self._limits_left()
        listener = UsageListener(self.observer, self.usage, conversation.count_bytes(prompt))
        self._calls += 1
        self.attempts += is_attempt
        try:
            reply = await self.context.client.ask(spec.endpoint, prompt, limits, listener)
        except CallError as error:
            reported = error.usage or listener.latest
            is_cut = reported is None and bool(listener.text)
            self.usage.add(listener.estimate() if is_cut else reported, estimated=is_cut)
            self._keep(listener.text)
            raise
        except (BudgetError, asyncio.CancelledError):
            usage = listener.estimate() if listener.is_connected else None
            self.usage.add(usage, estimated=True)
            self._keep(listener.text)
            raise
        self.usage.add(reply.usage or listener.latest)
        self._keep(reply.text)
        return reply

    def _keep(self, text: str) -> None:
        """Report TEXT as the end of this attempt's reply."""
        if text:
            self._texts.append(text)
            self.observer.reply(self.attempts, "\n\n".join(self._texts))

    def _limits_left(self) -> CallLimits:
        limits, spent = self.context.limits, time.monotonic() - self._started
        if spent >= limits.total:
            raise DeadlineError(
                f"the run exceeded its limit of {limits.total:g} s", hint="raise --timeout"
            )
        return replace(limits, spent=spent)
