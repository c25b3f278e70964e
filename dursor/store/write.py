"""Writing the store: every method is one transaction that takes its lock at once."""

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
    new_id,
    now,
)
from dursor.errors import ConflictError, NotFoundError
from dursor.store import rows
from dursor.store.rounds import Rounds, RunUpdate
from dursor.store.schema import KEY, PROFILE

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["RunUpdate", "Store"]


class Store(Rounds):
    """The database file, opened for writing; one thread at a time.

    Raises InternalError when the file cannot be used, ConflictError when a name is taken,
    NotFoundError when what is to be changed is not there.
    """

    # models, and where keys lie

    def add_model(self, profile: ModelProfile) -> ModelProfile:
        """Add a profile; a key stored for a built-in of this name does not become its key."""
        with self._writing():
            sql = "SELECT 1 FROM models WHERE kind = ? AND name = ?"
            if self._one(sql, PROFILE, profile.name) is not None:
                raise ConflictError(
                    f"a model called {profile.name!r} is there already",
                    hint=f"dursor models remove {profile.name}",
                )
            stored = replace(profile, created_at=profile.created_at or now(), built_in=False)
            self._do("DELETE FROM models WHERE name = ?", f"model:{profile.name}")
            columns = {name: value for name, value in vars(stored).items() if name != "built_in"}
            self._table("models").insert({**rows.encode(columns), "kind": PROFILE})
        return stored

    def remove_model(self, name: str) -> None:
        """Forget the profile called NAME."""
        with self._writing():
            if not self._do("DELETE FROM models WHERE kind = ? AND name = ?", PROFILE, name):
                raise NotFoundError(
                    f"no model called {name!r} was added", hint="dursor models list"
                )

    def set_key_source(self, key_name: str, source: KeySource | None) -> None:
        """Remember where the key KEY_NAME lies ("model:gpt", "provider:openai"); None: nowhere.

        A profile's own row remembers it, or else a row of kind "key" that no list of models shows.
        """
        stored = None if source is None else source.value
        with self._writing():
            sql = "UPDATE models SET key_source = ? WHERE kind = ? AND name = ?"
            if self._do(sql, stored, PROFILE, _profile_of(key_name)):
                return
            self._do("DELETE FROM models WHERE kind = ? AND name = ?", KEY, key_name)
            if stored is not None:
                self._table("models").insert(_key_row(key_name, stored))

    # repositories

    def add_repo(self, repo: Repo) -> Repo:
        """Register a folder; one that is registered already stays as it is and is returned.

        A removed one comes back with its old id, so use the id of what is returned.
        """
        with self._writing():
            sql = "SELECT * FROM repos WHERE path = ? AND removed_at IS NULL"
            if (row := self._one(sql, rows.text(repo.path))) is not None:
                return rows.decode_repo(row)
            if self._free_name(repo.name) != repo.name:
                raise ConflictError(
                    f"a repository called {repo.name!r} is registered already",
                    hint="choose another --name, or dursor repo list",
                )
            return self._registered(repo)

    def update_repo(self, repo_id: str, **fields: Any) -> None:
        """Set fields of a repository by their names in `Repo`."""
        self._update("repos", repo_id, fields)

    def remove_repo(self, repo_id: str) -> None:
        """Forget a repository; its tasks and runs stay, and are its own again if it comes back."""
        self._update("repos", repo_id, {"removed_at": now()})

    # tasks and messages

    def add_task(self, task: Task) -> Task:
        """Add a task."""
        with self._writing():
            self._table("tasks").insert(rows.encode(vars(task)))
        return task

    def update_task(self, task: Task) -> Task:
        """Store what changed of a task."""
        fields = {"title": task.title, "status": task.status, "updated_at": task.updated_at}
        self._update("tasks", task.id, fields)
        return task

    def add_message(self, message: Message) -> Message:
        """Add something said in a task."""
        with self._writing():
            self._table("messages").insert(rows.encode(vars(message)))
            self._do("UPDATE tasks SET updated_at = ? WHERE id = ?", now(), message.task_id)
        return message

    # pull requests and GitHub

    def save_pr(self, pr: PullRequest) -> PullRequest:
        """Add a pull request, or update the one with its URL, which keeps its id."""
        with self._writing():
            return self._saved(pr)

    def sync_pr(
        self, pr: PullRequest, messages: Sequence[Message]
    ) -> tuple[PullRequest, tuple[Message, ...]]:
        """Save PR with what was said about it; returns those MESSAGES that were not there yet."""
        with self._writing():
            known = "SELECT 1 FROM messages WHERE id = ?"
            new = {one.id: one for one in messages if self._one(known, one.id) is None}
            if new:
                self._table("messages").insert_all(rows.encode(vars(one)) for one in new.values())
                self._do("UPDATE tasks SET updated_at = ? WHERE id = ?", now(), pr.task_id)
            return self._saved(pr), tuple(new.values())

    def _saved(self, pr: PullRequest) -> PullRequest:
        row = self._one("SELECT id, created_at FROM prs WHERE url = ?", rows.text(pr.url))
        if row is not None:
            pr = replace(pr, id=row["id"], created_at=row["created_at"])
        self._table("prs").upsert(rows.encode(vars(pr)), pk="id")
        return pr

    def save_github_app(self, config: GitHubAppConfig) -> None:
        """Remember the one GitHub App."""
        with self._writing():
            self._table("github_app").upsert({"id": 1, **rows.encode(vars(config))}, pk="id")

    def remove_github_app(self) -> None:
        """Forget the GitHub App."""
        with self._writing():
            self._do("DELETE FROM github_app")

    def _update(self, table: str, row_id: str, fields: dict[str, Any]) -> None:
        with self._writing():
            if self._one(f"SELECT 1 FROM {table} WHERE id = ?", row_id) is None:
                raise NotFoundError(f"nothing in {table} has the id {row_id!r}")
            self._table(table).update(row_id, rows.encode(fields))


def _profile_of(key_name: str) -> str:
    """Name the profile whose key this is; "" when it is no profile's."""
    return key_name.removeprefix("model:") if key_name.startswith("model:") else ""


def _key_row(key_name: str, source: str) -> dict[str, str]:
    return {
        "id": new_id(),
        "kind": KEY,
        "name": key_name,
        "provider": "",
        "model_name": "",
        "display_name": "",
        "options": "{}",
        "key_source": source,
        "created_at": now(),
    }
