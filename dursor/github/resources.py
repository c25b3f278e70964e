"""What GitHub tells of: accounts, repositories, branches, pull requests, remarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dursor.errors import ProviderError
from dursor.github.host import origin_of
from dursor.github.payload import (
    flag,
    get_number,
    get_text,
    inner,
    number,
    text,
    to_object,
    words,
)
from dursor.github.repo_names import RepoName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.github.host import GitHubHost

GHOST = "ghost"  # whom GitHub puts in the place of accounts that are gone


@dataclass(frozen=True)
class Account:
    """Who pushes and opens pull requests; `email` is the address that links commits to it."""

    login: str
    id: int
    name: str
    email: str


@dataclass(frozen=True)
class AppInfo:
    """A GitHub App."""

    id: str
    slug: str
    html_url: str


@dataclass(frozen=True)
class Installation:
    """An App in one account."""

    id: str
    account: str
    all_repos: bool
    suspended: bool
    permissions: Mapping[str, str]
    html_url: str


@dataclass(frozen=True)
class RepoInfo:
    """A repository as it is now; `name` is the new one after a rename."""

    name: RepoName
    default_branch: str
    clone_url: str
    html_url: str
    private: bool
    archived: bool
    is_fork: bool
    parent: RepoName | None
    parent_default_branch: str | None
    can_push: bool | None  # None: GitHub does not say


@dataclass(frozen=True)
class BranchInfo:
    """A branch and the commit it stands at."""

    name: str
    commit: str
    protected: bool


@dataclass(frozen=True)
class PullInfo:
    """A pull request; `state` is open, draft, merged or closed."""

    number: int
    url: str
    state: str
    title: str
    body: str
    head_ref: str
    head_commit: str
    head_repo: RepoName | None  # None: the fork it came from is gone
    base_ref: str
    base_commit: str
    merge_commit: str | None
    author: str
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class CreatedPull:
    """What came of asking for a pull request."""

    pull: PullInfo
    created: bool  # False: it was there already
    draft_refused: bool  # drafts are not allowed there, so it is an ordinary one


@dataclass(frozen=True)
class Comment:
    """Something said about a pull request.

    `kind` is "comment" (the conversation), "review" (its summary) or "line" (about a place in the
    change; `outdated` when the change has moved on from there); `state` is a review's: approved,
    changes_requested, commented or dismissed.
    """

    kind: str
    id: int
    author: str
    is_bot: bool
    body: str
    at: str
    updated_at: str
    url: str
    path: str | None = None
    line: int | None = None
    diff_hunk: str | None = None
    state: str | None = None
    reply_to: int | None = None
    outdated: bool = False
    start_line: int | None = None  # of several lines the first; `line` is the last


def read_repo(value: Any, host: GitHubHost) -> RepoInfo:
    """Read a repository. Its clone URL is the host's own, whatever the answer says."""
    data = to_object(value)
    name = full_name(data)
    parent = inner(data, "parent")
    stated = get_text(data, "clone_url") or ""
    permissions = inner(data, "permissions")
    return RepoInfo(
        name,
        text(data, "default_branch"),
        stated if host.repo_of(stated) == name and _bare(stated) else host.clone_url(name),
        web_address(data, host),
        flag(data, "private"),
        flag(data, "archived"),
        flag(data, "fork"),
        full_name(parent) if parent else None,
        get_text(parent, "default_branch"),
        flag(permissions, "push") if permissions else None,
    )


def read_branch(value: Any) -> BranchInfo:
    """Read a branch."""
    data = to_object(value)
    commit = text(inner(data, "commit"), "sha")
    return BranchInfo(text(data, "name"), commit_id(commit), flag(data, "protected"))


def read_pull(value: Any, host: GitHubHost) -> PullInfo:
    """Read a pull request, whole or from a list."""
    data = to_object(value)
    head, base = inner(data, "head"), inner(data, "base")
    fork = inner(head, "repo")
    merged = flag(data, "merged") or data.get("merged_at") is not None
    ident, url = number(data, "number"), web_address(data, host)
    if not url.endswith(f"/pull/{ident}"):
        raise ProviderError(f"GitHub's answer holds no page of pull request {ident}: {words(url)}")
    return PullInfo(
        ident,
        url,
        _state(data, merged=merged),
        text(data, "title"),
        get_text(data, "body") or "",
        text(head, "ref"),
        commit_id(text(head, "sha")),
        full_name(fork) if fork else None,
        text(base, "ref"),
        commit_id(text(base, "sha")),
        get_text(data, "merge_commit_sha") if merged else None,
        author_of(data)[0],
        text(data, "created_at"),
        text(data, "updated_at"),
    )


def _state(data: Mapping[str, Any], *, merged: bool) -> str:
    if merged:
        return "merged"
    if text(data, "state") == "closed":
        return "closed"
    return "draft" if flag(data, "draft") else "open"


def read_comment(value: Any, host: GitHubHost) -> Comment:
    """Read a comment of the conversation, or one about a line."""
    data = to_object(value)
    author, is_bot = author_of(data)
    line, original = get_number(data, "line"), get_number(data, "original_line")
    outdated = line is None and original is not None
    return Comment(
        "line" if "path" in data else "comment",
        number(data, "id"),
        author,
        is_bot,
        get_text(data, "body") or "",
        text(data, "created_at"),
        text(data, "updated_at"),
        web_address(data, host),
        get_text(data, "path"),
        original if outdated else line,
        get_text(data, "diff_hunk"),
        None,
        get_number(data, "in_reply_to_id"),
        outdated=outdated,
        start_line=get_number(data, "original_start_line" if outdated else "start_line"),
    )


def read_review(value: Any, host: GitHubHost) -> Comment | None:
    """Read a review; None for one that its author has not submitted yet."""
    data = to_object(value)
    at = get_text(data, "submitted_at")
    if at is None:
        return None
    author, is_bot = author_of(data)
    return Comment(
        "review",
        number(data, "id"),
        author,
        is_bot,
        get_text(data, "body") or "",
        at,
        at,
        web_address(data, host),
        state=text(data, "state").lower(),
    )


def read_installation(value: Any) -> Installation:
    """Read an App's installation."""
    data = to_object(value)
    account = inner(data, "account")
    return Installation(
        str(number(data, "id")),
        get_text(account, "login") or get_text(account, "slug") or GHOST,
        data.get("repository_selection") == "all",
        data.get("suspended_at") is not None,
        {str(k): str(v) for k, v in inner(data, "permissions").items()},
        get_text(data, "html_url") or "",
    )


def full_name(data: Mapping[str, Any]) -> RepoName:
    """Read what a repository is called."""
    owner, _, name = text(data, "full_name").partition("/")
    found = RepoName.of(owner, name)
    if found is None:
        raise ProviderError("GitHub's answer holds a name that no repository can have")
    return found


def author_of(data: Mapping[str, Any]) -> tuple[str, bool]:
    """Name who wrote it, and tell whether that is a program."""
    user = inner(data, "user")
    return get_text(user, "login") or GHOST, user.get("type") == "Bot"


def commit_id(given: str) -> str:
    """Take a commit's id, lest something else is given to git."""
    if len(given) not in {40, 64} or not all(char in "0123456789abcdef" for char in given):
        raise ProviderError("GitHub's answer holds something other than a commit's id")
    return given


def web_address(data: Mapping[str, Any], host: GitHubHost) -> str:
    """Take the address of a page of HOST, which a browser may be sent to."""
    given = text(data, "html_url")
    if origin_of(given) != origin_of(host.web_url) or not given.isprintable():
        raise ProviderError(
            f"the answer holds the address of a page that is not on {host.name}: {words(given)}",
            hint="check GITHUB_API_URL and GITHUB_SERVER_URL",
        )
    return given


def _bare(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"https", "http"} and "@" not in parts.netloc
