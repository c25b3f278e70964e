"""Ids, ages, durations, costs and counts in a form for people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.domain import FileChange, Run

NOTHING = "-"

MINUTE, HOUR, DAY = 60, 3600, 86400


def format_duration(seconds: float | None) -> str:
    """Format as `0.4 s`, `21 s`, `2 min 5 s` or `1 h 5 min`."""
    if seconds is None:
        return NOTHING
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    rounded = round(seconds)
    if rounded < MINUTE:
        return f"{rounded} s"
    if rounded < HOUR:
        return f"{rounded // MINUTE} min {rounded % MINUTE} s"
    return f"{rounded // HOUR} h {rounded % HOUR // MINUTE} min"


def format_age(timestamp: str, now: datetime | None = None) -> str:
    """Format the time since TIMESTAMP, ISO-8601, as `21 s`, `5 min`, `3 h` or `4 d`."""
    seconds = max(
        ((now or datetime.now(UTC)) - datetime.fromisoformat(timestamp)).total_seconds(), 0
    )
    for size, unit in ((2 * DAY, "d"), (2 * HOUR, "h"), (2 * MINUTE, "min")):
        if seconds >= size:
            return f"{int(seconds // (size // 2))} {unit}"
    return f"{int(seconds)} s"


def measure_elapsed(run: Run) -> float | None:
    """Return the seconds that a run took, or has taken so far; None before it started."""
    if run.started_at is None:
        return None
    end = datetime.fromisoformat(run.completed_at) if run.completed_at else datetime.now(UTC)
    return (end - datetime.fromisoformat(run.started_at)).total_seconds()


def format_cost(usd: float | None) -> str:
    """Format US dollars as `$0.031`, `$1.20` or `<$0.001`; a dash when unknown."""
    if usd is None:
        return NOTHING
    if 0 < usd < 0.0005:
        return "<$0.001"
    return f"${usd:.3f}" if usd < 1 else f"${usd:.2f}"


def format_count(number: int) -> str:
    """Format as `950`, `12.3k` or `1.2M`."""
    if number < 1000:
        return str(number)
    if number < 999_950:
        return f"{number / 1000:.1f}k"
    return f"{number / 1_000_000:.1f}M"


def format_line_counts(files: Sequence[FileChange]) -> str:
    """Format as `+11 -4`."""
    return f"+{sum(f.added_lines for f in files)} -{sum(f.removed_lines for f in files)}"
