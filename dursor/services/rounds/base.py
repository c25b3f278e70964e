"""The base of a round: its repository, task, tree and earlier messages."""

from __future__ import annotations

import itertools
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from dursor.domain import Message, Repo, Role, Run, RunStatus, Task, TaskStatus
from dursor.errors import UsageError
from dursor.ids import short_id
from dursor.patch.diff.apply_canonical import apply_canonical, overlay_dirty_patch
from dursor.patch.diff.canonical import render_canonical
from dursor.patch.diff.resolution import Resolution
from dursor.pathrules import PathRules
from dursor.services.trailers import list_chain
from dursor.tree import Overlay, read_or_empty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dursor.domain import Round
    from dursor.services.repos import Repos
    from dursor.services.request import RoundRequest
    from dursor.services.results import LiveHead
    from dursor.store.read import Reader
    from dursor.tree import Tree
    from dursor.vcs.repository import Repository


@dataclass(frozen=True)
class RoundBase:
    """The repository, task and trees that a round works on; open while it is used."""

    repo: Repo
    repository: Repository
    base_ref: str
    base_commit: str
    committed: Tree  # the base commit's
    repo_is_new: bool = False
    task: Task | None = None  # None: a new one
    parent: Run | None = None
    dirty: bool = False
    dirty_patch: str | None = None
    start: Resolution = field(default_factory=lambda: Resolution({}, {}))  # the parent's change
    earlier: tuple[Message, ...] = ()  # messages before this round's instruction
    warnings: tuple[str, ...] = ()

    @cached_property
    def tree(self) -> Tree:
        """The tree that patches are computed against: the commit's, or the dirty one."""
        return overlay_dirty_patch(self.committed, self.dirty_patch)

    @cached_property
    def start_tree(self) -> Overlay:
        """The tree that the runs start from, the parent's change included."""
        return Overlay(self.tree, self.start.changes)


@dataclass(frozen=True)
class BaseResolver:
    """Resolves the base of a round."""

    repos: Repos
    reader: Reader
    live_head: Callable[[Task, Repo, Repository], LiveHead]

    @contextmanager
    def resolve(self, request: RoundRequest) -> Iterator[RoundBase]:
        """Resolve repository, task, base and messages; UsageError or NotFoundError."""
        if request.from_run is not None:
            parent = self._find_parent(request, request.from_run)
            with self.reopen(parent.round, parent) as base:
                yield base
            return
        task = None if request.task is None else self._find_open_task(request.task)
        repo, is_new, repository = self._open_repo(request, task)
        with closing(repository):
            if repo.workspace_path is not None:
                self.repos.refresh(repo, repository)
            head = None if task is None else self._find_live_head(request, task, repo, repository)
            ref = "HEAD" if request.base is None else request.base
            if head is not None and head.commit is not None:
                ref, commit = head.branch, head.commit
            else:
                commit = self.repos.resolve(repo, repository, ref)
            committed = repository.tree(commit)
            if request.dirty and commit != repository.resolve("HEAD"):
                raise UsageError(
                    f"--dirty starts from HEAD and cannot be combined with --base {ref}",
                    hint="remove --base or --dirty",
                )
            yield RoundBase(
                repo,
                repository,
                ref,
                commit,
                committed,
                repo_is_new=is_new,
                task=task,
                dirty=request.dirty,
                dirty_patch=_read_dirty_patch(repository, commit, committed)
                if request.dirty
                else None,
                earlier=() if task is None else tuple(self._list_messages(task)),
                warnings=() if head is None else head.notes,
            )

    @contextmanager
    def reopen(self, round_: Round, parent: Run | None = None) -> Iterator[RoundBase]:
        """Reopen the base of ROUND_, to run it again or, with PARENT, to continue from that run."""
        task = self.reader.task(round_.task_id)
        if parent is None and round_.parent_run_id is not None:
            parent = self.reader.run(round_.parent_run_id)
        if parent is not None:
            earlier = self._list_chain(parent)
        else:
            earlier = self._list_messages(task)
            earlier = itertools.takewhile(lambda m: m.round_id != round_.id, earlier)
        repo = self.reader.repo(task.repo_id)
        with closing(self.repos.open(repo)) as repository:
            commit = repository.resolve(round_.base_commit)
            committed = repository.tree(commit)
            tree = overlay_dirty_patch(committed, round_.dirty_patch)
            patch = "" if parent is None else parent.patch or ""
            yield RoundBase(
                repo,
                repository,
                round_.base_ref,
                commit,
                committed,
                task=task,
                parent=parent,
                dirty=round_.dirty,
                dirty_patch=round_.dirty_patch,
                start=apply_canonical(patch, tree),
                earlier=tuple(earlier),
            )

    def _find_parent(self, request: RoundRequest, reference: str) -> Run:
        """Find the run that a round continues; UsageError when it cannot."""
        parent = self.reader.run(reference)
        number = short_id(parent.id)
        for is_given, option in ((request.base is not None, "--base"), (request.dirty, "--dirty")):
            if is_given:
                raise UsageError(
                    f"{option} cannot be combined with --from: the round starts from run {number}",
                    hint=f"remove {option}",
                )
        if request.task and self.reader.task(request.task).id != parent.task_id:
            raise UsageError(
                f"run {number} is not in task {request.task}",
                hint=f"remove --task: --from {number} stays in task {short_id(parent.task_id)}",
            )
        if parent.status is not RunStatus.SUCCEEDED:
            raise UsageError(
                f"run {number} {parent.status.value}: it has no patch to continue from",
                hint=f"dursor run retry {number}",
            )
        task = self._find_open_task(parent.task_id)
        self._check_repo(request, self.reader.repo(task.repo_id), f"run {number} belongs to")
        return parent

    def _find_open_task(self, reference: str) -> Task:
        task = self.reader.task(reference)
        if task.status is TaskStatus.CLOSED:
            raise UsageError(
                f"task {short_id(task.id)} is closed", hint="dursor run TEXT  (starts a new task)"
            )
        return task

    def _open_repo(self, request: RoundRequest, task: Task | None) -> tuple[Repo, bool, Repository]:
        if task is None:
            return self.repos.locate(request.repo)
        repo = self.reader.repo(task.repo_id)
        self._check_repo(request, repo, f"task {short_id(task.id)} belongs to")
        return repo, False, self.repos.open(repo)

    def _check_repo(self, request: RoundRequest, repo: Repo, subject: str) -> None:
        """Refuse a --repo that is not the task's."""
        if request.repo is None:
            return
        named, _, repository = self.repos.locate(request.repo)
        repository.close()
        if named.id != repo.id:
            raise UsageError(
                f"{subject} {repo.name!r}, not to {request.repo!r}", hint="remove --repo"
            )

    def _find_live_head(
        self, request: RoundRequest, task: Task, repo: Repo, repository: Repository
    ) -> LiveHead | None:
        """Find the head of TASK's open pull request; GitHub is asked only when there is one."""
        if not any(pr.is_live for pr in self.reader.prs(task_id=task.id)):
            return None
        head = self.live_head(task, repo, repository)
        for is_given, option in ((request.base is not None, "--base"), (request.dirty, "--dirty")):
            if is_given and head.commit is not None:
                raise UsageError(
                    f"{option} cannot be combined with --task: task {short_id(task.id)} starts "
                    f"from its open pull request #{head.number}",
                    hint=f"remove {option}, or dursor run TEXT {option} (starts a new task)",
                )
        return head

    def _list_messages(self, task: Task) -> Iterator[Message]:
        """List the messages that a new round of TASK sends: all but the models' replies."""
        messages = self.reader.messages(task.id)
        return (message for message in messages if message.role is not Role.ASSISTANT)

    def _list_chain(self, run: Run) -> Iterator[Message]:
        """Yield the instructions and chosen replies that lead to RUN, oldest first."""
        messages = self.reader.messages(run.task_id)
        replies = {message.run_id: message for message in messages if message.run_id}
        for link in list_chain(self.reader, run):
            yield link.round.message
            if reply := replies.get(link.id):
                yield reply


def _read_dirty_patch(repository: Repository, commit: str, tree: Tree) -> str | None:
    """Return the uncommitted change to text files; binary and forbidden ones stay as committed."""
    from dursor.vcs.dirty import read_changes

    rules = PathRules()
    changes = {
        path: state
        for path, state in read_changes(repository, commit).items()
        if rules.find_reason(path) is None
        and b"\0" not in read_or_empty(tree, path)
        and (state is None or b"\0" not in state.data)
    }
    return render_canonical(tree, Resolution(changes, {})).text or None
