"""Where a pull request goes: the repository to push its branch to, and the one to open it in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.errors import AuthError, ConflictError, NotFoundError, PolicyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.domain import Repo, Run
    from dursor.github.client import GitHub
    from dursor.github.host import GitHubHost
    from dursor.github.repo_names import RepoName
    from dursor.github.resources import RepoInfo
    from dursor.services.github.access import GitHubAccess
    from dursor.vcs.repository import Repository

HOLDING = {"identical", "behind"}  # how a commit stands to a branch whose history holds it
HEADS, REMOTES = "refs/heads/", "refs/remotes/"


@dataclass(frozen=True)
class PullTarget:
    """A repository to push to, and one (the same, or the one it was forked from) to ask."""

    head: RepoInfo
    base: RepoName
    default_branch: str

    def into(self, owner: str) -> PullTarget:
        """The same, with the pull request in the repository that belongs to OWNER."""
        if owner.lower() == self.base.owner.lower():
            return self
        if owner.lower() == self.head.name.owner.lower():
            return PullTarget(self.head, self.head.name, self.head.default_branch)
        raise UsageError(
            f"the base can be in {self.base} or {self.head.name}, not with {owner!a}",
            hint="--base BRANCH",
        )


def find_github(
    access: GitHubAccess, repo: Repo, repository: Repository
) -> tuple[GitHubHost, Mapping[str, RepoName]]:
    """The GitHub that REPO is on, and its repositories by the names of the remotes."""
    from dursor.vcs.remote.remotes import list_remotes

    known = list_remotes(repository)
    if repo.workspace_path is not None and repo.repo_url is not None:
        known = {"origin": repo.repo_url}
    found: list[tuple[str, GitHubHost, RepoName]] = []
    for remote, url in known.items():
        if (located := access.located(url)) is not None:
            found.append((remote, *located))
    if not found:
        urls = ", ".join(known.values()) or "none"
        free = "github" if "origin" in known else "origin"
        raise UsageError(
            f"{repo.name!r} has no remote on GitHub (remotes: {urls})",
            hint=f"git remote add {free} https://github.com/OWNER/NAME.git",
        )
    hosts = [host for _, host, _ in found]
    main = access.host if access.host in hosts else hosts[0]
    return main, {remote: name for remote, host, name in found if host == main}


def find_target(hub: GitHub, named: Mapping[str, RepoName]) -> PullTarget:
    """Choose among the repositories NAMED by remotes: origin, or the user's fork of it."""
    first = next(iter(named.values()))
    info = hub.repository(first)
    if info.can_push is False:
        info = _pushable(hub, info, [one for one in named.values() if one != first])
    if info.archived:
        raise PolicyError(f"{info.name} is archived", hint="unarchive it on GitHub")
    if info.is_fork and info.parent is not None:
        default = info.parent_default_branch or hub.repository(info.parent).default_branch
        return PullTarget(info, info.parent, default)
    return PullTarget(info, info.name, info.default_branch)


def _pushable(hub: GitHub, info: RepoInfo, others: list[RepoName]) -> RepoInfo:
    """What may be pushed to among OTHERS: a fork of INFO, or what INFO is a fork of."""
    for name in others:
        try:
            other = hub.repository(name)
        except NotFoundError:
            continue
        if other.can_push is not False and (other.parent == info.name or other.name == info.parent):
            return other
    raise AuthError(
        f"this login may not push to {info.name}, and no remote is a fork of it",
        hint="fork it on GitHub, then git remote add fork URL",
    )


def find_base(
    hub: GitHub, place: PullTarget, run: Run, given: str | None, remotes: Mapping[str, RepoName]
) -> str:
    """The branch to merge RUN into: the one GIVEN, the one its base ref names, or the default."""
    if given is not None:
        return given
    named = _branch_named(run.base_ref, remotes)
    if named is not None and hub.branch(place.base, named) is not None:
        return named
    return place.default_branch


def _branch_named(ref: str, remotes: Mapping[str, RepoName]) -> str | None:
    """The branch that REF, as it was typed, may name."""
    if ref in {"HEAD", "@"}:
        return None
    ref = ref.removeprefix(HEADS).removeprefix(REMOTES)
    remote, _, rest = ref.partition("/")
    branch = rest if rest and remote in remotes else ref
    plain = branch and branch.isprintable() and not set(branch) & set(" ~^:?*[\\")
    return branch if plain and "@{" not in branch and ".." not in branch else None


def check_base(hub: GitHub, place: PullTarget, branch: str, run: Run, current: str | None) -> None:
    """Make sure that BRANCH holds the commit RUN started from; ConflictError says what to do.

    CURRENT is the branch the user is on.
    """
    relation = hub.relation(place.base, branch, run.base_commit)
    if relation in HOLDING:
        return
    if relation is None and hub.branch(place.base, branch) is None:
        raise _no_branch(hub, place, branch)
    short = run.base_commit[:8]
    other = _other_base(hub, place, branch, run, current)
    if relation is not None or other is not None:
        anywhere = "--base BRANCH, one that holds it"
        raise ConflictError(
            f"{branch} of {place.base} does not hold {short}, which run {run.id[:8]} started from",
            hint=other or (anywhere if place.base == place.head.name else _in_the_fork(place)),
        )
    push = f"git push origin {current or 'BRANCH'}, then the same again"
    raise ConflictError(
        f"run {run.id[:8]} started from {short}, which {place.base} does not have",
        hint=push if place.base == place.head.name else _in_the_fork(place),
    )


def _in_the_fork(place: PullTarget) -> str:
    return f"--base {place.head.name.owner}:{place.head.default_branch} (into the fork itself)"


def _other_base(
    hub: GitHub, place: PullTarget, branch: str, run: Run, current: str | None
) -> str | None:
    for other in dict.fromkeys([current, place.default_branch]):
        if other is None or other == branch:
            continue
        if hub.relation(place.base, other, run.base_commit) in HOLDING:
            return f"--base {other}"
    return None


def _no_branch(hub: GitHub, place: PullTarget, branch: str) -> ConflictError | NotFoundError:
    if next(iter(hub.branches(place.base)), None) is None:
        return ConflictError(
            f"{place.base} is empty: it has no branch to merge into",
            hint=f"git push origin {branch}, then the same again",
        )
    return NotFoundError(f"{place.base} has no branch {branch!a}", hint="--base BRANCH")
