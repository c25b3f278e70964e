"""Creates a pull request from a run: one commit on a branch of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.domain import LIVE, RunStatus
from dursor.errors import ConflictError, UsageError
from dursor.ids import short_id
from dursor.services.events import Notice
from dursor.services.pulls.ancestry import compute_changes, has_commit_of
from dursor.services.pulls.status import describe_end
from dursor.services.pulls.target import HEADS, check_base, find_base
from dursor.services.pulls.text import MAX_BODY, render_body, render_title
from dursor.services.trailers import build_commit_message
from dursor.vcs.remote.push import commit_change

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dursor.domain import Run
    from dursor.github.repo_names import RepoName
    from dursor.github.resources import PullInfo
    from dursor.services.events import Listener
    from dursor.services.pulls.session import PullSession
    from dursor.services.pulls.target import PullTarget
    from dursor.services.request import NewPull

WORKFLOWS = ".github/workflows/"
MAX_TITLE = 256  # characters
OTHER_BRANCH = "--branch ANOTHER-NAME"


def check_publishable(run: Run) -> Run:
    """Return RUN; raises UsageError or ConflictError if others could not apply its patch."""
    if run.status is not RunStatus.SUCCEEDED or run.patch is None:
        code = f" ({run.error.code})" if run.error else ""
        raise UsageError(
            f"run {short_id(run.id)} has no patch to publish: its status is {run.status}{code}",
            hint=f"dursor run list --task {short_id(run.task_id)} --status succeeded",
        )
    if run.round.dirty:
        raise ConflictError(
            f"run {short_id(run.id)} started from uncommitted changes (--dirty)",
            hint="git commit -a, then run the same instruction without --dirty",
        )
    return run


def normalize(request: NewPull) -> NewPull:
    """Return REQUEST with short branch names; UsageError for values that GitHub rejects."""
    for option, text, limit in (
        ("--title", request.title, MAX_TITLE),
        ("--body", request.body, MAX_BODY),
    ):
        if text is not None and len(text) > limit:
            raise UsageError(
                f"{option} has {len(text)} characters, {len(text) - limit} too many",
                hint=f"shorten {option} to {limit} characters",
            )
    for option, branch in (("--base", request.base), ("--branch", request.branch)):
        if branch is not None and not branch.strip():
            raise UsageError(f"{option} is empty", hint=f"remove {option}")
    return replace(
        request,
        base=request.base and request.base.replace(HEADS, "", 1),
        branch=request.branch and request.branch.removeprefix(HEADS),
    )


def create_commit(session: PullSession, run: Run, parent: str, name: RepoName) -> tuple[str, bool]:
    """Commit the resulting tree of RUN on PARENT; equal arguments make equal commits.

    Returns its id, and whether pushing it needs the permission to change workflows.
    """
    changes = compute_changes(session.mirror, run)
    commit = commit_change(
        session.mirror,
        run.round.base_commit,
        changes,
        parents=[parent],
        message=build_commit_message(run),
        author=session.get_identity(name),
        date=run.completed_at or run.created_at,
    )
    return commit, any(path.startswith(WORKFLOWS) for path in changes)


@dataclass(frozen=True)
class PullCreator:
    """Creates a pull request from the last run of CHAIN."""

    session: PullSession
    target: PullTarget
    remotes: Mapping[str, RepoName]
    chain: Sequence[Run]
    request: NewPull
    listener: Listener
    known: Collection[str]  # URLs of the task's pull requests

    @property
    def run(self) -> Run:
        return self.chain[-1]

    @property
    def default_branch(self) -> str:
        """The head branch unless the user names one."""
        return f"dursor/{short_id(self.run.id)}"

    @property
    def branch(self) -> str:
        return self.request.branch or self.default_branch

    @property
    def requested_base(self) -> str | None:
        """The base branch that the user named, without its owner."""
        return self.request.base.rpartition(":")[2] if self.request.base else None

    def create(self) -> PullInfo:
        """Return the existing pull request of this run, or open one."""
        forge, target = self.session.forge, self.target
        existing = forge.pulls(target.base).find(target.head.name.owner, self.branch)
        if existing is not None and self._is_ours(existing):
            return self._keep(existing)
        base = self.requested_base
        if base is None:
            base = find_base(forge, target, self.run, self.remotes)
        current = self.session.repository.find_current_branch()
        check_base(forge, target, base, self.run, current)
        self._push()
        return self._open(base)

    def _is_ours(self, pull: PullInfo) -> bool:
        """Tell whether PULL is live and contains this run.

        ConflictError if the branch belongs to another pull request.
        """
        if pull.state in LIVE:
            head = self.session.fetch(self.target.head.name, self.branch)
            if head is not None and has_commit_of(self.session.mirror, head, self.run):
                return True
            raise ConflictError(
                f"#{pull.number} from {self.branch} does not contain run {short_id(self.run.id)}",
                hint=OTHER_BRANCH,
            )
        if pull.url in self.known or self.branch == self.default_branch:
            raise ConflictError(
                f"#{pull.number} from {self.branch} {describe_end(pull)}", hint=OTHER_BRANCH
            )
        return False

    def _keep(self, pull: PullInfo) -> PullInfo:
        if self.requested_base not in {None, pull.base_ref}:
            raise ConflictError(
                f"#{pull.number} already exists with base {pull.base_ref}",
                hint=f"change its base on GitHub, or {OTHER_BRANCH}",
            )
        self.listener(Notice(f"#{pull.number} already exists and was not changed"))
        return pull

    def _push(self) -> None:
        """Push the run's commit unless the branch contains it."""
        session, run, name = self.session, self.run, self.target.head.name
        commit, workflows = create_commit(session, run, run.round.base_commit, name)
        try:
            session.push(name, commit, self.branch, expect=None, workflows=workflows)
        except ConflictError as error:
            head = session.fetch(name, self.branch)
            if head is None:
                raise
            if not has_commit_of(session.mirror, head, run):
                raise ConflictError(
                    f"branch {self.branch} of {name} already exists without run {short_id(run.id)}",
                    hint=OTHER_BRANCH,
                ) from error

    def _open(self, base: str) -> PullInfo:
        tree = self.session.mirror.tree(self.run.round.base_commit)
        request, target = self.request, self.target
        result = self.session.forge.pulls(target.base).create(
            head=f"{target.head.name.owner}:{self.branch}",
            base=base,
            title=render_title(self.chain) if request.title is None else request.title,
            body=render_body(self.chain, tree) if request.body is None else request.body,
            draft=request.draft,
        )
        if result.draft_refused:
            number = result.pull.number
            self.listener(
                Notice(f"{target.base} does not allow drafts: #{number} is open for review")
            )
        return result.pull if result.created else self._keep(result.pull)
