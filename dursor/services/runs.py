"""Verbs over runs that are already there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from dursor.domain import LogEntry, Run, RunStatus, Task
    from dursor.services.repos import Repos
    from dursor.services.results import AppliedChange, Comparison, RoundResult
    from dursor.store.read import Reader
    from dursor.store.write import Store

FOLLOW_SECONDS = 0.2


@dataclass(frozen=True)
class Runs:
    """Lists, shows, cancels, compares and applies runs."""

    reader: Reader
    open_store: Callable[[], Store]
    repos: Repos
    reap: Callable[[], None]  # marks runs whose process is gone as interrupted
    journals: Path  # of applies

    def list(
        self,
        repo: str | None,
        *,
        everywhere: bool,
        task: str | None,
        status: RunStatus | None,
        limit: int,
    ) -> Sequence[Run]:
        """Runs in list form, newest first; of this repository when inside one."""
        self.reap()
        task_id = None if task is None else self.reader.task(task).id
        repo_id = None
        if repo is not None:
            repo_id = self.repos.find(repo).id
        elif task is None and not everywhere and (here := self.repos.here()) is not None:
            repo_id = here.id
        return self.reader.runs(repo_id=repo_id, task_id=task_id, status=status, limit=limit)

    def find(self, run: str) -> Run:
        """The run whose id begins with RUN, whole."""
        self.reap()
        return self.reader.run(run)

    def follow(self, run: str) -> Iterator[LogEntry]:
        """The log of a run: what is there, then what comes until the run is over."""
        import time

        heard = 0
        while True:
            found = self.find(run)
            yield from found.logs[heard:]
            heard = len(found.logs)
            if found.status.is_final:
                return
            time.sleep(FOLLOW_SECONDS)  # another process works; the store is how it tells

    def cancel(self, runs: Sequence[str]) -> RoundResult:
        """Ask the owning processes to stop RUNS, and wait until they have."""
        from dursor.services.results import RoundResult

        found = [self.find(one) for one in runs]
        if not found:
            raise UsageError("no run named", hint="dursor run list --status running")
        self.open_store().request_cancel([run.id for run in found])
        settled = tuple(self._settled(run.id) for run in found)
        return RoundResult(self.common_task(settled), settled)

    def _settled(self, run_id: str) -> Run:
        """The run once its owner has let go of it; as it is after five seconds otherwise."""
        import time

        deadline = time.monotonic() + 5
        while True:
            run = self.find(run_id)
            if run.status.is_final or time.monotonic() > deadline:
                return run
            time.sleep(0.05)  # the owner looks for cancellations a few times a second

    def common_task(self, runs: Sequence[Run]) -> Task | None:
        """The task of all RUNS, or None when they belong to several."""
        ids = {run.task_id for run in runs}
        return self.reader.task(ids.pop()) if len(ids) == 1 else None

    def compare(self, runs: Sequence[str]) -> Comparison:
        """What each run changed, and what lies between the first and the last one's tree."""
        from dursor.services.comparison import compare

        return compare(self.repos, self.reader, [self.find(one) for one in runs])

    def apply(
        self, run: str, *, branch: str | None, commit: bool, three_way: bool
    ) -> AppliedChange:
        """Put a run's change into the working tree, all or nothing."""
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
