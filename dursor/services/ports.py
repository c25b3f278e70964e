"""Protocols for services that have, or may get, more than one implementation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dursor.domain import Secret
    from dursor.github.host import GitHubHost
    from dursor.github.repo_names import RepoName
    from dursor.github.resources import (
        Account,
        BranchInfo,
        Comment,
        CreatedPull,
        PullInfo,
        RepoInfo,
    )


class Forge(Protocol):
    """A code host with pull requests; `dursor.github.client.GitHub` is one."""

    @property
    def host(self) -> GitHubHost:
        """The host's URLs."""

    def get_account(self, name: RepoName | None = None) -> Account | None:
        """Return the account that commits to NAME; None for a token without a user."""

    def get_repo(self, name: RepoName) -> RepoInfo:
        """Return repository NAME."""

    def list_branches(self, name: RepoName) -> Iterator[BranchInfo]:
        """Yield the branches of NAME."""

    def find_branch(self, name: RepoName, branch: str) -> BranchInfo | None:
        """Return one branch of NAME; None if it does not exist."""

    def compare(self, name: RepoName, base: str, head: str) -> str | None:
        """Return "identical", "ahead", "behind", "diverged" or, if unknown, None."""

    def pulls(self, name: RepoName) -> ForgePulls:
        """Return the pull requests of NAME."""

    def get_token(self, name: RepoName | None, *, workflows: bool = False) -> Secret:
        """Return the token for git on NAME."""

    def renew_token(self, name: RepoName | None, *, workflows: bool = False) -> Secret:
        """Replace a rejected token; AuthError if that is impossible."""


class ForgePulls(Protocol):
    """The pull requests of one repository."""

    def get(self, number: int) -> PullInfo:
        """Return pull request NUMBER."""

    def find(self, head_owner: str, branch: str) -> PullInfo | None:
        """Return the pull request from BRANCH of HEAD_OWNER: an open one, else the newest."""

    def create(
        self, *, head: str, base: str, title: str, body: str, draft: bool = False
    ) -> CreatedPull:
        """Open a pull request from HEAD (OWNER:BRANCH) into BASE, or return the open one."""

    def list_comments(self, number: int) -> Sequence[Comment]:
        """Return comments and submitted reviews, oldest first."""
