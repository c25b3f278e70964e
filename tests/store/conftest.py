import itertools

import pytest

from dursor.domain import (
    Message,
    MessageKind,
    ModelProfile,
    Repo,
    Role,
    Round,
    Run,
    RunStatus,
    Task,
    TaskStatus,
    now,
)
from dursor.ids import new_id
from dursor.store.read import Reader
from dursor.store.write import Store

DEAD_LEASE = "e" * 32


class Make:
    """Builds domain objects; each a second later than the one before."""

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

    def round(self, task, **fields):
        values = {"id": new_id(), "number": 0, "parent_run_id": None, "instruction": "fix it"}
        values |= {"base_ref": "HEAD", "base_commit": "c" * 40, "dirty": False}
        return Round(task_id=task.id, **({**values, "created_at": self.at()} | fields))

    def run(self, round_, **fields):
        values = {"id": new_id(), "sample": 0, "model_id": new_id(), "model": "gpt"}
        values |= {"provider": "openai", "model_name": "gpt-large"}
        values |= {"status": RunStatus.QUEUED, "created_at": self.at()}
        return Run(round=round_, **(values | fields))

    def message(self, task, content="fix it", **fields):
        values = {"role": Role.USER, "kind": MessageKind.NOTE, "created_at": self.at()}
        return Message(id=new_id(), task_id=task.id, content=content, **(values | fields))

    def reply(self, run, content="fixed"):
        values = {"role": Role.ASSISTANT, "kind": MessageKind.REPLY, "created_at": self.at()}
        return Message(new_id(), run.task_id, content=content, run_id=run.id, **values)

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
    """A stored round of three queued runs, all of one lease that no process holds."""
    repo = make.repo()
    task = make.task(repo)
    round_ = make.round(task)
    runs = [make.run(round_) for _ in range(3)]
    message = make.message(task, kind=MessageKind.INSTRUCTION, round_id=round_.id)
    return store.start_round(round_, runs, task=task, repo=repo, message=message, lease=DEAD_LEASE)
