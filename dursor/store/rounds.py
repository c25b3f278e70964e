"""Writing rounds and their runs. A run that reached a final status never changes again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from dursor.domain import (
    LogEntry,
    Message,
    Repo,
    Run,
    RunError,
    RunStatus,
    Stage,
    Task,
    TaskStatus,
    now,
)
from dursor.errors import ConflictError, NotFoundError
from dursor.store import rows
from dursor.store.lease import is_alive
from dursor.store.schema import ACTIVE, RUN_COLUMNS, RUN_WIDE_COLUMNS
from dursor.store.transaction import Transactions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_FIXED = frozenset({"id", "task_id", "round", "sample", "created_at"})
_CHANGEABLE = frozenset({*RUN_COLUMNS, *RUN_WIDE_COLUMNS}) - _FIXED
_RESULT = (
    "status",
    "error",
    "summary",
    "patch",
    "files_changed",
    "warnings",
    "usage",
    "cost_usd",
    "attempts",
    "started_at",
    "completed_at",
)
_GROWN = ("logs", "context")  # an empty one in a finished run leaves what was stored before


@dataclass(frozen=True)
class RunUpdate:
    """Changes to one run: fields by their names in `Run`, and entries to append to its log."""

    run_id: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    logs: Sequence[LogEntry] = ()


class Rounds(Transactions):
    """Starts rounds, keeps their runs up to date and ends them."""

    def start_round(
        self,
        task: Task | None,
        repo: Repo | None,
        messages: Sequence[Message],
        runs: Sequence[Run],
    ) -> tuple[Task, tuple[Run, ...]]:
        """Store a round in one transaction; returns its task and runs as they are stored.

        TASK and REPO are added when they are new (None: the task of the runs, the repository of
        the task); a folder that another process registered meanwhile keeps its row. A run's
        round 0 means the task's next one, its sample 0 the model's next one in that round.
        """
        with self._writing():
            repo_id = None if repo is None else self._registered(repo).id
            stored = self._standing(task, runs, repo_id)
            numbered = self._numbered(stored.id, runs)
            self._table("runs").insert_all(
                {**rows.encode(vars(run)), "repo_id": stored.repo_id} for run in numbered
            )
            self._table("messages").insert_all(
                rows.encode(vars(replace(one, task_id=stored.id))) for one in messages
            )
        return stored, numbered

    def _standing(self, task: Task | None, runs: Sequence[Run], repo_id: str | None) -> Task:
        """Find or add the task of a round."""
        task_id = runs[0].task_id if task is None else task.id
        row = self._one("SELECT * FROM tasks WHERE id = ?", task_id)
        if row is not None:
            stored = rows.decode_task(row)
            if stored.status is TaskStatus.CLOSED:
                raise ConflictError(
                    f"task {task_id[:8]} was closed meanwhile", hint="dursor task new TITLE"
                )
            return self._touched(stored)
        if task is None:
            raise NotFoundError(f"no task {task_id!r}", hint="dursor task list")
        stored = replace(task, repo_id=repo_id or task.repo_id)
        self._table("tasks").insert(rows.encode(vars(stored)))
        return stored

    def _touched(self, task: Task) -> Task:
        at = now()
        self._do("UPDATE tasks SET updated_at = ? WHERE id = ?", at, task.id)
        return replace(task, updated_at=at)

    def _numbered(self, task_id: str, runs: Sequence[Run]) -> tuple[Run, ...]:
        (last,) = self._one("SELECT max(round) FROM runs WHERE task_id = ?", task_id)
        following = (last or 0) + 1
        samples: dict[tuple[int, str], int] = {}
        numbered = []
        for run in runs:
            number = run.round or following
            key = number, run.model
            if key not in samples:
                samples[key] = self._samples(task_id, number, run.model)
            samples[key] = run.sample or samples[key] + 1
            numbered.append(replace(run, task_id=task_id, round=number, sample=samples[key]))
        return tuple(numbered)

    def _samples(self, task_id: str, number: int, model: str) -> int:
        sql = "SELECT max(sample) FROM runs WHERE task_id = ? AND round = ? AND model = ?"
        (last,) = self._one(sql, task_id, number, model)
        return last or 0

    def _registered(self, repo: Repo) -> Repo:
        """Find REPO; where it is not registered, add it under a free name, or bring it back."""
        row = self._one("SELECT * FROM repos WHERE id = ?", repo.id) or self._one(
            "SELECT * FROM repos WHERE path = ?", rows.text(repo.path)
        )
        if row is not None and row["removed_at"] is None:
            return rows.decode_repo(row)
        repo = replace(repo, name=self._free_name(repo.name))
        if row is None:
            self._table("repos").insert(rows.encode(vars(repo)))
            return repo
        return self._brought_back(rows.decode_repo(row), repo)

    def _brought_back(self, old: Repo, new: Repo) -> Repo:
        """Register a removed repository anew: it keeps its id, and so its history."""
        back = replace(new, id=old.id)
        columns = {name: value for name, value in vars(back).items() if name != "id"}
        self._table("repos").update(old.id, {**rows.encode(columns), "removed_at": None})
        return back

    def _free_name(self, wanted: str) -> str:
        sql = "SELECT 1 FROM repos WHERE name = ? AND removed_at IS NULL"
        name, number = wanted, 1
        while self._one(sql, rows.text(name)) is not None:
            number += 1
            name = f"{wanted}-{number}"
        return name

    # runs under way

    def update_runs(self, changes: Sequence[RunUpdate]) -> frozenset[str]:
        """Apply CHANGES in one transaction; returns the ids of runs that were final already."""
        with self._writing():
            return frozenset(one.run_id for one in changes if not self._change(one))

    def finish_run(self, run: Run, message: Message | None = None) -> bool:
        """Store a run's end and what it said; False (and nothing stored) when it was final."""
        with self._writing():
            return self._finish(run, message)

    def record_runs(
        self,
        changes: Mapping[str, Mapping[str, Any]],
        finals: Iterable[tuple[Run, Message | None]] = (),
    ) -> frozenset[str]:
        """Set fields of many runs (whole logs among them) and end others, in one transaction.

        Returns the ids of runs that were final already, and so stayed as they were.
        """
        with self._writing():
            late = {i for i, fields in changes.items() if not self._change(RunUpdate(i, fields))}
            late |= {run.id for run, message in finals if not self._finish(run, message)}
            return frozenset(late)

    def _change(self, change: RunUpdate) -> bool:
        if unknown := set(change.fields) - _CHANGEABLE:
            raise ValueError(f"no such changeable fields of a run: {sorted(unknown)}")
        columns = rows.encode(change.fields)
        if change.logs:
            columns["logs"] = self._longer_log(change.run_id, change.logs)
        return self._set(change.run_id, columns)

    def _longer_log(self, run_id: str, entries: Sequence[LogEntry]) -> str:
        row = self._one("SELECT logs FROM runs WHERE id = ?", run_id)
        return rows.append_logs("[]" if row is None else row["logs"], entries)

    def _set(self, run_id: str, columns: Mapping[str, Any]) -> bool:
        """Change a run that is still active; tell whether it was."""
        names = ", ".join(f"{name} = ?" for name in columns) or "id = id"
        sql = f"UPDATE runs SET {names} WHERE id = ? AND {ACTIVE}"
        return self._do(sql, *columns.values(), run_id) == 1

    def _finish(self, run: Run, message: Message | None) -> bool:
        if not run.status.is_final:
            raise ValueError(f"{run.status.value} is no end of a run")
        grown = [name for name in _GROWN if getattr(run, name)]
        fields = {name: getattr(run, name) for name in (*_RESULT, *grown)}
        if not self._set(run.id, rows.encode(fields)):
            return False
        if message is not None:
            self._table("messages").insert(rows.encode(vars(message)))
        return True

    # cancel, and owners that are gone

    def request_cancel(self, run_ids: Collection[str]) -> list[str]:
        """Ask the owners of active runs to cancel them; returns the ids that were active.

        Runs whose owner is gone end here, as interrupted.
        """
        asked = []
        with self._writing():
            for run_id in run_ids:
                sql = f"SELECT id, lease, logs FROM runs WHERE id = ? AND {ACTIVE}"
                row = self._one(sql, run_id)
                if row is None:
                    continue
                asked.append(run_id)
                if row["lease"] is not None and is_alive(self.leases, row["lease"]):
                    self._set(run_id, {"cancel_requested_at": now()})
                else:
                    self._interrupt(row)
        return asked

    def reap(self, leases: Collection[str | None]) -> list[str]:
        """End the active runs of dead LEASES (None: runs without one); returns their ids."""
        with self._writing():
            rows_found = self._all(f"SELECT id, lease, logs FROM runs WHERE {ACTIVE}")
            dead = [row for row in rows_found if row["lease"] in leases]
            for row in dead:
                self._interrupt(row)
        return [row["id"] for row in dead]

    def _interrupt(self, row: Any) -> None:
        at, logged = now(), rows.load_logs(row["logs"])
        stage = logged[-1].stage if logged else Stage.PREPARE
        message = "the process that owned the run is gone"
        error = RunError("interrupted", message, f"dursor run retry {row['id'][:8]}", stage)
        columns = rows.encode(
            {
                "status": RunStatus.FAILED,
                "error": error,
                "completed_at": at,
                "logs": (*logged, LogEntry(at, stage, f"interrupted: {message}")),
            }
        )
        self._set(row["id"], columns)
