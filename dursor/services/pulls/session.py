"""Everything that work on a pull request needs: the forge, the repository and its mirror."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, InternalError
from dursor.services.github.access import run_with_token
from dursor.vcs.remote.mirror import Mirror
from dursor.vcs.remote.push import Identity, fetch, push

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dursor.domain import PullRequest, Repo
    from dursor.github.host import GitHubHost
    from dursor.github.repo_names import RepoName
    from dursor.github.resources import PullInfo
    from dursor.services.events import Listener
    from dursor.services.github.access import GitHubAccess
    from dursor.services.ports import Forge
    from dursor.services.repos import Repos
    from dursor.vcs.repository import Repository

# The author of commits with a workflow's token, which has no user.
WORKFLOW_BOT = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
PAGE = re.compile(r"(https?://[^/]+/[^/]+/[^/]+)/pull/\d+")


@dataclass(frozen=True)
class PullSession:
    """A repository, its forge, and the mirror in which git runs with a token."""

    forge: Forge
    repository: Repository
    mirror: Mirror

    def get_identity(self, name: RepoName) -> Identity:
        account = self.forge.get_account(name)
        return Identity(*WORKFLOW_BOT) if account is None else Identity(account.name, account.email)

    def fetch(self, name: RepoName, branch: str) -> str | None:
        """Fetch BRANCH of NAME and return its commit; None if it does not exist."""
        url = self.forge.host.clone_url(name)
        return run_with_token(self.forge, name, lambda key: fetch(self.mirror, url, branch, key))

    def fetch_head(self, pull: PullInfo) -> tuple[str, RepoName]:
        """Fetch PULL's branch; returns its commit and its repository."""
        name = pull.head_repo
        if name is None:
            raise ConflictError(
                f"the fork of #{pull.number} was deleted", hint="dursor pr create --run RUN"
            )
        head = self.fetch(name, pull.head_ref)
        if head is None:
            raise ConflictError(
                f"the branch {pull.head_ref} of #{pull.number} was deleted",
                hint="restore it on GitHub, or dursor pr create --run RUN",
            )
        return head, name

    def push(
        self, name: RepoName, commit: str, branch: str, *, expect: str | None, workflows: bool
    ) -> None:
        """Push COMMIT as BRANCH of NAME, whose current commit must be EXPECT."""
        url = self.forge.host.clone_url(name)
        run_with_token(
            self.forge,
            name,
            lambda secret: push(self.mirror, url, commit, branch, expect=expect, secret=secret),
            workflows=workflows,
        )


@contextmanager
def open_session(
    access: GitHubAccess, repos: Repos, repo: Repo, host: GitHubHost, listener: Listener
) -> Iterator[PullSession]:
    """Open REPO, its mirror and HOST."""
    with (
        access.open(host, listener) as forge,
        repos.open(repo) as repository,
        Mirror.open(repos.build_mirror_path(repo), repository) as mirror,
    ):
        yield PullSession(forge, repository, mirror)


def locate_pull(access: GitHubAccess, pr: PullRequest) -> tuple[GitHubHost, RepoName]:
    """Return the host and the repository of PR."""
    match = PAGE.fullmatch(pr.url)
    host = access.find_host(match[1]) if match else None
    name = host.parse_repo(match[1]) if match and host else None
    if host is None or name is None:
        raise InternalError(f"{pr.url} is not the URL of a pull request")
    return host, name
