"""GitHub's resources: accounts, repositories, branches, pull requests, comments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dursor.errors import ProviderError
from dursor.github.host import to_origin
from dursor.github.payload import (
    get_number,
    get_object,
    get_text,
    require_number,
    require_text,
    to_line,
    to_object,
)
from dursor.github.repo_names import RepoName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.github.host import GitHubHost

GHOST = "ghost"  # GitHub's placeholder for deleted accounts


@dataclass(frozen=True)
class Account:
    """The account that pushes and opens pull requests; `email` links commits to it."""

    login: str
    name: str
    email: str


@dataclass(frozen=True)
class AppInfo:
    """A GitHub App."""

    slug: str
    html_url: str


@dataclass(frozen=True)
class Installation:
    """An App's installation in one account."""

    id: str
    account: str


@dataclass(frozen=True)
class RepoInfo:
    """A repository under its current name."""

    name: RepoName
    default_branch: str
    clone_url: str
    html_url: str
    private: bool
    archived: bool
    is_fork: bool
    parent: RepoName | None
    parent_default_branch: str | None
    can_push: bool | None  # None: unknown


@dataclass(frozen=True)
class BranchInfo:
    """A branch and its newest commit."""

    name: str
    commit: str


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
    head_repo: RepoName | None  # None: the fork was deleted
    base_ref: str
    merge_commit: str | None
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class CreatedPull:
    """The result of creating a pull request."""

    pull: PullInfo
    created: bool  # False: it already existed
    draft_refused: bool  # the repository does not allow drafts


@dataclass(frozen=True)
class Comment:
    """A comment on a pull request.

    `kind` is "comment" (the conversation), "review" (its summary) or "line" (about lines of the
    change, `outdated` when they have changed since). `state` is a review's: approved,
    changes_requested, commented or dismissed.
    """

    kind: str
    id: int
    author: str
    body: str
    created_at: str
    updated_at: str
    path: str | None = None
    line: int | None = None
    diff_hunk: str | None = None
    state: str | None = None
    reply_to: int | None = None
    outdated: bool = False
    start_line: int | None = None  # the first of several lines


def parse_repo(value: Any, host: GitHubHost) -> RepoInfo:
    """Parse a repository. A clone URL of another host is replaced by HOST's."""
    data = to_object(value)
    name = _parse_full_name(data)
    parent = get_object(data, "parent")
    permissions = get_object(data, "permissions")
    clone_url = get_text(data, "clone_url") or ""
    if host.parse_repo(clone_url) != name or not _is_plain(clone_url):
        clone_url = host.clone_url(name)
    return RepoInfo(
        name,
        require_text(data, "default_branch"),
        clone_url,
        _parse_html_url(data, host),
        private=data.get("private") is True,
        archived=data.get("archived") is True,
        is_fork=data.get("fork") is True,
        parent=_parse_full_name(parent) if parent else None,
        parent_default_branch=get_text(parent, "default_branch"),
        can_push=permissions.get("push") is True if permissions else None,
    )


def parse_branch(value: Any) -> BranchInfo:
    """Parse a branch."""
    data = to_object(value)
    return BranchInfo(require_text(data, "name"), _parse_sha(get_object(data, "commit")))


def parse_pull(value: Any, host: GitHubHost) -> PullInfo:
    """Parse a pull request."""
    data = to_object(value)
    head, base = get_object(data, "head"), get_object(data, "base")
    fork = get_object(head, "repo")
    merged = data.get("merged") is True or data.get("merged_at") is not None
    number, url = require_number(data, "number"), _parse_html_url(data, host)
    if not url.endswith(f"/pull/{number}"):
        raise ProviderError(f"GitHub's response has a wrong URL for #{number}: {to_line(url)}")
    return PullInfo(
        number,
        url,
        "merged" if merged else _parse_state(data),
        require_text(data, "title"),
        get_text(data, "body") or "",
        require_text(head, "ref"),
        _parse_sha(head),
        _parse_full_name(fork) if fork else None,
        require_text(base, "ref"),
        get_text(data, "merge_commit_sha") if merged else None,
        require_text(data, "created_at"),
        require_text(data, "updated_at"),
    )


def _parse_state(data: Mapping[str, Any]) -> str:
    if require_text(data, "state") == "closed":
        return "closed"
    return "draft" if data.get("draft") is True else "open"


def parse_comment(value: Any) -> Comment:
    """Parse a comment of the conversation, or about a line."""
    data = to_object(value)
    line, original = get_number(data, "line"), get_number(data, "original_line")
    outdated = line is None and original is not None
    return Comment(
        "line" if "path" in data else "comment",
        require_number(data, "id"),
        _parse_author(data),
        get_text(data, "body") or "",
        require_text(data, "created_at"),
        require_text(data, "updated_at"),
        get_text(data, "path"),
        original if outdated else line,
        get_text(data, "diff_hunk"),
        reply_to=get_number(data, "in_reply_to_id"),
        outdated=outdated,
        start_line=get_number(data, "original_start_line" if outdated else "start_line"),
    )


def parse_review(value: Any) -> Comment | None:
    """Parse a review; None if it is not submitted yet."""
    data = to_object(value)
    time = get_text(data, "submitted_at")
    if time is None:
        return None
    ident, author, body = require_number(data, "id"), _parse_author(data), get_text(data, "body")
    state = require_text(data, "state").lower()
    return Comment("review", ident, author, body or "", time, time, state=state)


def parse_installation(value: Any) -> Installation:
    """Parse an App's installation."""
    data = to_object(value)
    account = get_object(data, "account")
    login = get_text(account, "login") or get_text(account, "slug") or GHOST
    return Installation(str(require_number(data, "id")), login)


def _parse_full_name(data: Mapping[str, Any]) -> RepoName:
    owner, _, name = require_text(data, "full_name").partition("/")
    repo = RepoName.from_parts(owner, name)
    if repo is None:
        raise ProviderError("GitHub's response has an invalid repository name")
    return repo


def _parse_author(data: Mapping[str, Any]) -> str:
    return get_text(get_object(data, "user"), "login") or GHOST


def _parse_sha(data: Mapping[str, Any]) -> str:
    """Return a commit's id, which is passed to git."""
    sha = require_text(data, "sha")
    if len(sha) not in {40, 64} or not all(char in "0123456789abcdef" for char in sha):
        raise ProviderError("GitHub's response has an invalid commit id")
    return sha


def _parse_html_url(data: Mapping[str, Any], host: GitHubHost) -> str:
    """Return the URL of a page, which a browser may open; it must be on HOST."""
    url = require_text(data, "html_url")
    if to_origin(url) != to_origin(host.web_url) or not url.isprintable():
        raise ProviderError(
            f"GitHub's response has a page that is not on {host.name}: {to_line(url)}",
            hint="check GITHUB_API_URL and GITHUB_SERVER_URL",
        )
    return url


def _is_plain(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"https", "http"} and "@" not in parts.netloc
