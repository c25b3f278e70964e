"""Usage and cost of a run while it runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.domain import Stage, Usage

if TYPE_CHECKING:
    from dursor.agent.budget import Budget, Price
    from dursor.agent.observer import Observer
    from dursor.errors import DursorError

BYTES_PER_TOKEN = 4  # an estimate, used until the vendor reports usage


@dataclass
class RunUsage:
    """Usage and cost of one run, summed over its calls."""

    run_id: str
    price: Price
    budget: Budget
    usage: Usage | None = None
    cost_usd: float | None = None  # of all calls; None when a price or a usage is unknown
    estimated: bool = False  # the usage of a cut stream is counted here

    def charge(self, running: Usage) -> None:
        """Charge the running call for RUNNING, its usage so far; BudgetError stops it."""
        cost = self.price(running)
        if cost is not None:
            self.budget.record(self.run_id, (self.cost_usd or 0.0) + cost)

    def add(self, usage: Usage | None, *, estimated: bool = False) -> None:
        """Add a finished call; each is priced alone, since the price depends on its size."""
        if usage is not None:
            cost = self.price(usage)
            is_known = cost is not None and (self.usage is None or self.cost_usd is not None)
            self.cost_usd = (self.cost_usd or 0.0) + (cost or 0.0) if is_known else None
            self.usage = usage if self.usage is None else self.usage + usage
            self.estimated = self.estimated or estimated
        self.budget.settle(self.run_id, self.cost_usd if usage is not None else None)


class UsageListener:
    """Collects one call's output, charges for it, and stops the stream over budget."""

    STEP = 256  # characters between two charges

    def __init__(self, observer: Observer, run_usage: RunUsage, input_bytes: int) -> None:
        self.latest: Usage | None = None  # as the vendor reported it last
        self.is_connected = False
        self._observer = observer
        self._run_usage = run_usage
        self._input_tokens = input_bytes // BYTES_PER_TOKEN
        self._parts: list[str] = []
        self._chars = 0
        self._next = self.STEP

    @property
    def text(self) -> str:
        """The output so far."""
        return "".join(self._parts)

    def on_connect(self) -> None:
        self.is_connected = True
        self._observer.stage(Stage.CALL, "receiving the reply")
        self._run_usage.charge(self.estimate())

    def on_delta(self, text: str) -> None:
        self._parts.append(text)
        self._chars += len(text)
        if self._chars >= self._next:
            self._next = self._chars + self.STEP
            self._observer.progress(self._chars, self.latest)
            self._run_usage.charge(self.estimate())

    def on_usage(self, usage: Usage) -> None:
        self.latest = usage

    def on_retry(self, seconds: float, error: DursorError) -> None:
        self._observer.retry(seconds, error)

    def estimate(self) -> Usage:
        """Usage of this call so far: the vendor's figures, or an estimate from the text."""
        output_tokens = self._chars // BYTES_PER_TOKEN
        if self.latest is None:
            return Usage(input_tokens=self._input_tokens, output_tokens=output_tokens)
        return replace(self.latest, output_tokens=max(self.latest.output_tokens, output_tokens))
