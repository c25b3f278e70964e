"""What is heard of a round while it runs. Listeners are called from the event loop's thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from dursor.domain import Run, Stage, Task, Usage


@dataclass(frozen=True)
class RoundStarted:
    """The rows exist; said once, before anything is sent. Watching says it too."""

    task: Task
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class StageEntered:
    """A run entered STAGE; `at` and `message` are those of its log entry."""

    run_id: str
    stage: Stage
    message: str
    at: str


@dataclass(frozen=True)
class OutputGrew:
    """An answer grew; said at most a few times a second for a run."""

    run_id: str
    output_chars: int
    usage: Usage | None = None
    cost_usd: float | None = None


@dataclass(frozen=True)
class RetryPlanned:
    """A call failed before its first output byte and is tried again after SECONDS."""

    run_id: str
    seconds: float
    reason: str


@dataclass(frozen=True)
class RunFinished:
    """A run reached a final status."""

    run: Run


@dataclass(frozen=True)
class Notice:
    """Something a person should know that is no answer: a warning, a repository registered."""

    message: str


RoundEvent: TypeAlias = (
    RoundStarted | StageEntered | OutputGrew | RetryPlanned | RunFinished | Notice
)
Listener: TypeAlias = Callable[[RoundEvent], None]


def ignore_event(event: RoundEvent) -> None:
    """Hear nothing."""
