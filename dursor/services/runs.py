"""List, show, cancel, compare and apply runs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.errors import UsageError
from dursor.services.tasks import find_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from dursor.domain import LogEntry, Round, Run, RunStatus, Task
    from dursor.services.repos import Repos
    from dursor.services.results import AppliedChange, Comparison, RoundResult
    from dursor.store.read import Reader
    from dursor.store.write import Store

FOLLOW_SECONDS = 0.2


@dataclass(frozen=True)
class Runs:
    """The runs in the store."""

    reader: Reader
    open_store: Callable[[], Store]
    repos: Repos
    reap: Callable[[], None]  # marks runs whose process is gone as interrupted
    journals: Path  # of `run apply`

    def list(
        self,
        repo: str | None,
        *,
        everywhere: bool,
        task: str | None,
        status: RunStatus | None,
        limit: int,
    ) -> Sequence[Run]:
        """List runs, newest first; only those of the current repository, if there is one."""
        self.reap()
        task_id = None if task is None else self.reader.task(task).id
        repo_id = find_scope(self.repos, repo, everywhere or task is not None)
        return self.reader.runs(repo_id=repo_id, task_id=task_id, status=status, limit=limit)

    def find(self, run: str) -> Run:
        """Return the run whose id begins with RUN."""
        self.reap()
        return self.reader.run(run)

    def follow(self, run: str) -> Iterator[LogEntry]:
        """Yield the log of a run until it is finished."""
        count = 0
        while True:
            current = self.find(run)
            yield from current.full_log[count:]
            count = len(current.full_log)
            if current.status.is_final:
                return
            time.sleep(FOLLOW_SECONDS)  # another process writes the store

    def cancel(self, runs: Sequence[str]) -> RoundResult:
        """Ask the processes that own RUNS to cancel them, and wait until they are."""
        from dursor.services.results import RoundResult

        ids = [self.find(run).id for run in runs]
        if not ids:
            raise UsageError("no run given", hint="dursor run list --status running")
        self.open_store().request_cancel(ids)
        settled = tuple(map(self._wait_for, ids))
        return RoundResult(self.find_common_task(settled), self.find_common_round(settled), settled)

    def _wait_for(self, run_id: str) -> Run:
        """Return the run when it is finished, or after five seconds."""
        deadline = time.monotonic() + 5
        while True:
            run = self.find(run_id)
            if run.status.is_final or time.monotonic() > deadline:
                return run
            time.sleep(0.05)  # the owner checks a few times per second

    def find_common_task(self, runs: Sequence[Run]) -> Task | None:
        """Return the task of all RUNS; None if they belong to several."""
        ids = {run.task_id for run in runs}
        return self.reader.task(ids.pop()) if len(ids) == 1 else None

    def find_common_round(self, runs: Sequence[Run]) -> Round | None:
        """Return the round of all RUNS; None if they belong to several."""
        ids = {run.round.id for run in runs}
        return runs[0].round if len(ids) == 1 else None

    def compare(self, runs: Sequence[str]) -> Comparison:
        """Compare the changes of RUNS and diff the first against the last."""
        from dursor.services.comparison import compare

        return compare(self.repos, self.reader, [*map(self.find, runs)])

    def apply(
        self, run: str, *, branch: str | None, commit: bool, three_way: bool
    ) -> AppliedChange:
        """Apply a run's change to the working tree, all or nothing."""
        from dursor.services.comparison import apply

        return apply(
            self.repos,
            self.reader,
            self.find(run),
            branch=branch,
            commit=commit,
            three_way=three_way,
            journals=self.journals,
        )
