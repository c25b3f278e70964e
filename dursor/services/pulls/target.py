"""The head and base repository of a pull request, and its base branch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.errors import AuthError, ConflictError, NotFoundError, PolicyError, UsageError
from dursor.ids import short_id
from dursor.vcs.remote.remotes import list_remotes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.domain import Repo, Run
    from dursor.github.host import GitHubHost
    from dursor.github.repo_names import RepoName
    from dursor.github.resources import RepoInfo
    from dursor.services.github.access import GitHubAccess
    from dursor.services.ports import Forge
    from dursor.vcs.repository import Repository

CONTAINED = {"identical", "behind"}  # how a commit compares to a branch that contains it
HEADS, REMOTES = "refs/heads/", "refs/remotes/"


@dataclass(frozen=True)
class PullTarget:
    """The repository that is pushed to, and the base: the same, or the parent of the fork."""

    head: RepoInfo
    base: RepoName
    default_branch: str

    def with_owner(self, owner: str) -> PullTarget:
        """Return the target whose base belongs to OWNER."""
        if owner.lower() == self.base.owner.lower():
            return self
        if owner.lower() == self.head.name.owner.lower():
            return PullTarget(self.head, self.head.name, self.head.default_branch)
        raise UsageError(
            f"--base must be in {self.base} or {self.head.name}, not in a repository of {owner!a}",
            hint="--base BRANCH",
        )


def find_github(
    access: GitHubAccess, repo: Repo, repository: Repository
) -> tuple[GitHubHost, Mapping[str, RepoName]]:
    """Return the GitHub host of REPO, and its repositories there by remote."""
    urls = list_remotes(repository)
    if repo.workspace_path is not None and repo.repo_url is not None:
        urls = {"origin": repo.repo_url}
    located = {remote: access.locate(url) for remote, url in urls.items()}
    hosts = [location[0] for location in located.values() if location]
    if not hosts:
        remote = "github" if "origin" in urls else "origin"
        existing = ", ".join(urls.values()) or "none"
        raise UsageError(
            f"{repo.name!r} has no remote on GitHub (remotes: {existing})",
            hint=f"git remote add {remote} https://github.com/OWNER/NAME.git",
        )
    host = access.host if access.host in hosts else hosts[0]
    return host, {
        remote: location[1]
        for remote, location in located.items()
        if location and location[0] == host
    }


def find_target(forge: Forge, remotes: Mapping[str, RepoName]) -> PullTarget:
    """Choose the first of REMOTES, or the user's fork of it."""
    first, *others = dict.fromkeys(remotes.values())
    repo = forge.get_repo(first)
    if repo.can_push is False:
        repo = _find_pushable(forge, repo, others)
    if repo.archived:
        raise PolicyError(f"{repo.name} is archived", hint="unarchive it on GitHub")
    if repo.is_fork and repo.parent is not None:
        default = repo.parent_default_branch or forge.get_repo(repo.parent).default_branch
        return PullTarget(repo, repo.parent, default)
    return PullTarget(repo, repo.name, repo.default_branch)


def _find_pushable(forge: Forge, repo: RepoInfo, others: list[RepoName]) -> RepoInfo:
    """Return a fork or the parent of REPO among OTHERS that the login can push to."""
    for name in others:
        try:
            other = forge.get_repo(name)
        except NotFoundError:
            continue
        if other.can_push is not False and (other.parent == repo.name or other.name == repo.parent):
            return other
    raise AuthError(
        f"this login cannot push to {repo.name}, and no remote is a fork of it",
        hint="fork it on GitHub, then git remote add fork URL",
    )


def find_base(forge: Forge, target: PullTarget, run: Run, remotes: Mapping[str, RepoName]) -> str:
    """Return the branch that RUN's base ref names, if it exists, else the default branch."""
    branch = _parse_branch(run.round.base_ref, remotes)
    if branch is not None and forge.find_branch(target.base, branch) is not None:
        return branch
    return target.default_branch


def _parse_branch(ref: str, remotes: Mapping[str, RepoName]) -> str | None:
    if ref in {"HEAD", "@"}:
        return None
    ref = ref.removeprefix(HEADS).removeprefix(REMOTES)
    remote, _, rest = ref.partition("/")
    branch = rest if rest and remote in remotes else ref
    is_plain = branch and branch.isprintable() and not set(branch) & set(" ~^:?*[\\")
    return branch if is_plain and "@{" not in branch and ".." not in branch else None


def check_base(
    forge: Forge, target: PullTarget, branch: str, run: Run, current: str | None
) -> None:
    """Raise ConflictError unless BRANCH contains the base commit of RUN.

    CURRENT is the user's current branch.
    """
    relation = forge.compare(target.base, branch, run.round.base_commit)
    if relation in CONTAINED:
        return
    if relation is None and forge.find_branch(target.base, branch) is None:
        raise _to_missing_error(forge, target, branch)
    commit = f"{short_id(run.round.base_commit)}, the base of run {short_id(run.id)}"
    is_fork = target.base != target.head.name
    fork_hint = f"--base {target.head.name.owner}:{target.head.default_branch}"
    other = _find_other_base(forge, target, branch, run, current)
    if relation is not None or other is not None:
        hint = f"--base {other}" if other else fork_hint if is_fork else "--base BRANCH"
        raise ConflictError(f"{branch} of {target.base} does not contain {commit}", hint=hint)
    push_hint = f"git push origin {current or 'BRANCH'}, then run the same command again"
    raise ConflictError(
        f"{target.base} does not contain {commit}", hint=fork_hint if is_fork else push_hint
    )


def _find_other_base(
    forge: Forge, target: PullTarget, branch: str, run: Run, current: str | None
) -> str | None:
    for other in dict.fromkeys([current, target.default_branch]):
        if other is None or other == branch:
            continue
        if forge.compare(target.base, other, run.round.base_commit) in CONTAINED:
            return other
    return None


def _to_missing_error(
    forge: Forge, target: PullTarget, branch: str
) -> ConflictError | NotFoundError:
    if next(iter(forge.list_branches(target.base)), None) is None:
        return ConflictError(
            f"{target.base} has no branches",
            hint=f"git push origin {branch}, then run the same command again",
        )
    return NotFoundError(f"{target.base} has no branch {branch!a}", hint="--base BRANCH")
