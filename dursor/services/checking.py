"""Key checks of several models at once."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from dursor.errors import DursorError
from dursor.providers.base import Caller, Limits
from dursor.services.results import ModelCheck

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.domain import ModelProfile
    from dursor.services.models import Models

MAX_OUTPUT_TOKENS = 16


def check_models(models: Models, profiles: Sequence[ModelProfile]) -> list[ModelCheck]:
    """Check PROFILES concurrently; the answers stand in their order."""
    return asyncio.run(_check_all(models, profiles))


async def _check_all(models: Models, profiles: Sequence[ModelProfile]) -> list[ModelCheck]:
    caller = models.new_caller()
    try:
        return await asyncio.gather(*(_check(models, caller, one) for one in profiles))
    finally:
        await caller.aclose()


async def _check(models: Models, caller: Caller, profile: ModelProfile) -> ModelCheck:
    get = models.settings.get
    limits = Limits(get("connect_timeout"), 30.0, 30.0, 30.0, 0)
    try:
        endpoint = models.endpoint(profile, MAX_OUTPUT_TOKENS)
        began = time.perf_counter()
        await caller.check(endpoint, limits)
    except DursorError as error:
        return ModelCheck(profile.name, ok=False, latency_ms=None, error=error)
    latency = round((time.perf_counter() - began) * 1000)
    return ModelCheck(profile.name, ok=True, latency_ms=latency, error=None)
