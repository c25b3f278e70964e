"""Ids, ages, durations, costs and counts as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.domain import FileChange, Run

SHORT = 8
NOTHING = "-"

MINUTE, HOUR, DAY = 60, 3600, 86400


def short(id_: str) -> str:
    """Take as much of an id as people see and type."""
    return id_[:SHORT]


def duration(seconds: float | None) -> str:
    """Write `0.4 s`, `21 s`, `2 min 5 s`, `1 h 5 min`."""
    if seconds is None:
        return NOTHING
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"


def age(at: str, now: datetime | None = None) -> str:
    """Write how long ago AT, ISO-8601, was: `21 s`, `5 min`, `3 h`, `4 d`."""
    seconds = max(((now or datetime.now(UTC)) - datetime.fromisoformat(at)).total_seconds(), 0)
    for size, unit in ((2 * DAY, "d"), (2 * HOUR, "h"), (2 * MINUTE, "min")):
        if seconds >= size:
            return f"{int(seconds // (size // 2))} {unit}"
    return f"{int(seconds)} s"


def elapsed(run: Run, now: datetime | None = None) -> float | None:
    """Count the seconds a run took, or has taken so far; None before it started."""
    if run.started_at is None:
        return None
    end = datetime.fromisoformat(run.completed_at) if run.completed_at else now or datetime.now(UTC)
    return (end - datetime.fromisoformat(run.started_at)).total_seconds()


def cost(usd: float | None) -> str:
    """Write US dollars: `$0.031`, `$1.20`, `<$0.001`; a dash when unknown."""
    if usd is None:
        return NOTHING
    if 0 < usd < 0.0005:
        return "<$0.001"
    return f"${usd:.3f}" if usd < 1 else f"${usd:.2f}"


def count(number: int) -> str:
    """Write `950`, `12.3k`, `1.2M`."""
    if number < 1000:
        return str(number)
    if number < 999_950:
        return f"{number / 1000:.1f}k"
    return f"{number / 1_000_000:.1f}M"


def lines_changed(files: Sequence[FileChange]) -> str:
    """Write `+11 -4`."""
    added = sum(one.added_lines for one in files)
    removed = sum(one.removed_lines for one in files)
    return f"+{added} -{removed}"
