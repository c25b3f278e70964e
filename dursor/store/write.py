"""Writes to the store: every method is one transaction that takes its lock at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dursor.domain import (
    GitHubAppConfig,
    KeySource,
    Message,
    ModelProfile,
    PullRequest,
    Repo,
    Task,
    now,
)
from dursor.errors import ConflictError, NotFoundError
from dursor.store import rows
from dursor.store.rounds import RoundWriter

if TYPE_CHECKING:
    from collections.abc import Sequence


class Store(RoundWriter):
    """The database file, opened for writing, in one thread at a time.

    Raises InternalError when the file cannot be used, ConflictError when a name is taken,
    NotFoundError when the row to change does not exist.
    """

    # models and keys

    def add_model(self, profile: ModelProfile) -> ModelProfile:
        """Add a profile; a key stored for a built-in model of its name does not become its key."""
        with self._writing():
            if self._fetch_one("SELECT 1 FROM models WHERE name = ?", profile.name) is not None:
                raise ConflictError(
                    f"model {profile.name!r} already exists",
                    hint=f"dursor models remove {profile.name}",
                )
            stored = replace(profile, created_at=profile.created_at or now(), built_in=False)
            columns = {
                name: value
                for name, value in vars(stored).items()
                if name not in {"built_in", "key_source"}
            }
            self._table("models").insert(rows.encode(columns))
            self._set_key_source(f"model:{profile.name}", profile.key_source)
        return stored

    def remove_model(self, name: str) -> None:
        """Delete the profile called NAME."""
        with self._writing():
            if not self._execute("DELETE FROM models WHERE name = ?", name):
                raise NotFoundError(f"no added model {name!r}", hint="dursor models list")
            self._set_key_source(f"model:{name}", None)

    def set_key_source(self, key_name: str, source: KeySource | None) -> None:
        """Record which store holds the key KEY_NAME ("model:gpt", "provider:openai"), or none."""
        with self._writing():
            self._set_key_source(key_name, source)

    def _set_key_source(self, key_name: str, source: KeySource | None) -> None:
        if source is None:
            self._execute("DELETE FROM key_sources WHERE name = ?", key_name)
        else:
            row = {"name": key_name, "source": source.value}
            self._table("key_sources").upsert(row, pk="name")

    # repositories

    def add_repo(self, repo: Repo) -> Repo:
        """Register a folder, or return the row of one that is registered.

        A removed repository is restored with its old id, so use the id of the returned one.
        """
        with self._writing():
            row = self._find_repo("removed_at IS NULL AND path = ?", repo.path)
            if row is not None:
                return rows.decode_repo(row)
            if self._free_name(repo.name) != repo.name:
                raise ConflictError(
                    f"repository {repo.name!r} already exists",
                    hint="choose another --name, or dursor repo list",
                )
            return self._register(repo)

    def update_repo(self, repo_id: str, **fields: Any) -> None:
        """Set fields of a repository by their names in `Repo`, its paths apart."""
        self._update("repos", repo_id, fields)

    def remove_repo(self, repo_id: str) -> None:
        """Hide a repository; its tasks and runs stay, and are restored with it."""
        self._update("repos", repo_id, {"removed_at": now()})

    # tasks and messages

    def add_task(self, task: Task) -> Task:
        with self._writing():
            self._table("tasks").insert(rows.encode(vars(task)))
        return task

    def update_task(self, task: Task) -> Task:
        """Store the title and status of a task."""
        fields = {"title": task.title, "status": task.status, "updated_at": task.updated_at}
        self._update("tasks", task.id, fields)
        return task

    def add_message(self, message: Message) -> Message:
        with self._writing():
            self._table("messages").insert(rows.encode(vars(message)))
            self._execute("UPDATE tasks SET updated_at = ? WHERE id = ?", now(), message.task_id)
        return message

    # pull requests and GitHub

    def save_pr(self, pr: PullRequest) -> PullRequest:
        """Add a pull request, or update the one with its URL, which keeps its id."""
        with self._writing():
            return self._save_pr(pr)

    def sync_pr(
        self, pr: PullRequest, messages: Sequence[Message]
    ) -> tuple[PullRequest, tuple[Message, ...]]:
        """Save PR and MESSAGES about it; returns those messages that were not stored yet."""
        with self._writing():
            sql = "SELECT 1 FROM messages WHERE id = ?"
            new = {m.id: m for m in messages if self._fetch_one(sql, m.id) is None}
            if new:
                self._table("messages").insert_all(rows.encode(vars(m)) for m in new.values())
                self._execute("UPDATE tasks SET updated_at = ? WHERE id = ?", now(), pr.task_id)
            return self._save_pr(pr), tuple(new.values())

    def _save_pr(self, pr: PullRequest) -> PullRequest:
        row = self._fetch_one("SELECT id, created_at FROM prs WHERE url = ?", rows.text(pr.url))
        if row is not None:
            pr = replace(pr, id=row["id"], created_at=row["created_at"])
        self._table("prs").upsert(rows.encode(vars(pr)), pk="id")
        return pr

    def save_github_app(self, config: GitHubAppConfig) -> None:
        with self._writing():
            self._table("github_app").upsert({"id": 1, **rows.encode(config._asdict())}, pk="id")

    def remove_github_app(self) -> None:
        with self._writing():
            self._execute("DELETE FROM github_app")

    def _update(self, table: str, row_id: str, fields: dict[str, Any]) -> None:
        with self._writing():
            if self._fetch_one(f"SELECT 1 FROM {table} WHERE id = ?", row_id) is None:
                raise NotFoundError(f"no row {row_id!r} in {table}")
            self._table(table).update(row_id, rows.encode(fields))
