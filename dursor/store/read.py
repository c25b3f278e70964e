"""Reads of the store with the standard library alone: lists, look-ups, completion."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from dursor.domain import (
    AttemptReply,
    GitHubAppConfig,
    KeySource,
    Message,
    ModelProfile,
    PullRequest,
    Repo,
    Round,
    Run,
    RunStatus,
    Task,
    TaskStatus,
)
from dursor.errors import InternalError, NotFoundError
from dursor.store import rows
from dursor.store.connect import open_for_reading, read_version, translate_errors
from dursor.store.references import ambiguous, find_id, format_label, select_ids
from dursor.store.schema import (
    ACTIVE,
    ROUND_COLUMNS,
    ROUND_PREFIX,
    ROUND_WIDE_COLUMNS,
    RUN_COLUMNS,
    RUN_WIDE_COLUMNS,
    SELECT_REPOS,
    VERSION,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


def _select_runs(run_columns: Sequence[str], round_columns: Sequence[str]) -> str:
    columns = [f"runs.{name}" for name in run_columns]
    columns += [f"rounds.{name} AS {ROUND_PREFIX}{name}" for name in round_columns]
    return f"SELECT {', '.join(columns)} FROM runs JOIN rounds ON rounds.id = runs.round_id"


_LIGHT_RUNS = _select_runs(RUN_COLUMNS, ROUND_COLUMNS)
_WHOLE_RUNS = _select_runs((*RUN_COLUMNS, *RUN_WIDE_COLUMNS), (*ROUND_COLUMNS, *ROUND_WIDE_COLUMNS))
_ROUNDS = f"SELECT {', '.join((*ROUND_COLUMNS, *ROUND_WIDE_COLUMNS))} FROM rounds"
_MODELS = (
    "SELECT models.*, source AS key_source FROM models "
    "LEFT JOIN key_sources ON key_sources.name = 'model:' || models.name"
)


class Reader:
    """Reads the store, in one thread at a time.

    A database that does not exist yet reads as an empty one. UPGRADE is called with the path of
    a database that an older dursor wrote; it must bring its schema up to date.
    """

    def __init__(self, path: Path, upgrade: Callable[[Path], None] | None = None) -> None:
        self.path = path
        self._upgrade = upgrade
        self._connection: sqlite3.Connection | None = None
        self._polled: dict[str, tuple[int, frozenset[str]]] = {}

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # runs

    def runs(
        self,
        *,
        repo_id: str | None = None,
        task_id: str | None = None,
        status: RunStatus | None = None,
        limit: int | None = 20,
        before: str | None = None,
    ) -> list[Run]:
        """List runs newest first, without their wide fields; BEFORE is a run's whole id."""
        where, values = _where(
            {"runs.repo_id": repo_id, "runs.task_id": task_id, "runs.status": status}
        )
        if before is not None:
            where.append(
                "(runs.created_at, runs.rowid) < (SELECT created_at, rowid FROM runs WHERE id = ?)"
            )
            values.append(before)
        sql = f"{_LIGHT_RUNS}{_all_of(where)} ORDER BY runs.created_at DESC, runs.rowid DESC"
        return [rows.decode_run(row) for row in self._rows(*_limited(sql, values, limit))]

    def run(self, reference: str) -> Run:
        """Read the whole run whose id is or starts with REFERENCE."""
        run_id = self.find("runs", reference)
        run = rows.decode_run(self._rows(f"{_WHOLE_RUNS} WHERE runs.id = ?", [run_id])[0])
        sql = "SELECT attempt, text FROM replies WHERE run_id = ? ORDER BY attempt"
        replies = [
            AttemptReply(attempt, rows.plain(text)) for attempt, text in self._rows(sql, [run_id])
        ]
        return replace(run, replies=tuple(replies))

    def rounds(self, task_id: str) -> list[Round]:
        """List the whole rounds of a task, oldest first."""
        sql = f"{_ROUNDS} WHERE task_id = ? ORDER BY number"
        return [rows.decode_round(row) for row in self._rows(sql, [task_id])]

    def first_round(
        self, task_id: str, base_commit: str, *, dirty: bool, dirty_patch: str | None
    ) -> Round | None:
        """Find the first round of a task on this base."""
        tree = rows.encode({"dirty": dirty, "dirty_patch": dirty_patch})
        where = "task_id = ? AND base_commit = ? AND dirty = ? AND dirty_patch IS ?"
        sql = f"{_ROUNDS} WHERE {where} ORDER BY number LIMIT 1"
        matches = self._rows(sql, [task_id, base_commit, *tree.values()])
        return rows.decode_round(matches[0]) if matches else None

    def active_leases(self) -> frozenset[str | None]:
        """Return the leases of queued and running runs; None for a run that has none."""
        sql = f"SELECT DISTINCT lease FROM runs LEFT JOIN run_leases ON run_id = id WHERE {ACTIVE}"
        return frozenset(lease for (lease,) in self._rows(sql, []))

    def cancel_requested(self, lease: str) -> frozenset[str]:
        """Return the runs of LEASE that a user wants canceled; cheap to call often."""
        connection = self._open()
        if connection is None:
            return frozenset()
        version = int(self._rows("PRAGMA data_version", [])[0][0])
        known = self._polled.get(lease)
        if known is None or known[0] != version:
            sql = "SELECT run_id FROM run_leases WHERE lease = ? AND cancel_requested_at NOT NULL"
            run_ids = frozenset(run_id for (run_id,) in self._rows(sql, [lease]))
            known = self._polled[lease] = version, run_ids
        return known[1]

    # tasks, messages and repositories

    def tasks(
        self,
        *,
        repo_id: str | None = None,
        status: TaskStatus | None = None,
        limit: int | None = 20,
    ) -> list[Task]:
        """List tasks, newest first."""
        where, values = _where({"repo_id": repo_id, "status": status})
        sql = f"SELECT * FROM tasks{_all_of(where)} ORDER BY created_at DESC, rowid DESC"
        return [rows.decode_task(row) for row in self._rows(*_limited(sql, values, limit))]

    def task(self, reference: str) -> Task:
        """Read the task whose id is or starts with REFERENCE."""
        task_id = self.find("tasks", reference)
        return rows.decode_task(self._rows("SELECT * FROM tasks WHERE id = ?", [task_id])[0])

    def messages(self, task_id: str) -> list[Message]:
        """List the messages of a task in the order in which they were stored."""
        sql = "SELECT * FROM messages WHERE task_id = ? ORDER BY rowid"
        return [rows.decode_message(row) for row in self._rows(sql, [task_id])]

    def repos(self, *, limit: int | None = None) -> list[Repo]:
        """List registered repositories, newest first; without those that were removed."""
        sql = f"{SELECT_REPOS} WHERE removed_at IS NULL ORDER BY created_at DESC, repos.rowid DESC"
        return [rows.decode_repo(row) for row in self._rows(*_limited(sql, [], limit))]

    def repo(self, reference: str) -> Repo:
        """Read the repository whose id is or starts with REFERENCE, also a removed one."""
        repo_id = self.find("repos", reference)
        return rows.decode_repo(self._rows(f"{SELECT_REPOS} WHERE repos.id = ?", [repo_id])[0])

    def repo_at(self, path: str) -> Repo | None:
        """Find the registered repository whose folder is PATH."""
        sql = f"{SELECT_REPOS} WHERE path = ? AND removed_at IS NULL"
        matches = self._rows(sql, [rows.text(path)])
        return rows.decode_repo(matches[0]) if matches else None

    # models and keys

    def models(self) -> list[ModelProfile]:
        """List the profiles that the user added, by name."""
        return [rows.decode_model(row) for row in self._rows(f"{_MODELS} ORDER BY models.name", [])]

    def model(self, name: str) -> ModelProfile | None:
        """Find the profile that the user added under NAME."""
        matches = self._rows(f"{_MODELS} WHERE models.name = ?", [rows.text(name)])
        return rows.decode_model(matches[0]) if matches else None

    def key_sources(self) -> dict[str, KeySource]:
        """Map the name of each stored key ("provider:openai") to the store that holds it."""
        sql = "SELECT name, source FROM key_sources"
        return {name: KeySource(source) for name, source in self._rows(sql, [])}

    # pull requests

    def prs(
        self, *, task_id: str | None = None, repo_id: str | None = None, limit: int | None = None
    ) -> list[PullRequest]:
        """List pull requests, newest first."""
        where, values = _where({"task_id": task_id, "repo_id": repo_id})
        sql = f"""
            SELECT prs.* FROM prs JOIN tasks ON tasks.id = prs.task_id{_all_of(where)}
            ORDER BY prs.created_at DESC, prs.rowid DESC
        """
        return [rows.decode_pr(row) for row in self._rows(*_limited(sql, values, limit))]

    def pr(self, reference: str, *, repo_id: str | None = None) -> PullRequest:
        """Read the pull request with this number on GitHub, or this id (8 digits or more)."""
        if reference.isdecimal() and len(reference) < 8:
            return self._numbered(int(reference), repo_id)
        pr_id = self.find("prs", reference)
        return rows.decode_pr(self._rows("SELECT * FROM prs WHERE id = ?", [pr_id])[0])

    def _numbered(self, number: int, repo_id: str | None) -> PullRequest:
        matches = [pr for pr in self.prs(repo_id=repo_id) if pr.number == number]
        if len(matches) == 1:
            return matches[0]
        if not matches:
            raise NotFoundError(f"no pull request #{number} in the store", hint="dursor pr list")
        raise ambiguous("prs", str(number), [(pr.id, pr.url) for pr in matches])

    def github_app(self) -> GitHubAppConfig | None:
        """Read the GitHub App that the user set up."""
        sql = "SELECT app_id, installation_id, created_at, updated_at FROM github_app"
        apps = self._rows(sql, [])
        return GitHubAppConfig(*apps[0]) if apps else None

    # ids

    def find(self, table: str, reference: str) -> str:
        """Find the whole id of a row of "runs", "tasks", "repos" or "prs" by its first digits."""
        return find_id(table, reference, lambda prefix: self.ids(table, prefix, limit=9))

    def ids(self, table: str, prefix: str, *, limit: int = 50) -> list[tuple[str, str]]:
        """List ids that start with PREFIX, newest first, each with a short label."""
        sql, values = select_ids(table, prefix)
        return [(row[0], format_label(row)) for row in self._rows(*_limited(sql, values, limit))]

    def _rows(self, sql: str, values: Sequence[Any]) -> list[Any]:
        with translate_errors(self.path):
            connection = self._open()
            return [] if connection is None else connection.execute(sql, values).fetchall()

    def _open(self) -> sqlite3.Connection | None:
        """Return the open file; None while no process has created the tables."""
        if self._connection is None:
            with translate_errors(self.path):
                self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection | None:
        if not self.path.exists():
            return None
        with ExitStack() as stack:
            connection = stack.enter_context(closing(open_for_reading(self.path)))
            version = read_version(connection, self.path)
            if version >= VERSION:
                stack.pop_all()
                return connection
        return self._connect_upgraded() if version else None

    def _connect_upgraded(self) -> sqlite3.Connection:
        if self._upgrade is None:
            raise InternalError(
                f"{self.path} was written by an older dursor", hint="dursor doctor upgrades it"
            )
        self._upgrade(self.path)
        return open_for_reading(self.path)


def _where(equal: Mapping[str, str | None]) -> tuple[list[str], list[Any]]:
    """Build the conditions and values of the columns that must have a value."""
    given = {name: value for name, value in equal.items() if value is not None}
    return [f"{name} = ?" for name in given], [rows.text(str(value)) for value in given.values()]


def _all_of(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _limited(sql: str, values: Sequence[Any], limit: int | None) -> tuple[str, list[Any]]:
    """Add the limit; None or negative means all."""
    return f"{sql} LIMIT ?", [*values, -1 if limit is None else limit]
