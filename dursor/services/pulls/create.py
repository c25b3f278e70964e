"""From a run to a pull request: one commit on a branch of its own, pushed, and asked to merge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.domain import LIVE, RunStatus
from dursor.errors import ConflictError, UsageError
from dursor.services.events import Notice
from dursor.services.pulls import text as pull_text
from dursor.services.pulls.ancestry import compute_changes, has_commit_of
from dursor.services.pulls.target import HEADS, check_base, find_base
from dursor.services.trailers import build_commit_message

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dursor.domain import Run
    from dursor.github.repo_names import RepoName
    from dursor.github.resources import PullInfo
    from dursor.services.events import Listener
    from dursor.services.pulls.session import PullSession
    from dursor.services.pulls.target import PullTarget
    from dursor.services.request import NewPull
    from dursor.tree import Changes

WORKFLOWS = ".github/workflows/"
TITLE, BODY = 256, pull_text.LARGEST  # characters
ANOTHER_BRANCH = "--branch ANOTHER-NAME"


def check_publishable(run: Run) -> Run:
    """RUN, if it has a change that others could apply; UsageError or ConflictError."""
    if run.status is not RunStatus.SUCCEEDED or run.patch is None:
        why = f" ({run.error.code})" if run.error else ""
        raise UsageError(
            f"run {run.id[:8]} has nothing to publish: it is {run.status}{why}",
            hint=f"dursor run list --task {run.task_id[:8]} --status succeeded",
        )
    if run.dirty:
        raise ConflictError(
            f"run {run.id[:8]} started from uncommitted changes (--dirty): GitHub lacks them",
            hint="git commit -a, then the same instruction again without --dirty",
        )
    return run


def checked(wish: NewPull) -> NewPull:
    """WISH with plain names of branches; UsageError for what GitHub would not take."""
    for text, what, most in ((wish.title, "title", TITLE), (wish.body, "body", BODY)):
        if text is not None and len(text) > most:
            raise UsageError(
                f"the {what} has {len(text)} characters, and GitHub takes {most}",
                hint=f"a shorter --{what}",
            )
    for name, option in ((wish.base, "--base"), (wish.branch, "--branch")):
        if name is not None and not name.strip():
            raise UsageError(f"{option} names no branch", hint=f"leave {option} away")
    return replace(
        wish,
        base=None if wish.base is None else wish.base.replace(HEADS, "", 1),
        branch=None if wish.branch is None else wish.branch.removeprefix(HEADS),
    )


def name_branch(run: Run) -> str:
    """The branch that a run's change is pushed to when nobody names another."""
    return f"dursor/{run.id[:8]}"


def create_commit(site: PullSession, run: Run, parent: str, name: RepoName) -> tuple[str, Changes]:
    """The commit of RUN's resulting tree on PARENT, the same every time; NoChangeError."""
    from dursor.vcs.remote.push import commit_change

    changes = compute_changes(site.mirror, run)
    commit = commit_change(
        site.mirror,
        run.base_commit,
        changes,
        parents=[parent],
        message=build_commit_message(run),
        author=site.author(name),
        at=run.completed_at or run.created_at,
    )
    return commit, changes


def touches_workflows(changes: Changes) -> bool:
    """Whether CHANGES need the permission to change what GitHub runs."""
    return any(path.startswith(WORKFLOWS) for path in changes)


@dataclass(frozen=True)
class PullCreator:
    """A pull request in the making, from the last run of CHAIN."""

    site: PullSession
    place: PullTarget
    remotes: Mapping[str, RepoName]
    chain: Sequence[Run]
    wish: NewPull
    listener: Listener
    known: Collection[str]  # pages of the task's pull requests

    @property
    def run(self) -> Run:
        """The run that is published."""
        return self.chain[-1]

    @property
    def branch(self) -> str:
        """The branch that the commit goes to."""
        return self.wish.branch or name_branch(self.run)

    @property
    def wanted_base(self) -> str | None:
        """The base that was asked for, without its owner."""
        return self.wish.base.rpartition(":")[2] if self.wish.base else None

    def make(self) -> PullInfo:
        """The pull request: found when it is there, else opened."""
        found = self.site.hub.find_pull(self.place.base, self.place.head.name.owner, self.branch)
        if found is not None and self._is_ours(found):
            return self._kept(found)
        base = find_base(self.site.hub, self.place, self.run, self.wanted_base, self.remotes)
        current = self.site.repository.find_current_branch()
        check_base(self.site.hub, self.place, base, self.run, current)
        self._publish()
        return self._opened(base)

    def _is_ours(self, found: PullInfo) -> bool:
        """Whether FOUND is this run's; ConflictError when it is and over, or is somebody else's."""
        if found.state in LIVE:
            name, url = self.place.head.name, self.place.head.clone_url
            head = self.site.fetch(name, url, self.branch)
            if head is not None and has_commit_of(self.site.mirror, head, self.run):
                return True
            raise ConflictError(
                f"{self.branch} has the pull request #{found.number}, which is not from run "
                f"{self.run.id[:8]}",
                hint=ANOTHER_BRANCH,
            )
        if found.url in self.known or self.branch == name_branch(self.run):
            raise ConflictError(
                f"#{found.number}, the pull request of {self.branch}, {describe_end(found)}",
                hint=ANOTHER_BRANCH,
            )
        return False

    def _kept(self, found: PullInfo) -> PullInfo:
        if self.wanted_base not in {None, found.base_ref}:
            raise ConflictError(
                f"#{found.number} is there already, and goes into {found.base_ref}",
                hint=f"change its base on GitHub, or {ANOTHER_BRANCH}",
            )
        self.listener(Notice(f"#{found.number} is there already and stays as it is"))
        return found

    def _publish(self) -> None:
        """Push the run's commit, unless the branch has it."""
        site, run, head = self.site, self.run, self.place.head
        commit, changes = create_commit(site, run, run.base_commit, head.name)
        workflows = touches_workflows(changes)
        try:
            site.push(
                head.name, head.clone_url, commit, self.branch, expect=None, workflows=workflows
            )
        except ConflictError as error:
            there = site.fetch(head.name, head.clone_url, self.branch)
            if there is None:
                raise
            if not has_commit_of(site.mirror, there, run):
                raise ConflictError(
                    f"{head.name} has a branch {self.branch} that is not from run {run.id[:8]}",
                    hint=ANOTHER_BRANCH,
                ) from error

    def _opened(self, base: str) -> PullInfo:
        tree = self.site.mirror.tree(self.run.base_commit)
        wish = self.wish
        made = self.site.hub.create_pull(
            self.place.base,
            head=f"{self.place.head.name.owner}:{self.branch}",
            base=base,
            title=pull_text.render_title(self.chain) if wish.title is None else wish.title,
            body=pull_text.render_body(self.chain, tree) if wish.body is None else wish.body,
            draft=wish.draft,
        )
        if made.draft_refused:
            self.listener(
                Notice(f"{self.place.base} takes no drafts: #{made.pull.number} is open for review")
            )
        return made.pull if made.created else self._kept(made.pull)


def describe_end(pull: PullInfo) -> str:
    """How a pull request that is not live any more describe_end."""
    if pull.state == "merged":
        return f"was merged into {pull.base_ref}"
    return "was closed"
