"""Events of a running round. Listeners are called from the event loop's thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from dursor.domain import Run, Stage, Task, Usage


@dataclass(frozen=True)
class RoundStarted:
    """The rows exist; sent once, before anything is sent, and when watching starts."""

    task: Task
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class StageEntered:
    """A run entered a stage; `at` and `message` are those of its log entry."""

    run_id: str
    stage: Stage
    message: str
    at: str


@dataclass(frozen=True)
class OutputGrew:
    """A run's output grew; sent at most a few times a second."""

    run_id: str
    output_chars: int
    usage: Usage | None = None
    cost_usd: float | None = None


@dataclass(frozen=True)
class RetryPlanned:
    """A call failed before its first output byte and is retried after `seconds`."""

    run_id: str
    seconds: float
    reason: str


@dataclass(frozen=True)
class RunFinished:
    """A run reached a final status."""

    run: Run


@dataclass(frozen=True)
class Notice:
    """A message for the user, such as a warning or the registration of a repository."""

    message: str


RoundEvent: TypeAlias = (
    RoundStarted | StageEntered | OutputGrew | RetryPlanned | RunFinished | Notice
)
Listener: TypeAlias = Callable[[RoundEvent], None]


def ignore_event(event: RoundEvent) -> None:
    """Do nothing; the listener for callers that need none."""
