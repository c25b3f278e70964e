"""Start, continue and close tasks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.domain import Message, MessageKind, Role, Task, TaskStatus, now
from dursor.errors import UsageError
from dursor.ids import new_id, short_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dursor.services.repos import Repos
    from dursor.services.results import TaskHistory
    from dursor.store.read import Reader
    from dursor.store.write import Store

TITLE_LENGTH = 72


@dataclass(frozen=True)
class Tasks:
    """Starts, continues and closes tasks: conversations about one repository."""

    reader: Reader
    open_store: Callable[[], Store]
    repos: Repos
    clean: Callable[[str], str]  # removes secrets from a text

    def create(self, title: str, repo: str | None) -> Task:
        """Start a task about REPO, or about the repository around the current folder."""
        registered, is_new, repository = self.repos.locate(repo)
        repository.close()
        store = self.open_store()
        if is_new:
            registered = store.add_repo(registered)  # a removed one gets its old id
        return store.add_task(create_task(registered.id, self.clean(_clean_title(title))))

    def list(self, repo: str | None, *, everywhere: bool, limit: int) -> Sequence[Task]:
        """List tasks, newest first; only those of the current repository, if there is one."""
        return self.reader.tasks(repo_id=find_scope(self.repos, repo, everywhere), limit=limit)

    def history(self, task: str) -> TaskHistory:
        """Return a task with its messages, rounds, runs and pull requests."""
        from dursor.services.results import TaskHistory

        current = self.reader.task(task)
        return TaskHistory(
            current,
            tuple(self.reader.messages(current.id)),
            tuple(self.reader.rounds(current.id)),
            tuple(reversed(self.reader.runs(task_id=current.id, limit=None))),
            tuple(self.reader.prs(task_id=current.id)),
        )

    def say(self, task: str, text: str) -> Message:
        """Add a user's message, which the next rounds of the task send."""
        current = self.reader.task(task)
        if not text.strip():
            raise UsageError("the message is empty", hint=f"dursor task say {task} TEXT")
        if current.status is TaskStatus.CLOSED:
            raise UsageError(f"task {short_id(current.id)} is closed", hint="dursor task new TITLE")
        message = Message(
            new_id(), current.id, Role.USER, MessageKind.NOTE, self.clean(text), now()
        )
        return self.open_store().add_message(message)

    def rename(self, task: str, title: str) -> Task:
        return self._change(task, title=self.clean(_clean_title(title)))

    def close(self, task: str) -> Task:
        """Close a task: it takes no further rounds."""
        return self._change(task, status=TaskStatus.CLOSED)

    def _change(self, task: str, **fields: str) -> Task:
        current = self.reader.task(task)
        changed = replace(current, updated_at=now(), **fields)  # type: ignore[arg-type] # names are Task's
        self.open_store().update_task(changed)
        return changed


def find_scope(repos: Repos, repo: str | None, everywhere: bool) -> str | None:
    """Return the id of the repository that a list is limited to; None for all."""
    if repo is not None:
        return repos.find(repo).id
    if everywhere or (here := repos.find_current()) is None:
        return None
    return here.id


def create_task(repo_id: str, title: str) -> Task:
    """Create an open task without messages."""
    created_at = now()
    return Task(new_id(), repo_id, title, TaskStatus.OPEN, created_at, created_at)


def build_title(instruction: str) -> str:
    """Return the first line of INSTRUCTION as a title, cut at a word."""
    line = next(filter(None, map(str.strip, instruction.splitlines())), "untitled")
    if len(line) <= TITLE_LENGTH:
        return line
    return line[: TITLE_LENGTH - 1].rsplit(" ", 1)[0] + "…"


def _clean_title(text: str) -> str:
    title = " ".join(text.split())
    if not title:
        raise UsageError("a task needs a title", hint="dursor task new TITLE")
    return title
