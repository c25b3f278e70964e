"""The money limit of a round, enforced while its runs spend."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dursor.domain import Usage
from dursor.errors import BudgetError

Price = Callable[[Usage], float | None]


class Budget:
    """Keeps a round within LIMIT_USD (None: no limit).

    RESERVED maps each run to the maximum cost of its first call, in US dollars; the sum is within
    the limit. All amounts are costs of a run since it began.
    """

    def __init__(self, limit_usd: float | None, reserved: Mapping[str, float]) -> None:
        self.limit = limit_usd
        self._reserved = dict(reserved)
        self._spent: dict[str, float] = {}

    def record(self, run_id: str, usd: float) -> None:
        """Record the cost of a run so far; BudgetError when it takes the round over its limit."""
        self._spent[run_id] = usd
        if self.limit is None or usd <= self._reserved.get(run_id, 0.0):
            return
        if self._committed() > self.limit:
            raise BudgetError(
                f"the round exceeded its budget of ${self.limit:g}",
                hint="raise --budget, or ask fewer models",
            )

    def settle(self, run_id: str, usd: float | None) -> None:
        """Release the unused part of a reservation; USD None keeps the last recorded cost."""
        if usd is not None:
            self._spent[run_id] = usd
        self._reserved[run_id] = self._spent.get(run_id, 0.0)

    def reserve(self, run_id: str, usd: float | None) -> None:
        """Reserve USD, the worst case of one more call; BudgetError when less is left."""
        if self.limit is None or usd is None:
            return
        left = self.limit - self._committed()
        if usd > left:
            raise BudgetError(
                f"one more call could cost ${usd:.4f}, but only ${max(0.0, left):.4f} "
                f"of the budget of ${self.limit:g} is left",
                hint="raise --budget",
            )
        self._reserved[run_id] = self._spent.get(run_id, 0.0) + usd

    def _committed(self) -> float:
        """US dollars that are spent or reserved."""
        runs = {*self._spent, *self._reserved}
        return sum(max(self._spent.get(run, 0.0), self._reserved.get(run, 0.0)) for run in runs)
