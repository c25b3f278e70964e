import itertools

import pytest

from dursor.domain import (
    Message,
    ModelProfile,
    Repo,
    Role,
    Run,
    RunStatus,
    Task,
    TaskStatus,
    new_id,
    now,
)
from dursor.store.read import Reader
from dursor.store.write import Store


class Make:
    """Makes domain objects; each a little later than the one before."""

    def __init__(self):
        self._ticks = itertools.count()

    def at(self):
        tick = next(self._ticks)
        return f"2026-01-01T{tick // 3600:02}:{tick // 60 % 60:02}:{tick % 60:02}.000Z"

    def repo(self, name="app", **fields):
        values = {"repo_url": None, "path": f"/code/{name}", "default_branch": "main"}
        values |= {"latest_commit": None, "workspace_path": None, "created_at": self.at()}
        return Repo(id=new_id(), name=name, **(values | fields))

    def task(self, repo, **fields):
        at = self.at()
        values = {"title": "a task", "status": TaskStatus.OPEN, "created_at": at, "updated_at": at}
        return Task(id=new_id(), repo_id=repo.id, **(values | fields))

    def run(self, task, **fields):
        values = {
            "id": new_id(),
            "round": 0,
            "sample": 0,
            "parent_run_id": None,
            "model_id": new_id(),
            "model": "gpt",
            "provider": "openai",
            "model_name": "gpt-large",
            "instruction": "mend it",
            "base_ref": "HEAD",
            "base_commit": "c" * 40,
            "dirty": False,
            "status": RunStatus.QUEUED,
            "created_at": self.at(),
        }
        return Run(task_id=task.id, **(values | fields))

    def message(self, task, content="mend it", **fields):
        values = {"role": Role.USER, "run_id": None, "created_at": self.at()}
        return Message(id=new_id(), task_id=task.id, content=content, **(values | fields))

    def model(self, name="mine", **fields):
        values = {"provider": "openai", "model_name": "m", "display_name": "Mine"}
        return ModelProfile(id=new_id(), name=name, **({**values, "created_at": now()} | fields))


@pytest.fixture
def make():
    return Make()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "dursor.db"


@pytest.fixture
def store(path):
    with Store(path) as store:
        yield store


@pytest.fixture
def reader(path):
    with Reader(path) as reader:
        yield reader


@pytest.fixture
def started(store, make):
    """A task with a round of three queued runs, all of one lease that nobody holds."""
    repo = make.repo()
    task = make.task(repo)
    runs = [make.run(task, lease="e" * 32) for _ in range(3)]
    return store.start_round(task, repo, [make.message(task)], runs)
