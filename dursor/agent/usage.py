"""What one run uses and costs, while it does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.domain import Stage, Usage

if TYPE_CHECKING:
    from dursor.agent.budget import Meter, Price
    from dursor.agent.observer import Watch
    from dursor.errors import DursorError

BYTES_PER_TOKEN = 4  # an estimate, until the vendor says what was used


@dataclass
class Spending:
    """Usage and cost of one run, summed over its calls."""

    run_id: str
    price: Price
    meter: Meter
    usage: Usage | None = None
    cost_usd: float | None = None  # of all calls; None when a price or a usage is unknown
    estimated: bool = False  # a cut stream's usage is counted here, not said by the vendor

    def charge(self, running: Usage) -> None:
        """Count a call that runs and has used RUNNING so far; BudgetError cuts it."""
        cost = self.price(running)
        if cost is not None:
            self.meter.record(self.run_id, (self.cost_usd or 0.0) + cost)

    def add(self, usage: Usage | None, *, estimated: bool = False) -> None:
        """Add a call that is over; a price depends on the size of the call, so each has its own."""
        if usage is not None:
            cost = self.price(usage)
            known = cost is not None and (self.usage is None or self.cost_usd is not None)
            self.cost_usd = (self.cost_usd or 0.0) + (cost or 0.0) if known else None
            self.usage = usage if self.usage is None else self.usage + usage
            self.estimated = self.estimated or estimated
        self.meter.settle(self.run_id, self.cost_usd if usage is not None else None)


class Listening:
    """Counts one call's output and what it costs, and cuts the stream when money runs out."""

    STEP = 256  # characters between two looks at the price

    def __init__(self, watch: Watch, spending: Spending, input_bytes: int) -> None:
        self.latest: Usage | None = None
        self.heard = False
        self._watch = watch
        self._spending = spending
        self._input_tokens = input_bytes // BYTES_PER_TOKEN
        self._chars = 0
        self._next = self.STEP

    @property
    def spoke(self) -> bool:
        """Whether any of the answer came."""
        return self._chars > 0

    def on_connect(self) -> None:
        self.heard = True
        self._watch.stage(Stage.CALL, "the answer begins")
        self._spending.charge(self.so_far())

    def on_delta(self, text: str) -> None:
        self._chars += len(text)
        if self._chars >= self._next:
            self._next = self._chars + self.STEP
            self._watch.progress(self._chars, self.latest)
            self._spending.charge(self.so_far())

    def on_usage(self, usage: Usage) -> None:
        self.latest = usage

    def on_retry(self, seconds: float, error: DursorError) -> None:
        self._watch.retry(seconds, error)

    def so_far(self) -> Usage:
        """What this call has used: the vendor's word, or an estimate of what was sent and seen."""
        seen = self._chars // BYTES_PER_TOKEN
        if self.latest is None:
            return Usage(input_tokens=self._input_tokens, output_tokens=seen)
        return replace(self.latest, output_tokens=max(self.latest.output_tokens, seen))
