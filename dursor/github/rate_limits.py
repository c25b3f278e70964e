"""GitHub's rate limits: which answers mean one, and how long it lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dursor.github.transport import RestResponse

SECONDARY = (b"secondary rate limit", b"abuse detection", b"blocked from content creation")
PRIMARY = (b"API rate limit exceeded",)
LEAST = 60.0  # that GitHub asks for when it says nothing else
MARGIN = 1.0  # its clock counts whole seconds
FOREVER = 1e12


def pause(reply: RestResponse, attempt: int, now: float) -> float | None:
    """Tell how many seconds to wait before the same request; None when it is no rate limit.

    NOW is the time by GitHub's own clock; ATTEMPT counts from 0.
    """
    if reply.status not in {403, 429}:
        return None
    if (seconds := _seconds(reply.headers.get("retry-after"))) is not None:
        return seconds
    if reply.headers.get("x-ratelimit-remaining") == "0":
        reset = _seconds(reply.headers.get("x-ratelimit-reset"))
        return LEAST if reset is None else max(reset - now, 0.0) + MARGIN
    said = reply.body[:4096]
    if reply.status == 429 or any(mark in said for mark in (*SECONDARY, *PRIMARY)):
        return LEAST * float(2**attempt)
    return None


def _seconds(text: str | None) -> float | None:
    return min(float(text), FOREVER) if text and text.isascii() and text.isdecimal() else None
