"""Money spent by a round, counted while it is being spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dursor.domain import Usage
from dursor.errors import BudgetError

Price = Callable[[Usage], float | None]


class Meter:
    """Keeps a round within its limit, and every run's first call safe from the others.

    RESERVED are US dollars by run that first calls may cost at most; together they are within
    LIMIT_USD (None: no limit). All amounts are what a run has cost since it began.
    """

    def __init__(
        self, limit_usd: float | None, reserved: Mapping[str, float] | None = None
    ) -> None:
        self.limit = limit_usd
        self._reserved = dict(reserved or {})
        self._spent: dict[str, float] = {}

    def record(self, run_id: str, usd: float) -> None:
        """Say what RUN has cost by now; BudgetError when that is what passes the round's limit."""
        self._spent[run_id] = usd
        if self.limit is None or usd <= self._reserved.get(run_id, 0.0):
            return
        if self._committed() > self.limit:
            raise BudgetError(
                f"cut: the round has passed its budget of ${self.limit:g}",
                hint="raise --budget, or ask fewer models",
            )

    def settle(self, run_id: str, usd: float | None) -> None:
        """Let go of what a call of RUN did not use; USD None: what was recorded last holds."""
        if usd is not None:
            self._spent[run_id] = usd
        self._reserved[run_id] = self._spent.get(run_id, 0.0)

    def reserve(self, run_id: str, usd: float | None) -> None:
        """Set aside USD, the worst of one more call of RUN; BudgetError when it is not left."""
        if self.limit is None or usd is None:
            return
        left = self.limit - self._committed()
        if usd > left:
            raise BudgetError(
                f"one more call could cost ${usd:.4f}, and ${max(0.0, left):.4f} "
                f"of the budget of ${self.limit:g} is left",
                hint="raise --budget",
            )
        self._reserved[run_id] = self._spent.get(run_id, 0.0) + usd

    def _committed(self) -> float:
        """US dollars that are spent or set aside."""
        runs = {*self._spent, *self._reserved}
        return sum(max(self._spent.get(run, 0.0), self._reserved.get(run, 0.0)) for run in runs)
