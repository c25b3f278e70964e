"""The time limits of a call, kept by one timer."""

from __future__ import annotations

import asyncio
from math import ceil
from typing import TYPE_CHECKING, Self

from dursor.errors import DeadlineError

if TYPE_CHECKING:
    from types import TracebackType

    from dursor.providers.base import Limits

GRACE = 10.0  # seconds to wait for the usage that may follow a whole answer


def end_of(limits: Limits) -> float:
    """Give the loop's time at which a call that begins now must be over."""
    return asyncio.get_running_loop().time() + limits.total - limits.spent


class Watch:
    """Ends one attempt when nothing came for too long, or when the call's total is used up.

    `beat` is called for every read, so it only notes the time; the timer looks at the note when
    it rings and sets itself again if there was one.
    """

    def __init__(self, limits: Limits, total_at: float) -> None:
        self._limits = limits
        self._total_at = total_at
        self._loop = asyncio.get_running_loop()
        self._scope = asyncio.timeout(None)
        self._last = self._loop.time()
        self._allowed = limits.first_byte
        self._name = "first-byte"  # of the limit; its setting is called likewise
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        await self._scope.__aenter__()
        self._arm()
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
            raise self._error() from expired

    def beat(self) -> None:
        """Note that bytes came."""
        self._last = self._loop.time()

    def output_began(self) -> None:
        """Hold the idle limit from now on, not the one for the first byte."""
        if self._name != "idle":
            self._switch("idle", self._limits.idle)

    def settled(self) -> None:
        """Wait no longer than a moment for what may follow a whole answer."""
        self._switch("idle", min(GRACE, self._limits.idle))

    def _switch(self, name: str, allowed: float) -> None:
        self._name, self._allowed = name, allowed
        self._arm()

    def _due(self) -> float:
        return min(self._last + self._allowed, self._total_at)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due(), self._ring)

    def _ring(self) -> None:
        now = self._loop.time()
        if now < self._due():
            self._arm()
        else:
            self._scope.reschedule(now)

    def _error(self) -> DeadlineError:
        if self._total_at <= self._last + self._allowed:
            return DeadlineError(
                f"the answer was not whole after {self._limits.total:g} s (the total limit)",
                hint=f"allow more time: dursor run --timeout {ceil(self._limits.total * 2)} ...",
            )
        return DeadlineError(
            f"nothing came for {self._allowed:g} s (the {self._name} limit)",
            hint=f"allow more time: dursor config set {self._name.replace('-', '_')}_timeout "
            f"{self._allowed * 2:g}",
        )
