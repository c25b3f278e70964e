"""Key checks of several models at once."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from dursor.errors import DursorError
from dursor.providers.base import Limits
from dursor.services.results import ModelCheck

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dursor.domain import ModelProfile
    from dursor.providers.base import Caller, Endpoint

MAX_OUTPUT_TOKENS = 16
SECONDS = 30.0  # for each step after connecting, and for all


def check_models(
    profiles: Sequence[ModelProfile],
    endpoint_of: Callable[[ModelProfile, int], Endpoint],
    caller: Caller,
    connect_seconds: float,
) -> list[ModelCheck]:
    """Check PROFILES concurrently; the answers stand in their order."""
    limits = Limits(connect_seconds, SECONDS, SECONDS, SECONDS, retries=0)

    async def check(profile: ModelProfile) -> ModelCheck:
        try:
            endpoint = endpoint_of(profile, MAX_OUTPUT_TOKENS)
            began = time.perf_counter()
            await caller.check(endpoint, limits)
        except DursorError as error:
            return ModelCheck(profile.name, ok=False, latency_ms=None, error=error)
        latency = round((time.perf_counter() - began) * 1000)
        return ModelCheck(profile.name, ok=True, latency_ms=latency, error=None)

    async def check_all() -> list[ModelCheck]:
        try:
            return await asyncio.gather(*map(check, profiles))
        finally:
            await caller.aclose()

    return asyncio.run(check_all())
