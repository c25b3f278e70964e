"""The result of a demonstration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.domain import RunStatus

if TYPE_CHECKING:
    from pathlib import Path

    from dursor.domain import Round, Run, Task


@dataclass(frozen=True)
class TestOutcome:
    """The result of the sample's test on one answer; `detail` is for people."""

    __test__ = False  # not a test for pytest to collect

    model: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class DemoResult:
    """A round and the test outcome of each run."""

    task: Task
    round: Round
    runs: tuple[Run, ...]
    tests: tuple[TestOutcome, ...]  # in the order of `runs`
    before: str  # detail of the same test on the base, where it fails
    notes: tuple[str, ...]  # remarks about the answers
    folder: Path | None  # where everything was kept

    @property
    def best(self) -> Run | None:
        """The smallest change that passes the test."""
        passing = [run for run, test in zip(self.runs, self.tests, strict=True) if test.passed]
        return min(
            passing,
            key=lambda run: sum(c.added_lines + c.removed_lines for c in run.files_changed),
            default=None,
        )

    @property
    def exit_code(self) -> int:
        """0 when at least one run succeeded, as for any round."""
        return 0 if any(run.status is RunStatus.SUCCEEDED for run in self.runs) else 1
