"""GitHub's rate limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dursor.github.transport import RestResponse

MARKS = (
    b"secondary rate limit",
    b"abuse detection",
    b"blocked from content creation",
    b"API rate limit exceeded",
)
DEFAULT_SECONDS = 60.0  # GitHub's documented minimum when a response states no time
MARGIN = 1.0  # GitHub's clock counts whole seconds
MAX_SECONDS = 1e12


def compute_delay(response: RestResponse, attempt: int, now: float) -> float | None:
    """Return the seconds to wait before a retry; None if RESPONSE reports no rate limit.

    NOW is the time by GitHub's clock; ATTEMPT counts from 0.
    """
    if response.status not in {403, 429}:
        return None
    if (seconds := _parse_seconds(response.headers.get("retry-after"))) is not None:
        return seconds
    if response.headers.get("x-ratelimit-remaining") == "0":
        reset = _parse_seconds(response.headers.get("x-ratelimit-reset"))
        return DEFAULT_SECONDS if reset is None else max(reset - now, 0.0) + MARGIN
    if response.status == 429 or any(mark in response.body[:4096] for mark in MARKS):
        return DEFAULT_SECONDS * float(2**attempt)
    return None


def _parse_seconds(text: str | None) -> float | None:
    return min(float(text), MAX_SECONDS) if text and text.isascii() and text.isdecimal() else None
