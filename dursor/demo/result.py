"""What a demonstration comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.domain import RunStatus

if TYPE_CHECKING:
    from pathlib import Path

    from dursor.domain import Run, Task


@dataclass(frozen=True)
class TestOutcome:
    """What the sample's test says about one answer; `detail` is for people."""

    __test__ = False  # pytest, this is no test

    model: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class DemoResult:
    """A round, what the test says about each answer, and the answer worth showing."""

    task: Task
    runs: tuple[Run, ...]
    tests: tuple[TestOutcome, ...]  # in the order of `runs`
    before: str  # what the same test says of the base, where it fails
    notes: tuple[str, ...]  # what there is to see in the answers
    folder: Path | None  # where everything was kept

    @property
    def best(self) -> Run | None:
        """The smallest change that passes the test."""
        passing = [run for run, test in zip(self.runs, self.tests, strict=True) if test.passed]
        return min(passing, key=_size, default=None)

    @property
    def exit_code(self) -> int:
        """0 when at least one run succeeded, as for any round."""
        return 0 if any(run.status is RunStatus.SUCCEEDED for run in self.runs) else 1


def _size(run: Run) -> int:
    return sum(change.added_lines + change.removed_lines for change in run.files_changed)
