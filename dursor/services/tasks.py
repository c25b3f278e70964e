"""Verbs over tasks: conversations about one repository."""

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
    """Starts, continues and closes tasks."""

    reader: Reader
    open_store: Callable[[], Store]
    repos: Repos
    clean: Callable[[str], str]  # takes secrets out of a text

    def create(self, title: str, repo: str | None) -> Task:
        """Start a task about REPO, or about the repository around the current folder."""
        place, is_new, repository = self.repos.locate(repo)
        repository.close()
        store = self.open_store()
        if is_new:
            place = store.add_repo(place)  # one that was removed comes back with its old id
        return store.add_task(new_task(place.id, self.clean(_title(title))))

    def list(self, repo: str | None, *, everywhere: bool, limit: int) -> Sequence[Task]:
        """Tasks, newest first; of this repository when inside one."""
        return self.reader.tasks(repo_id=scope(self.repos, repo, everywhere), limit=limit)

    def history(self, task: str) -> TaskHistory:
        """A task with its messages, runs and pull requests."""
        from dursor.services.results import TaskHistory

        found = self.reader.task(task)
        runs = self.reader.runs(task_id=found.id, limit=-1)
        return TaskHistory(
            found,
            tuple(self.reader.messages(found.id)),
            tuple(self.reader.rounds(found.id)),
            tuple(reversed(runs)),
            tuple(self.reader.prs(task_id=found.id)),
        )

    def say(self, task: str, text: str) -> Message:
        """Add a user's message that the next round of the task will hear."""
        found = self.reader.task(task)
        if not text.strip():
            raise UsageError("there is nothing to say", hint=f"dursor task say {task} TEXT")
        if found.status is TaskStatus.CLOSED:
            raise UsageError(f"task {short_id(found.id)} is closed", hint="dursor task new TITLE")
        message = Message(new_id(), found.id, Role.USER, MessageKind.NOTE, self.clean(text), now())
        return self.open_store().add_message(message)

    def rename(self, task: str, title: str) -> Task:
        """Give a task another title."""
        return self._change(task, title=self.clean(_title(title)))

    def close(self, task: str) -> Task:
        """Close a task: it takes no further rounds."""
        return self._change(task, status=TaskStatus.CLOSED)

    def _change(self, task: str, **fields: str) -> Task:
        found = self.reader.task(task)
        changed = replace(found, updated_at=now(), **fields)  # type: ignore[arg-type] # names are Task's
        self.open_store().update_task(changed)
        return changed


def scope(repos: Repos, repo: str | None, everywhere: bool) -> str | None:
    """The id of the repository that a list is about; None for all of them."""
    if repo is not None:
        return repos.find(repo).id
    if everywhere or (here := repos.find_current()) is None:
        return None
    return here.id


def new_task(repo_id: str, title: str) -> Task:
    """An open task that nothing was said in yet."""
    at = now()
    return Task(new_id(), repo_id, title, TaskStatus.OPEN, at, at)


def build_title(instruction: str) -> str:
    """A title from an instruction: its first line, cut at a word."""
    line = next((one.strip() for one in instruction.splitlines() if one.strip()), "untitled")
    if len(line) <= TITLE_LENGTH:
        return line
    return line[: TITLE_LENGTH - 1].rsplit(" ", 1)[0] + "…"


def _title(text: str) -> str:
    title = " ".join(text.split())
    if not title:
        raise UsageError("a task needs a title", hint="dursor task new TITLE")
    return title
