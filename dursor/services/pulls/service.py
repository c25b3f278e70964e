"""Operations on pull requests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.domain import PullRequest, now
from dursor.errors import CallError, ConflictError, NotFoundError, UsageError
from dursor.ids import new_id, short_id
from dursor.services.events import Notice, ignore_event
from dursor.services.results import LiveHead
from dursor.services.tasks import find_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dursor.domain import Repo, Run, Task
    from dursor.github.resources import PullInfo
    from dursor.services.events import Listener
    from dursor.services.github.access import GitHubAccess
    from dursor.services.repos import Repos
    from dursor.services.request import NewPull
    from dursor.services.results import PullSync
    from dursor.store.read import Reader
    from dursor.store.write import Store
    from dursor.vcs.repository import Repository


@dataclass(frozen=True)
class PullRequests:
    """Creates, updates, lists and synchronizes pull requests."""

    reader: Reader
    open_store: Callable[[], Store]
    repos: Repos
    access: GitHubAccess
    redact: Callable[[str], str]

    def list(self, repo: str | None, *, everywhere: bool, limit: int) -> Sequence[PullRequest]:
        """Return stored pull requests, newest first."""
        return self.reader.prs(repo_id=find_scope(self.repos, repo, everywhere), limit=limit)

    def find(self, reference: str) -> PullRequest:
        """Return the stored pull request with this number, URL or id."""
        for pr in self.reader.prs() if "/" in reference else ():
            if reference.rstrip("/") == pr.url:
                return pr
        here = self.repos.find_current()
        return self.reader.pr(reference.removeprefix("#"), repo_id=here.id if here else None)

    def show(self, reference: str, listener: Listener) -> PullRequest:
        """Return the pull request's current state; the stored one if GitHub cannot be reached.

        The current state is not stored, because `sync` has to report the change.
        """
        from dursor.services.pulls.session import locate_pull

        pr = self.find(reference)
        host, name = locate_pull(self.access, pr)
        try:
            with self.access.open(host, listener) as forge:
                pull = forge.pulls(name).get(pr.number)
        except (CallError, NotFoundError) as error:
            listener(Notice(f"showing the state of {pr.updated_at}: {error.message}"))
            return pr
        return self._refresh(pr, pull)

    def create(self, request: NewPull, listener: Listener) -> PullRequest:
        """Open a pull request from a run, or return the existing one."""
        from dursor.services.pulls.create import PullCreator, check_publishable, normalize
        from dursor.services.pulls.session import open_session
        from dursor.services.pulls.target import find_github, find_target
        from dursor.services.trailers import list_chain

        request = normalize(request)
        run = check_publishable(self.reader.run(request.run))
        known = self.reader.prs(task_id=run.task_id)
        if request.base is None:
            _refuse_stacking(run, known)
        repo = self._get_repo(run)
        with self.repos.open(repo) as repository:
            host, remotes = find_github(self.access, repo, repository)
        with open_session(self.access, self.repos, repo, host, listener) as session:
            target = find_target(session.forge, remotes)
            if request.base is not None and ":" in request.base:
                target = target.with_owner(request.base.partition(":")[0])
            chain, urls = list_chain(self.reader, run), {pr.url for pr in known}
            creator = PullCreator(session, target, remotes, chain, request, listener, urls)
            pull = creator.create()
        return self.open_store().save_pr(self._to_pull_request(pull, run.task_id))

    def _get_repo(self, run: Run) -> Repo:
        return self.reader.repo(self.reader.task(run.task_id).repo_id)

    def update(self, reference: str, run_reference: str, listener: Listener) -> PullRequest:
        """Push a run's change to a pull request's branch as one more commit."""
        from dursor.services.pulls.create import check_publishable
        from dursor.services.pulls.session import locate_pull, open_session
        from dursor.services.pulls.update import push_update
        from dursor.services.trailers import list_chain

        pr = self.find(reference)
        run = check_publishable(self.reader.run(run_reference))
        repo = self._get_repo(run)
        if self.reader.task(pr.task_id).repo_id != repo.id:
            raise UsageError(
                f"run {short_id(run.id)} and #{pr.number} belong to different repositories",
                hint=f"dursor run list --task {short_id(pr.task_id)}",
            )
        host, name = locate_pull(self.access, pr)
        with open_session(self.access, self.repos, repo, host, listener) as session:
            pull = session.forge.pulls(name).get(pr.number)
            commit = push_update(session, pr, pull, list_chain(self.reader, run), listener)
        current = replace(self._refresh(pr, pull), latest_commit=commit)
        if commit != pull.head_commit:  # GitHub's times have whole seconds
            updated_at = max(current.updated_at, f"{now()[:19]}Z")
            current = replace(current, updated_at=updated_at)
        return self.open_store().save_pr(current)

    def sync(self, reference: str, listener: Listener) -> PullSync:
        """Store a pull request's state and new comments in its task."""
        from dursor.services.pulls.comments import to_messages
        from dursor.services.pulls.session import locate_pull
        from dursor.services.pulls.status import build_news
        from dursor.services.results import PullSync

        pr = self.find(reference)
        host, name = locate_pull(self.access, pr)
        with self.access.open(host, listener) as forge:
            pulls = forge.pulls(name)
            pull = pulls.get(pr.number)
            messages = to_messages(host, pull, pulls.list_comments(pr.number), pr.task_id)
            messages += build_news(forge, name, pr, pull)
        if pull.head_commit != pr.latest_commit:
            listener(Notice(f"the branch {pull.head_ref} is now at {short_id(pull.head_commit)}"))
        messages = [replace(message, content=self.redact(message.content)) for message in messages]
        stored, new = self.open_store().sync_pr(self._refresh(pr, pull), messages)
        return PullSync(stored, new)

    def find_live_head(self, task: Task, repo: Repo, repository: Repository) -> LiveHead:
        """Return the head of TASK's newest open pull request, readable in REPOSITORY."""
        from dursor.services.pulls.session import locate_pull, open_session
        from dursor.services.pulls.status import find_live_head

        notes: tuple[str, ...] = ()
        for pr in self.reader.prs(task_id=task.id):
            if not pr.is_live:
                continue
            host, name = locate_pull(self.access, pr)
            with open_session(self.access, self.repos, repo, host, ignore_event) as session:
                head = find_live_head(session, name, pr)
                objects = session.mirror.objects
            notes += head.notes
            if head.commit is not None:
                if objects not in repository.alternates:
                    repository.add_alternate(objects)
                return replace(head, notes=notes)
        return LiveHead(notes=notes)

    def _to_pull_request(self, pull: PullInfo, task_id: str) -> PullRequest:
        """Convert GitHub's data for the store; its text may contain secrets."""
        return PullRequest(
            new_id(),
            task_id,
            pull.number,
            pull.url,
            pull.head_ref,
            self.redact(pull.title),
            self.redact(pull.body),
            pull.head_commit,
            pull.state,
            pull.created_at,
            pull.updated_at,
        )

    def _refresh(self, pr: PullRequest, pull: PullInfo) -> PullRequest:
        """Return PR with GitHub's current data."""
        new = self._to_pull_request(pull, pr.task_id)
        return replace(new, id=pr.id, created_at=pr.created_at)


def _refuse_stacking(run: Run, known: Sequence[PullRequest]) -> None:
    """Refuse a second pull request for a run that started from the first one's branch."""
    for pr in known:
        if pr.branch == run.round.base_ref and pr.is_live:
            raise ConflictError(
                f"run {short_id(run.id)} started from the branch of #{pr.number}",
                hint=f"dursor pr update {pr.number} --run {short_id(run.id)}",
            )
