"""Protocols for services that have, or may get, more than one implementation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dursor.domain import AttemptReply, Message, Repo, Round, Run, Secret, Task
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
    from dursor.store.rounds import StoredRound


class RunStore(Protocol):
    """Stores rounds and their runs; every call is one transaction."""

    def start_round(
        self,
        round_: Round,
        runs: Sequence[Run],
        *,
        task: Task | None = None,
        repo: Repo | None = None,
        message: Message | None = None,
        lease: str | None = None,
    ) -> StoredRound:
        """Store a round and its queued runs, owned by LEASE."""

    def record_runs(
        self,
        changes: Mapping[str, Mapping[str, Any]],
        finals: Iterable[tuple[Run, Message | None]] = (),
        replies: Iterable[tuple[str, AttemptReply]] = (),
    ) -> frozenset[str]:
        """Change runs by id, end others, add replies; returns the ids of final runs."""

    def request_cancel(self, run_ids: Collection[str]) -> list[str]:
        """Ask the owners of active runs to cancel them; returns the ids that were active."""


class Executor(Protocol):
    """Executes the stored runs of a planned round."""

    async def run(self) -> bool:
        """Run everything to its end; returns whether it was interrupted."""


class SandboxResult(NamedTuple):
    """The end of a command; `exit_code` is None when the command exceeded its time limit."""

    exit_code: int | None
    output: str  # stdout and stderr


class Sandbox(Protocol):
    """Runs commands on folders of files."""

    def run(self, command: Sequence[str], folder: Path, timeout: float) -> SandboxResult:
        """Run COMMAND in FOLDER for at most TIMEOUT seconds."""


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
