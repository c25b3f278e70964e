"""Verbs over pull requests: from a run to one, and on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.domain import PullRequest, new_id, now
from dursor.errors import CallError, ConflictError, NotFoundError, UsageError
from dursor.services.events import Notice, ignore_event
from dursor.services.tasks import scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dursor.domain import Repo, Run, Task
    from dursor.github.resources import PullInfo
    from dursor.services.events import Listener
    from dursor.services.github.access import GitHubAccess
    from dursor.services.pulls.status import LiveHead
    from dursor.services.repos import Repos
    from dursor.services.request import NewPull
    from dursor.services.results import PullSync
    from dursor.store.read import Reader
    from dursor.store.write import Store
    from dursor.vcs.repository import Repository


@dataclass(frozen=True)
class PullRequests:
    """Opens, grows, lists and follows pull requests."""

    reader: Reader
    open_store: Callable[[], Store]
    repos: Repos
    access: GitHubAccess
    clean: Callable[[str], str]  # takes secrets out of a text

    def list(self, repo: str | None, *, everywhere: bool, limit: int) -> Sequence[PullRequest]:
        """Pull requests, newest first; of this repository when inside one."""
        return self.reader.prs(repo_id=scope(self.repos, repo, everywhere), limit=limit)

    def find(self, reference: str) -> PullRequest:
        """The pull request with this number, page or id, as it was last heard of."""
        for pr in self.reader.prs() if "/" in reference else ():
            if reference.rstrip("/") == pr.url:
                return pr
        here = self.repos.here()
        return self.reader.pr(reference.removeprefix("#"), repo_id=here.id if here else None)

    def show(self, reference: str, listener: Listener) -> PullRequest:
        """The pull request as GitHub has it; where that cannot be asked, as last heard of."""
        from dursor.services.pulls.session import locate_pull

        pr = self.find(reference)
        host, name = locate_pull(self.access, pr)
        try:
            with self.access.open(host, listener) as hub:
                pull = hub.pull(name, pr.number)
        except (CallError, NotFoundError) as error:
            listener(Notice(f"as it was at {pr.updated_at}: {error.message}"))
            return pr
        return self._as_seen(pr, pull)  # not stored: `sync` tells the task of what has changed

    def create(self, wish: NewPull, listener: Listener) -> PullRequest:
        """Open a pull request with a run's change, or find the one that was opened before."""
        from dursor.services.pulls import create as opening
        from dursor.services.pulls import session as site
        from dursor.services.pulls import target as place
        from dursor.services.trailers import list_chain

        wish = opening.checked(wish)
        run = opening.check_publishable(self.reader.run(wish.run))
        known = self.reader.prs(task_id=run.task_id)
        if wish.base is None:
            self._refuse_stacking(run, known)
        repo = self._repo_of(run)
        with self.repos.open(repo) as repository:
            host, remotes = place.find_github(self.access, repo, repository)
        with site.opened(self.access, self.repos, repo, host, listener) as ground:
            where = place.find_target(ground.hub, remotes)
            if wish.base is not None and ":" in wish.base:
                where = where.into(wish.base.partition(":")[0])
            pull = opening.PullCreator(
                ground,
                where,
                remotes,
                list_chain(self.reader, run),
                wish,
                listener,
                {one.url for one in known},
            ).make()
        return self.open_store().save_pr(self._new(pull, run.task_id))

    def _refuse_stacking(self, run: Run, known: Sequence[PullRequest]) -> None:
        """Refuse a second pull request for a run that started from the first one's branch."""
        for pr in known:
            if pr.branch == run.base_ref and pr.is_live:
                raise ConflictError(
                    f"run {run.id[:8]} started from the branch of #{pr.number}",
                    hint=f"dursor pr update {pr.number} --run {run.id[:8]}",
                )

    def _repo_of(self, run: Run) -> Repo:
        return self.reader.repo(self.reader.task(run.task_id).repo_id)

    def update(self, reference: str, run: str, listener: Listener) -> PullRequest:
        """Put a run's change on a pull request's branch, as one more commit."""
        from dursor.services.pulls import create as opening
        from dursor.services.pulls import session as site
        from dursor.services.pulls import update as growing
        from dursor.services.trailers import list_chain

        pr = self.find(reference)
        found = opening.check_publishable(self.reader.run(run))
        repo = self._repo_of(found)
        if self.reader.task(pr.task_id).repo_id != repo.id:
            raise UsageError(
                f"run {found.id[:8]} is about {repo.name!r}, and #{pr.number} is not",
                hint=f"dursor run list --task {pr.task_id[:8]}",
            )
        host, name = site.locate_pull(self.access, pr)
        with site.opened(self.access, self.repos, repo, host, listener) as ground:
            pull = ground.hub.pull(name, pr.number)
            chain = list_chain(self.reader, found)
            commit = growing.push_update(ground, pr, pull, chain, listener)
        seen = replace(self._as_seen(pr, pull), latest_commit=commit)
        if commit != pull.head_commit:
            seen = replace(seen, updated_at=max(seen.updated_at, f"{now()[:19]}Z"))  # as GitHub's
        return self.open_store().save_pr(seen)

    def sync(self, reference: str, listener: Listener) -> PullSync:
        """Bring a pull request's state, and what was said about it, into its task."""
        from dursor.services.pulls import comments as remarks
        from dursor.services.pulls import session as site
        from dursor.services.pulls import status as following
        from dursor.services.results import PullSync

        pr = self.find(reference)
        host, name = site.locate_pull(self.access, pr)
        with self.access.open(host, listener) as hub:
            pull = hub.pull(name, pr.number)
            said = remarks.to_messages(
                host, pull, hub.remarks(name, pr.number), pr.task_id
            ) + following.describe_change(hub, name, pr, pull)
        if pull.head_commit != pr.latest_commit:
            listener(Notice(f"the branch {pull.head_ref} has moved on, to {pull.head_commit[:8]}"))
        messages = [replace(one, content=self.clean(one.content)) for one in said]
        stored, new = self.open_store().sync_pr(self._as_seen(pr, pull), messages)
        return PullSync(stored, new)

    def live_head(self, task: Task, repo: Repo, repository: Repository) -> LiveHead:
        """Where the newest open pull request of TASK stands, its commits made readable."""
        from dursor.services.pulls import session as site
        from dursor.services.pulls import status as following

        notes: tuple[str, ...] = ()
        for pr in self.reader.prs(task_id=task.id):
            if not pr.is_live:
                continue
            host, name = site.locate_pull(self.access, pr)
            with site.opened(self.access, self.repos, repo, host, ignore_event) as ground:
                head = following.live_head(ground, name, pr)
                objects = ground.mirror.objects
            notes += head.notes
            if head.commit is not None:
                if objects not in repository.alternates:
                    repository.add_alternate(objects)
                return replace(head, notes=notes)
        return following.LiveHead(notes=notes)

    def _new(self, pull: PullInfo, task_id: str) -> PullRequest:
        """A row for what GitHub says, which may hold what nobody should store."""
        return PullRequest(
            new_id(),
            task_id,
            pull.number,
            pull.url,
            pull.head_ref,
            self.clean(pull.title),
            self.clean(pull.body),
            pull.head_commit,
            pull.state,
            pull.created_at,
            pull.updated_at,
        )

    def _as_seen(self, pr: PullRequest, pull: PullInfo) -> PullRequest:
        """PR with what GitHub says of it now."""
        return replace(self._new(pull, pr.task_id), id=pr.id, created_at=pr.created_at)
