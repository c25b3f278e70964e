"""Writes of rounds and their runs. A run that has a final status never changes again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from dursor.domain import (
    AttemptReply,
    LogEntry,
    Message,
    Repo,
    Round,
    Run,
    RunError,
    RunStatus,
    Stage,
    Task,
    TaskStatus,
    now,
)
from dursor.errors import ConflictError, NotFoundError
from dursor.ids import short_id
from dursor.store import rows
from dursor.store.lease import is_alive
from dursor.store.schema import ACTIVE, RUN_COLUMNS, RUN_WIDE_COLUMNS, SELECT_REPOS
from dursor.store.transaction import Transactions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_CHANGEABLE = frozenset({*RUN_COLUMNS, *RUN_WIDE_COLUMNS}) - {"id", "sample", "created_at"}
_RESULT = (
    *("status", "error", "summary", "patch", "files_changed", "warnings", "usage"),
    *("cost_usd", "attempts", "started_at", "completed_at"),
)
_REPO_PATHS = ("path", "workspace_path")  # facts of this machine


class StoredRound(NamedTuple):
    """A round as it was stored, with its task and its new runs."""

    task: Task
    round: Round
    runs: tuple[Run, ...]


class RoundWriter(Transactions):
    """Starts rounds, keeps their runs up to date and ends them."""

    def start_round(
        self,
        round_: Round,
        runs: Sequence[Run],
        *,
        task: Task | None = None,
        repo: Repo | None = None,
        message: Message | None = None,
        lease: str | None = None,
    ) -> StoredRound:
        """Store ROUND_ with its RUNS, owned by LEASE, in one transaction.

        TASK and REPO are added when they are new (None: they exist); a folder that another
        process registered meanwhile keeps its row. The round gets the next number of its task; one
        that has a number exists, and RUNS join it. A run's sample 0 means the next one of its
        model in that round.
        """
        with self._writing():
            repo_id = None if repo is None else self._register(repo).id
            stored = self._store_task(task, round_.task_id, repo_id)
            round_ = self._store_round(replace(round_, task_id=stored.id))
            numbered = self._number_samples(round_, runs)
            self._table("runs").insert_all(
                {**rows.encode_run(run), "repo_id": stored.repo_id} for run in numbered
            )
            if lease is not None:
                self._table("run_leases").insert_all(
                    {"run_id": run.id, "lease": lease, "cancel_requested_at": None} for run in runs
                )
            if message is not None:
                message = replace(message, task_id=stored.id)
                self._table("messages").insert(rows.encode(vars(message)))
        return StoredRound(stored, round_, numbered)

    def _store_task(self, task: Task | None, task_id: str, repo_id: str | None) -> Task:
        """Find or add the task of a round."""
        task_id = task_id if task is None else task.id
        row = self._fetch_one("SELECT * FROM tasks WHERE id = ?", task_id)
        if row is not None:
            stored = rows.decode_task(row)
            if stored.status is TaskStatus.CLOSED:
                hint = "dursor task new TITLE"
                raise ConflictError(f"task {short_id(task_id)} is closed", hint=hint)
            return self._touch(stored)
        if task is None:
            raise NotFoundError(f"no task {task_id!r}", hint="dursor task list")
        stored = replace(task, repo_id=repo_id or task.repo_id)
        self._table("tasks").insert(rows.encode(vars(stored)))
        return stored

    def _touch(self, task: Task) -> Task:
        updated_at = now()
        self._execute("UPDATE tasks SET updated_at = ? WHERE id = ?", updated_at, task.id)
        return replace(task, updated_at=updated_at)

    def _store_round(self, round_: Round) -> Round:
        if round_.number:
            return round_
        sql = "SELECT coalesce(max(number), 0) + 1 FROM rounds WHERE task_id = ?"
        round_ = replace(round_, number=self._fetch_one(sql, round_.task_id)[0])
        self._table("rounds").insert(rows.encode(vars(round_)))
        return round_

    def _number_samples(self, round_: Round, runs: Sequence[Run]) -> tuple[Run, ...]:
        samples: dict[str, int] = {}
        numbered = []
        for run in runs:
            if run.model not in samples:
                samples[run.model] = self._last_sample(round_.id, run.model)
            samples[run.model] = run.sample or samples[run.model] + 1
            numbered.append(replace(run, round=round_, sample=samples[run.model]))
        return tuple(numbered)

    def _last_sample(self, round_id: str, model: str) -> int:
        sql = "SELECT coalesce(max(sample), 0) FROM runs WHERE round_id = ? AND model = ?"
        return int(self._fetch_one(sql, round_id, model)[0])

    def _find_repo(self, condition: str, value: str) -> Any:
        return self._fetch_one(f"{SELECT_REPOS} WHERE {condition}", rows.text(value))

    def _register(self, repo: Repo) -> Repo:
        """Find REPO, or add it under a free name, or restore it if it was removed."""
        row = self._find_repo("repos.id = ?", repo.id) or self._find_repo("path = ?", repo.path)
        if row is not None and row["removed_at"] is None:
            return rows.decode_repo(row)
        repo = replace(
            repo, id=repo.id if row is None else row["id"], name=self._free_name(repo.name)
        )
        columns = rows.encode(vars(repo))
        paths = {name: columns.pop(name) for name in _REPO_PATHS}
        self._table("repos").upsert({**columns, "removed_at": None}, pk="id")
        self._table("repo_paths").upsert({"repo_id": repo.id, **paths}, pk="repo_id")
        return repo

    def _free_name(self, wanted: str) -> str:
        sql = "SELECT 1 FROM repos WHERE name = ? AND removed_at IS NULL"
        name, number = wanted, 1
        while self._fetch_one(sql, rows.text(name)) is not None:
            number += 1
            name = f"{wanted}-{number}"
        return name

    def record_runs(
        self,
        changes: Mapping[str, Mapping[str, Any]],
        finals: Iterable[tuple[Run, Message | None]] = (),
        replies: Iterable[tuple[str, AttemptReply]] = (),
    ) -> frozenset[str]:
        """Set fields of many runs, end others, and add REPLIES by run id, in one transaction.

        Returns the ids of runs that were final already and so kept their fields.
        """
        with self._writing():
            self._table("replies").insert_all(
                (
                    {"run_id": run_id, "created_at": now(), **rows.encode(reply._asdict())}
                    for run_id, reply in replies
                ),
                replace=True,
            )
            late = {
                run_id for run_id, fields in changes.items() if not self._change(run_id, fields)
            }
            late |= {run.id for run, message in finals if not self._finish(run, message)}
            return frozenset(late)

    def _change(self, run_id: str, fields: Mapping[str, Any]) -> bool:
        """Change a run that is still active; return whether it was."""
        if unknown := set(fields) - _CHANGEABLE:
            raise ValueError(f"not changeable fields of a run: {sorted(unknown)}")
        columns = rows.encode(fields)
        names = ", ".join(f"{name} = ?" for name in columns) or "id = id"
        sql = f"UPDATE runs SET {names} WHERE id = ? AND {ACTIVE}"
        return self._execute(sql, *columns.values(), run_id) == 1

    def _finish(self, run: Run, message: Message | None) -> bool:
        if not run.status.is_final:
            raise ValueError(f"{run.status.value} is not a final status")
        names = (*_RESULT, "logs") if run.logs else _RESULT  # an empty log keeps the stored one
        if not self._change(run.id, {name: getattr(run, name) for name in names}):
            return False
        self._execute("DELETE FROM run_leases WHERE run_id = ?", run.id)
        if message is not None:
            self._table("messages").insert(rows.encode(vars(message)))
        return True

    def request_cancel(self, run_ids: Collection[str]) -> list[str]:
        """Ask the owners of active runs to cancel them; returns the ids that were active.

        Runs whose owner is gone end as interrupted.
        """
        active = []
        with self._writing():
            for run_id in run_ids:
                row = self._fetch_one(f"{_ACTIVE_RUNS} AND id = ?", run_id)
                if row is None:
                    continue
                active.append(run_id)
                if row["lease"] is not None and is_alive(self.leases, row["lease"]):
                    sql = "UPDATE run_leases SET cancel_requested_at = ? WHERE run_id = ?"
                    self._execute(sql, now(), run_id)
                else:
                    self._interrupt(row)
        return active

    def reap(self, leases: Collection[str | None]) -> list[str]:
        """End the active runs of dead LEASES (None: runs without one); returns their ids."""
        with self._writing():
            dead = [row for row in self._db.execute(_ACTIVE_RUNS) if row["lease"] in leases]
            for row in dead:
                self._interrupt(row)
        return [row["id"] for row in dead]

    def _interrupt(self, row: Any) -> None:
        ended_at, logs = now(), rows.load_logs(row["logs"])
        stage = logs[-1].stage if logs else Stage.CONTEXT  # the last one of its round
        message = "the process that owned the run ended"
        hint = f"dursor run retry {short_id(row['id'])}"
        sql = "SELECT coalesce(max(attempt), 0) FROM replies WHERE run_id = ?"
        fields = {
            "status": RunStatus.FAILED,
            "attempts": self._fetch_one(sql, row["id"])[0],
            "error": RunError("interrupted", message, hint, stage),
            "completed_at": ended_at,
            "logs": (*logs, LogEntry(ended_at, stage, f"interrupted: {message}")),
        }
        self._change(row["id"], fields)
        self._execute("DELETE FROM run_leases WHERE run_id = ?", row["id"])


_ACTIVE_RUNS = (
    f"SELECT id, lease, logs FROM runs LEFT JOIN run_leases ON run_id = id WHERE {ACTIVE}"
)
