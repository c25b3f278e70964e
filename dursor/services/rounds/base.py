"""Where a round stands: which repository, task, base and conversation."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.domain import Message, Repo, Role, Run, RunStatus, Task, TaskStatus
from dursor.errors import UsageError
from dursor.patch.diff.apply_canonical import apply_canonical, overlay_dirty_patch
from dursor.patch.diff.canonical import render_canonical
from dursor.patch.diff.resolution import Resolution
from dursor.pathrules import PathRules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dursor.services.repos import Repos
    from dursor.services.request import RoundRequest
    from dursor.services.results import LiveHead
    from dursor.store.read import Reader
    from dursor.tree import FileState, Tree
    from dursor.vcs.repository import Repository

NOTHING = Resolution({}, {})


@dataclass(frozen=True)
class Standing:
    """What the models of a round are given to stand on."""

    repo: Repo
    repo_is_new: bool
    repository: Repository
    task: Task | None  # None: a new one
    parent: Run | None
    base_ref: str
    base_commit: str
    dirty: bool
    dirty_patch: str | None
    committed: Tree  # the base commit's
    base: Tree  # what the patch is computed against: committed, or the dirty tree
    start: Resolution  # the parent's change against base
    earlier: tuple[Message, ...]  # what was said before this round's instruction
    notes: tuple[str, ...] = ()  # what a person should know of this


@dataclass(frozen=True)
class Surveyor:
    """Finds out where a round stands, and refuses what cannot stand."""

    repos: Repos
    reader: Reader
    live_head: Callable[[Task, Repo, Repository], LiveHead]

    def survey(self, request: RoundRequest) -> Standing:
        """Resolve repository, task, base and conversation; UsageError or NotFoundError."""
        if request.from_run is not None:
            return self._go_on(request, request.from_run)
        task = None if request.task is None else self._open_task(request.task)
        repo, is_new, repository = self._place(request, task)
        with contextlib.ExitStack() as stack:
            stack.callback(repository.close)
            self._refresh(repo, repository)
            standing = self._at(request, task, repo, repository)
            stack.pop_all()
        return replace(standing, repo_is_new=is_new)

    def _at(
        self, request: RoundRequest, task: Task | None, repo: Repo, repository: Repository
    ) -> Standing:
        """Where a round stands that starts from a ref, or from its task's open pull request."""
        head = None if task is None else self._head(request, task, repo, repository)
        ref = "HEAD" if request.base is None else request.base
        if head is not None and head.commit is not None:
            ref, commit = head.branch, head.commit
        else:
            commit = self.repos.resolve(repo, repository, ref)
        tree: Tree = repository.tree(commit)
        dirty_patch = None
        if request.dirty:
            _check_is_head(repository, commit, ref)
            dirty_patch = self._dirty_patch(repository, commit, tree)
        return Standing(
            repo,
            False,
            repository,
            task,
            None,
            ref,
            commit,
            request.dirty,
            dirty_patch,
            tree,
            overlay_dirty_patch(tree, dirty_patch),
            NOTHING,
            () if task is None else self._said(task),
            () if head is None else head.notes,
        )

    def _head(
        self, request: RoundRequest, task: Task, repo: Repo, repository: Repository
    ) -> LiveHead | None:
        """Where TASK's open pull request stands now; GitHub is asked only when there is one."""
        if not any(pr.is_live for pr in self.reader.prs(task_id=task.id)):
            return None
        head = self.live_head(task, repo, repository)
        if head.commit is None:
            return head
        for given, option in ((request.base is not None, "--base"), (request.dirty, "--dirty")):
            if given:
                raise UsageError(
                    f"task {task.id[:8]} has the open pull request #{head.number}, and its rounds "
                    f"start from there: {option} does not go with --task",
                    hint=f"leave {option} away, or dursor run TEXT {option} (starts a new task)",
                )
        return head

    def _place(self, request: RoundRequest, task: Task | None) -> tuple[Repo, bool, Repository]:
        if task is None:
            return self.repos.locate(request.repo)
        repo = self.reader.repo(task.repo_id)
        self._check_repo(request, repo, f"task {task.id[:8]} is about")
        return repo, False, self.repos.open(repo)

    def _check_repo(self, request: RoundRequest, repo: Repo, so: str) -> None:
        """Refuse a --repo that is another one than the task's."""
        if request.repo is None:
            return
        found, _, repository = self.repos.locate(request.repo)
        repository.close()
        if found.id != repo.id:
            raise UsageError(f"{so} {repo.name!r}, not {request.repo!r}", hint="leave --repo away")

    def _refresh(self, repo: Repo, repository: Repository) -> None:
        """Fetch into our own clone: a round must not start from a base that is old unawares."""
        if repo.workspace_path is not None:
            self.repos.refresh(repo, repository)

    def _open_task(self, task_id: str) -> Task:
        task = self.reader.task(task_id)
        if task.status is TaskStatus.CLOSED:
            raise UsageError(
                f"task {task.id[:8]} is closed", hint="dursor run TEXT  (starts a new task)"
            )
        return task

    def _said(self, task: Task) -> tuple[Message, ...]:
        """What a new round of a task hears: the user and the system, no candidate's answer."""
        messages = self.reader.messages(task.id)
        return tuple(one for one in messages if one.role is not Role.ASSISTANT)

    def _go_on(self, request: RoundRequest, run_id: str) -> Standing:
        parent = self.reader.run(run_id)
        self._refuse_clashes(request, parent)
        if parent.status is not RunStatus.SUCCEEDED:
            raise UsageError(
                f"run {parent.id[:8]} {parent.status.value}: there is no answer to go on from",
                hint=f"dursor run retry {parent.id[:8]}",
            )
        task = self._open_task(parent.task_id)
        repo = self.reader.repo(task.repo_id)
        self._check_repo(request, repo, f"run {parent.id[:8]} belongs to")
        return self._based_on(parent, task, parent, self._chain(parent))

    def resume(self, former: Run) -> Standing:
        """Where FORMER stood: its base, its parent, and what had been said by then."""
        task = self.reader.task(former.task_id)
        if former.parent_run_id is not None:
            parent = self.reader.run(former.parent_run_id)
            return self._based_on(former, task, parent, self._chain(parent))
        return self._based_on(former, task, None, self._said_before(former, task))

    def _said_before(self, former: Run, task: Task) -> tuple[Message, ...]:
        """What the round of FORMER heard: all that was said before its instruction."""
        every = self.reader.runs(task_id=task.id, limit=None)
        begun = {run.created_at for run in every if run.round == former.round}

        def is_its_own(one: Message) -> bool:
            return one.created_at in begun and one.content == former.instruction

        return tuple(itertools.takewhile(lambda one: not is_its_own(one), self._said(task)))

    def _based_on(
        self, run: Run, task: Task, parent: Run | None, earlier: tuple[Message, ...]
    ) -> Standing:
        repo = self.reader.repo(task.repo_id)
        repository = self.repos.open(repo)
        with contextlib.ExitStack() as stack:
            stack.callback(repository.close)
            commit = repository.resolve(run.base_commit)
            committed = repository.tree(commit)
            base = overlay_dirty_patch(committed, run.dirty_patch)
            start = NOTHING if parent is None else apply_canonical(parent.patch or "", base)
            stack.pop_all()
        return Standing(
            repo,
            False,
            repository,
            task,
            parent,
            run.base_ref,
            commit,
            run.dirty,
            run.dirty_patch,
            committed,
            base,
            start,
            earlier,
        )

    def _refuse_clashes(self, request: RoundRequest, parent: Run) -> None:
        for given, option in ((request.base, "--base"), (request.dirty, "--dirty")):
            if given:
                raise UsageError(
                    f"{option} does not go with --from: the run starts from that run's result",
                    hint=f"leave {option} away",
                )
        if request.task and self.reader.task(request.task).id != parent.task_id:
            raise UsageError(
                f"run {parent.id[:8]} is not in task {request.task}",
                hint=f"--from {parent.id[:8]} alone stays in its task {parent.task_id[:8]}",
            )

    def _chain(self, run: Run) -> tuple[Message, ...]:
        """The instructions and chosen answers that lead to RUN, oldest first."""
        answers = {
            one.run_id: one
            for one in self.reader.messages(run.task_id)
            if one.role is Role.ASSISTANT
        }
        said: list[Message] = []
        link: Run | None = run
        while link is not None:
            if answer := answers.get(link.id):
                said.append(answer)
            asked = Message(
                link.id, run.task_id, Role.USER, link.instruction, None, link.created_at
            )
            said.append(asked)
            link = self.reader.run(link.parent_run_id) if link.parent_run_id else None
        return tuple(reversed(said))

    def _dirty_patch(self, repository: Repository, commit: str, tree: Tree) -> str | None:
        """The uncommitted change to text files; what is binary or forbidden stays as committed."""
        from dursor.vcs.dirty import read_changes

        rules = PathRules()
        changes = {
            path: state
            for path, state in read_changes(repository, commit).items()
            if rules.find_reason(path) is None and _is_text(path, state, tree)
        }
        return render_canonical(tree, Resolution(changes, {})).text or None


def _check_is_head(repository: Repository, commit: str, ref: str) -> None:
    if commit != repository.resolve("HEAD"):
        raise UsageError(
            f"--dirty starts from HEAD, and --base {ref} is another commit",
            hint="leave --base or --dirty away",
        )


def _is_text(path: str, state: FileState | None, tree: Tree) -> bool:
    before = tree.read(path) if path in tree.entries() else b""
    return b"\0" not in before and (state is None or b"\0" not in state.data)


def files_of(change: Resolution) -> Sequence[str]:
    """The paths that exist after CHANGE."""
    return [path for path, state in change.changes.items() if state is not None]
