"""Money spent by a round, counted while it is being spent."""

from __future__ import annotations

from collections.abc import Callable

from dursor.domain import Usage
from dursor.errors import BudgetError

Price = Callable[[Usage], float | None]


class Meter:
    """Adds up what every run of a round has spent; raises as soon as that passes the limit."""

    def __init__(self, limit_usd: float | None) -> None:
        self.limit = limit_usd
        self._spent: dict[str, float] = {}

    @property
    def spent(self) -> float:
        """US dollars so far, estimates of running streams included."""
        return sum(self._spent.values())

    def record(self, run_id: str, usd: float) -> None:
        """Say what RUN has spent in all; BudgetError when the round has passed its limit."""
        if self.limit is None:
            return
        self._spent[run_id] = usd
        if self.spent > self.limit:
            raise BudgetError(
                f"cut: the round has passed its budget of ${self.limit:g}",
                hint="raise --budget, or ask fewer models",
            )

    def allow(self, usd: float | None) -> None:
        """BudgetError unless USD more, the worst case of one more call, stays within the limit."""
        if self.limit is None or usd is None:
            return
        if self.spent + usd > self.limit:
            raise BudgetError(
                f"one more call could cost ${usd:.2f}, and ${self.spent:.2f} "
                f"of the budget of ${self.limit:g} is spent",
                hint="raise --budget",
            )
