"""Reading the store with nothing but the standard library: lists, look-ups, completion."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Self, TypeVar

from dursor.domain import (
    GitHubAppConfig,
    KeySource,
    Message,
    ModelProfile,
    PullRequest,
    Repo,
    Run,
    RunStatus,
    Task,
    TaskStatus,
)
from dursor.errors import InternalError, NotFoundError
from dursor.store import rows
from dursor.store.connect import open_for_reading, translated, version_of
from dursor.store.references import ambiguous, by_id, find_id, label_of
from dursor.store.schema import ACTIVE, KEY, PROFILE, RUN_COLUMNS, RUN_WIDE_COLUMNS, VERSION

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path

T = TypeVar("T")

_LIGHT = ", ".join(RUN_COLUMNS)
_WHOLE = ", ".join((*RUN_COLUMNS, *RUN_WIDE_COLUMNS))


class Reader:
    """Answers questions about the store; one thread at a time.

    A database that does not exist yet answers like an empty one. UPGRADE is called with the
    path of one that an older dursor left (open it once for writing, and close it).
    """

    def __init__(self, path: Path, upgrade: Callable[[Path], None] | None = None) -> None:
        self.path = path
        self._upgrade = upgrade
        self._connection: sqlite3.Connection | None = None
        self._polled: dict[str, tuple[int, frozenset[str]]] = {}

    def close(self) -> None:
        """Let go of the file."""
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
        """List runs newest first, without patch, logs and context; BEFORE is a run's whole id."""
        where, values = _where(repo_id=repo_id, task_id=task_id, status=status)
        if before is not None:
            where.append("(created_at, rowid) < (SELECT created_at, rowid FROM runs WHERE id = ?)")
            values.append(before)
        sql = f"SELECT {_LIGHT} FROM runs{_all_of(where)} ORDER BY created_at DESC, rowid DESC"
        return [rows.decode_run(row) for row in self._rows(*_limited(sql, values, limit))]

    def run(self, reference: str) -> Run:
        """Read the whole run with this id, or the only one whose id starts so."""
        run_id = self.find("runs", reference)
        return rows.decode_run(self._rows(f"SELECT {_WHOLE} FROM runs WHERE id = ?", [run_id])[0])

    def active_runs(self) -> list[Run]:
        """List queued and running runs, without patch, logs and context, in no order."""
        found = self._rows(f"SELECT {_LIGHT} FROM runs WHERE {ACTIVE}", [])
        return [rows.decode_run(row) for row in found]

    def cancel_requested(self, lease: str) -> frozenset[str]:
        """Name the active runs of LEASE that somebody wants canceled; cheap to ask often."""
        connection = self._open()
        if connection is None:
            return frozenset()
        version = int(self._rows("PRAGMA data_version", [])[0][0])
        known = self._polled.get(lease)
        if known is None or known[0] != version:
            sql = f"SELECT id FROM runs WHERE lease = ? AND {ACTIVE} "
            found = self._rows(f"{sql} AND cancel_requested_at IS NOT NULL", [lease])
            known = self._polled[lease] = version, frozenset(row[0] for row in found)
        return known[1]

    # what runs belong to

    def tasks(
        self,
        *,
        repo_id: str | None = None,
        status: TaskStatus | None = None,
        limit: int | None = 20,
    ) -> list[Task]:
        """List tasks, newest first."""
        where, values = _where(repo_id=repo_id, status=status)
        sql = f"SELECT * FROM tasks{_all_of(where)} ORDER BY created_at DESC, rowid DESC"
        return [rows.decode_task(row) for row in self._rows(*_limited(sql, values, limit))]

    def task(self, reference: str) -> Task:
        """Read the task with this id, or the only one whose id starts so."""
        return self._one("tasks", reference, rows.decode_task)

    def messages(self, task_id: str) -> list[Message]:
        """List what was said in a task, in that order, whatever the clock showed."""
        sql = "SELECT * FROM messages WHERE task_id = ? ORDER BY rowid"
        return [rows.decode_message(row) for row in self._rows(sql, [task_id])]

    def repos(self, *, limit: int | None = None) -> list[Repo]:
        """List registered repositories, newest first; without those that were removed."""
        sql = "SELECT * FROM repos WHERE removed_at IS NULL ORDER BY created_at DESC, rowid DESC"
        return [rows.decode_repo(row) for row in self._rows(*_limited(sql, [], limit))]

    def repo(self, reference: str) -> Repo:
        """Read the repository whose id is or starts with REFERENCE, also a removed one."""
        return self._one("repos", reference, rows.decode_repo)

    def repo_at(self, path: str) -> Repo | None:
        """Find the registered repository whose folder is PATH."""
        sql = "SELECT * FROM repos WHERE path = ? AND removed_at IS NULL"
        found = self._rows(sql, [rows.text(path)])
        return rows.decode_repo(found[0]) if found else None

    # models and keys

    def models(self) -> list[ModelProfile]:
        """List the profiles that the user added, by name."""
        sql = "SELECT * FROM models WHERE kind = ? ORDER BY name"
        return [rows.decode_model(row) for row in self._rows(sql, [PROFILE])]

    def model(self, name: str) -> ModelProfile | None:
        """Find the profile that the user added under NAME."""
        sql = "SELECT * FROM models WHERE kind = ? AND name = ?"
        found = self._rows(sql, [PROFILE, rows.text(name)])
        return rows.decode_model(found[0]) if found else None

    def key_sources(self) -> dict[str, KeySource]:
        """Tell where each stored key lies, by its name in the key store ("provider:openai")."""
        sql = "SELECT kind, name, key_source FROM models WHERE key_source IS NOT NULL"
        return {
            name if kind == KEY else f"model:{name}": KeySource(source)
            for kind, name, source in self._rows(sql, [])
        }

    # pull requests

    def prs(
        self,
        *,
        task_id: str | None = None,
        repo_id: str | None = None,
        limit: int | None = None,
    ) -> list[PullRequest]:
        """List pull requests, newest first."""
        where, values = _where(task_id=task_id, repo_id=repo_id)
        sql = f"""
            SELECT prs.* FROM prs JOIN tasks ON tasks.id = prs.task_id{_all_of(where)}
            ORDER BY prs.created_at DESC, prs.rowid DESC
        """
        return [rows.decode_pr(row) for row in self._rows(*_limited(sql, values, limit))]

    def pr(self, reference: str, *, repo_id: str | None = None) -> PullRequest:
        """Read the pull request with this number on GitHub, or this id (8 digits or more)."""
        if reference.isdecimal() and len(reference) < 8:
            return self._numbered(int(reference), repo_id)
        return self._one("prs", reference, rows.decode_pr)

    def _numbered(self, number: int, repo_id: str | None) -> PullRequest:
        found = [pr for pr in self.prs(repo_id=repo_id) if pr.number == number]
        if len(found) == 1:
            return found[0]
        if not found:
            raise NotFoundError(f"no pull request {number} is known here", hint="dursor pr list")
        raise ambiguous("prs", str(number), [(pr.id, pr.url) for pr in found])

    def github_app(self) -> GitHubAppConfig | None:
        """Read the GitHub App that was set up."""
        sql = "SELECT app_id, installation_id, created_at, updated_at FROM github_app"
        found = self._rows(sql, [])
        return GitHubAppConfig(*found[0]) if found else None

    # ids

    def find(self, table: str, reference: str) -> str:
        """Find the whole id of a row of "runs", "tasks", "repos" or "prs" by its first digits."""
        return find_id(table, reference, lambda prefix: self.ids(table, prefix, limit=9))

    def ids(self, table: str, prefix: str, *, limit: int = 50) -> list[tuple[str, str]]:
        """List ids that start with PREFIX, newest first, each with a few words about it."""
        sql, values = by_id(table, prefix)
        return [(row[0], label_of(row)) for row in self._rows(*_limited(sql, values, limit))]

    # machinery

    def _one(self, table: str, reference: str, decode: Callable[[Any], T]) -> T:
        found = self.find(table, reference)
        return decode(self._rows(f"SELECT * FROM {table} WHERE id = ?", [found])[0])

    def _rows(self, sql: str, values: Sequence[Any]) -> list[Any]:
        with translated(self.path):
            connection = self._open()
            return [] if connection is None else connection.execute(sql, values).fetchall()

    def _open(self) -> sqlite3.Connection | None:
        """Open the file once; None while no process has made the tables."""
        if self._connection is None:
            with translated(self.path):
                self._connection = self._opened()
        return self._connection

    def _opened(self) -> sqlite3.Connection | None:
        if not self.path.exists():
            return None
        with ExitStack() as stack:
            connection = stack.enter_context(closing(open_for_reading(self.path)))
            version = version_of(connection, self.path)
            if version >= VERSION:
                stack.pop_all()
                return connection
        return self._upgraded() if version else None

    def _upgraded(self) -> sqlite3.Connection:
        if self._upgrade is None:
            raise InternalError(
                f"{self.path} was written by an older dursor", hint="dursor doctor upgrades it"
            )
        self._upgrade(self.path)
        return open_for_reading(self.path)


def _where(**equal: str | None) -> tuple[list[str], list[Any]]:
    given = {name: value for name, value in equal.items() if value is not None}
    return [f"{name} = ?" for name in given], [rows.text(str(value)) for value in given.values()]


def _all_of(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _limited(sql: str, values: Sequence[Any], limit: int | None) -> tuple[str, list[Any]]:
    """Add the limit; None or negative means all."""
    return f"{sql} LIMIT ?", [*values, -1 if limit is None else limit]
