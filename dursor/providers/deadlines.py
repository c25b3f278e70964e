"""The time limits of a call, enforced by one timer."""

from __future__ import annotations

import asyncio
from math import ceil
from typing import TYPE_CHECKING, Self

from dursor.errors import DeadlineError

if TYPE_CHECKING:
    from types import TracebackType

    from dursor.providers.base import CallLimits

GRACE = 10.0  # seconds to wait for usage after a complete reply


def compute_deadline(limits: CallLimits) -> float:
    """Return the event loop's time by which a call that starts now must end."""
    return asyncio.get_running_loop().time() + limits.total - limits.spent


class DeadlineTimer:
    """Cancels an attempt that is idle for too long or exceeds the call's total time.

    `record_read` is called for every read, so it only stores the time. The timer checks it when it
    expires, and restarts if there was a read.
    """

    def __init__(self, limits: CallLimits, deadline: float) -> None:
        self._limits = limits
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._scope = asyncio.timeout(None)
        self._last = self._loop.time()
        self._allowed = limits.first_byte
        self._name = "first-byte"  # names the limit and its setting
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        await self._scope.__aenter__()
        self._start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        try:
            await self._scope.__aexit__(kind, error, trace)
        except TimeoutError as expired:
            raise self._build_error() from expired

    def record_read(self) -> None:
        self._last = self._loop.time()

    def start_idle_limit(self) -> None:
        """Replace the first-byte limit by the idle limit."""
        if self._name != "idle":
            self._set_limit("idle", self._limits.idle)

    def start_grace(self) -> None:
        """Wait only briefly for usage after a complete reply."""
        self._set_limit("idle", min(GRACE, self._limits.idle))

    def _set_limit(self, name: str, allowed: float) -> None:
        self._name, self._allowed = name, allowed
        self._start()

    def _compute_expiry(self) -> float:
        return min(self._last + self._allowed, self._deadline)

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._compute_expiry(), self._check)

    def _check(self) -> None:
        now = self._loop.time()
        if now < self._compute_expiry():
            self._start()
        else:
            self._scope.reschedule(now)

    def _build_error(self) -> DeadlineError:
        if self._deadline <= self._last + self._allowed:
            return DeadlineError(
                f"the reply was not complete after {self._limits.total:g} s (total limit)",
                hint=f"allow more time: dursor run --timeout {ceil(self._limits.total * 2)} ...",
            )
        return DeadlineError(
            f"no data for {self._allowed:g} s ({self._name} limit)",
            hint=f"allow more time: dursor config set {self._name.replace('-', '_')}_timeout "
            f"{self._allowed * 2:g}",
        )
