"""What work on a pull request needs at hand: GitHub, our private repository, the login for git."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, InternalError
from dursor.services.github.access import with_token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dursor.domain import PullRequest, Repo
    from dursor.github.client import GitHub
    from dursor.github.host import GitHubHost
    from dursor.github.repo_names import RepoName
    from dursor.github.resources import PullInfo
    from dursor.services.events import Listener
    from dursor.services.github.access import GitHubAccess
    from dursor.services.repos import Repos
    from dursor.vcs.remote.mirror import Mirror
    from dursor.vcs.remote.push import Identity
    from dursor.vcs.repository import Repository

# What a token that is no user's commits as: the one that GitHub gives to a workflow.
WORKFLOW_BOT = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
PAGE = re.compile(r"(https?://[^/]+/[^/]+/[^/]+)/pull/\d+")


@dataclass(frozen=True)
class PullSession:
    """A repository, the GitHub it is on, and the mirror where git runs with a token."""

    hub: GitHub
    repository: Repository
    mirror: Mirror

    def author(self, name: RepoName) -> Identity:
        """Who commits to NAME."""
        from dursor.vcs.remote.push import Identity

        account = self.hub.account(name)
        return Identity(*WORKFLOW_BOT) if account is None else Identity(account.name, account.email)

    def fetch(self, name: RepoName, url: str, branch: str) -> str | None:
        """Bring BRANCH of NAME at URL here; None when there is no such branch."""
        from dursor.vcs.remote.push import fetch

        return with_token(self.hub, name, lambda secret: fetch(self.mirror, url, branch, secret))

    def fetch_head(self, pull: PullInfo) -> tuple[str, RepoName, str]:
        """Bring PULL's branch here: its commit, whose it is, and its URL; ConflictError if gone."""
        name = pull.head_repo
        if name is None:
            raise ConflictError(
                f"the fork that #{pull.number} came from is gone", hint="dursor pr create --run RUN"
            )
        url = self.hub.host.clone_url(name)
        head = self.fetch(name, url, pull.head_ref)
        if head is None:
            raise ConflictError(
                f"the branch {pull.head_ref} of #{pull.number} is deleted",
                hint="restore it on the pull request's page, or dursor pr create --run RUN",
            )
        return head, name, url

    def push(
        self,
        name: RepoName,
        url: str,
        commit: str,
        branch: str,
        *,
        expect: str | None,
        workflows: bool,
    ) -> None:
        """Push COMMIT as BRANCH of NAME at URL, where it must stand at EXPECT."""
        from dursor.vcs.remote.push import push

        with_token(
            self.hub,
            name,
            lambda secret: push(self.mirror, url, commit, branch, expect=expect, secret=secret),
            workflows=workflows,
        )


@contextmanager
def opened(
    access: GitHubAccess, repos: Repos, repo: Repo, host: GitHubHost, listener: Listener
) -> Iterator[PullSession]:
    """REPO with HOST and its mirror at hand."""
    from dursor.vcs.remote.mirror import Mirror

    with access.open(host, listener) as hub, repos.open(repo) as repository:
        folder: Path = repos.mirror(repo)
        with Mirror.open(folder, repository) as mirror:
            yield PullSession(hub, repository, mirror)


def locate_pull(access: GitHubAccess, pr: PullRequest) -> tuple[GitHubHost, RepoName]:
    """The GitHub and the repository that PR was opened in."""
    match = PAGE.fullmatch(pr.url)
    host = access.host_of(match[1]) if match else None
    name = host.repo_of(match[1]) if match and host else None
    if host is None or name is None:
        raise InternalError(f"not the page of a pull request: {pr.url}")
    return host, name
