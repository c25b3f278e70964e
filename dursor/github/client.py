"""One GitHub with one login."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import quote

from dursor import __version__
from dursor.errors import AuthError, UsageError
from dursor.github import errors
from dursor.github.app_auth import (
    LOOK,
    PUBLISH,
    AppAuthenticator,
    InstallationAuthenticator,
    installations,
)
from dursor.github.clock import Clock
from dursor.github.credentials import AppCredentials, TokenCredentials, cache_key
from dursor.github.payload import get_text, number, parse_json, text, to_list, to_object
from dursor.github.pulls import PullRequestApi, branch_path
from dursor.github.resources import (
    Account,
    AppInfo,
    BranchInfo,
    Comment,
    CreatedPull,
    Installation,
    PullInfo,
    RepoInfo,
    read_branch,
    read_repo,
)
from dursor.github.rest import RestClient, RestRequest
from dursor.github.token_cache import TokenCache
from dursor.github.transport import RestTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dursor.domain import Secret
    from dursor.github.credentials import Credentials, SecretStore
    from dursor.github.host import GitHubHost
    from dursor.github.repo_names import RepoName
    from dursor.github.rest import Authenticator
    from dursor.github.transport import RestResponse

WORKFLOWS = {**PUBLISH, "workflows": "write"}
RELATIONS = {"identical", "ahead", "behind", "diverged"}


class TokenAuthenticator:
    """Whoever a token stands for."""

    def __init__(self, login: TokenCredentials) -> None:
        self.source = f"the token of {login.source}"
        self._token = login.token

    def secret(self) -> Secret:
        """Give the token."""
        return self._token

    def refused(self, reply: RestResponse, attempt: int) -> bool:  # noqa: ARG002 - it does not get better
        """A token that was refused stays refused."""
        return False


def _unheard(message: str) -> None:
    """Hear nothing."""


class GitHub:
    """Reads and writes HOST as LOGIN.

    VAULT keeps installation tokens between commands, NOTICE hears of waits. Every failure is one
    DursorError with what to do: AuthError, NotFoundError (also for what the login cannot see),
    ConflictError, PolicyError, RateLimitedError, NetworkError, DeadlineError, ProviderError.
    """

    def __init__(
        self,
        host: GitHubHost,
        login: Credentials,
        vault: SecretStore | None = None,
        *,
        notice: Callable[[str], None] = _unheard,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.host = host
        self.login = login
        self._clock = Clock(clock)
        self._transport = RestTransport(host, __version__)
        self._rest = RestClient(host, self._transport, self._clock, notice, sleep)
        self._cache = TokenCache(vault, cache_key(host), self._clock)
        self._sleep = sleep
        self._authorities: dict[tuple[RepoName | None, bool], Authenticator] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    # who

    @property
    def kind(self) -> Literal["app", "token"]:
        """Tell what kind of login it is."""
        return "app" if isinstance(self.login, AppCredentials) else "token"

    def account(self, name: RepoName | None = None) -> Account | None:
        """Tell who commits and opens pull requests; None for a token that is nobody's.

        For an App, its bot; NAME is a repository it is in.
        """
        if self.kind == "app":
            path = f"/users/{quote(f'{self.app().slug}[bot]', safe='')}"
            return self._account(self._get(path, "look up the App's account", name))
        reply = self._ask(RestRequest("GET", "/user", "ask whose token it is", accept=(403,)), name)
        if reply.status == 403:
            if "not accessible by" in errors.problem(reply)[0]:
                return None
            raise errors.explain(
                reply, "ask whose token it is", self._as(name).source, self.host.name
            )
        return self._account(parse_json(reply.body, self.host.name))

    def _account(self, value: Any) -> Account:
        data = to_object(value)
        login, ident = text(data, "login"), number(data, "id")
        domain = self.host.name.partition(":")[0]
        mail = f"{ident}+{login}@users.noreply.{domain}"
        return Account(login, ident, get_text(data, "name") or login, mail)

    def app(self) -> AppInfo:
        """Describe the App; UsageError when the login is a token."""
        return self._app

    @cached_property
    def _app(self) -> AppInfo:
        data = to_object(self._rest.get("/app", "read the App", self._as_app))
        return AppInfo(
            str(number(data, "id")), text(data, "slug"), get_text(data, "html_url") or ""
        )

    def installations(self) -> list[Installation]:
        """List where the App is installed; UsageError when the login is a token."""
        return installations(self._rest, self._as_app)

    # repositories

    def repos(self) -> Iterator[RepoInfo]:
        """List every repository that the login can reach."""
        doing = "list your repositories"
        if self.kind == "app" or self.account() is None:
            ask = RestRequest("GET", "/installation/repositories", doing)
            for page in self._rest.pages(ask, self._as(None)):
                found = to_list(to_object(page).get("repositories"))
                yield from map(self._repo, found)
            return
        ask = RestRequest("GET", "/user/repos", doing, {"sort": "full_name"})
        for page in self._rest.pages(ask, self._as(None)):
            yield from map(self._repo, to_list(page))

    def repository(self, name: RepoName) -> RepoInfo:
        """Read repository NAME; after a rename, it is found under the new name."""
        return self._repo(self._get(f"/repos/{name}", f"read {name}", name))

    def branches(self, name: RepoName) -> Iterator[BranchInfo]:
        """List the branches of NAME."""
        ask = RestRequest("GET", f"/repos/{name}/branches", f"list the branches of {name}")
        for page in self._rest.pages(ask, self._as(name)):
            yield from map(read_branch, to_list(page))

    def branch(self, name: RepoName, branch: str) -> BranchInfo | None:
        """Find one branch of NAME; None when there is no such branch."""
        path = f"/repos/{name}/branches/{branch_path(branch)}"
        reply = self._ask(RestRequest("GET", path, f"read {branch} of {name}", accept=(404,)), name)
        if reply.status != 404:
            return read_branch(parse_json(reply.body, self.host.name))
        if "Branch not found" not in errors.problem(reply)[0]:
            self.repository(name)  # it says so when the repository is what is not there
        return None

    def relation(self, name: RepoName, base: str, head: str) -> str | None:
        """Tell how HEAD stands to BASE (branches or commit ids).

        "identical", "ahead", "behind" or "diverged"; None when GitHub does not know one of them.
        """
        path = f"/repos/{name}/compare/{branch_path(base)}...{branch_path(head)}"
        ask = RestRequest(
            "GET", path, f"compare commits of {name}", {"per_page": 1}, accept=(404, 409, 422)
        )
        reply = self._ask(ask, name)
        if reply.status >= 300:
            if reply.status == 404:
                self.repository(name)
            return None
        status = text(to_object(parse_json(reply.body, self.host.name)), "status")
        return status if status in RELATIONS else None

    # pull requests

    def find_pull(self, name: RepoName, head_owner: str, branch: str) -> PullInfo | None:
        """Find the pull request that BRANCH of HEAD_OWNER is in: an open one, else the newest."""
        return self._pulls(name).find(head_owner, branch)

    def pull(self, name: RepoName, number: int) -> PullInfo:
        """Read one pull request."""
        return self._pulls(name).get(number)

    def create_pull(
        self, name: RepoName, *, head: str, base: str, title: str, body: str, draft: bool = False
    ) -> CreatedPull:
        """Open a pull request from HEAD (OWNER:BRANCH) into BASE, or find the one that is open."""
        asked = {"title": title, "head": head, "base": base, "body": body, "draft": draft}
        return self._pulls(name).create(asked)

    def update_pull(
        self,
        name: RepoName,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        base: str | None = None,
        state: str | None = None,
    ) -> PullInfo:
        """Change what is given of a pull request."""
        fields = {"title": title, "body": body, "base": base, "state": state}
        given = {key: value for key, value in fields.items() if value is not None}
        if not given:
            raise UsageError("nothing to change was given")
        return self._pulls(name).update(number, given)

    def remarks(self, name: RepoName, number: int, since: str | None = None) -> list[Comment]:
        """List comments, reviews and remarks about lines, oldest first; from SINCE on if given."""
        return self._pulls(name).remarks(number, since)

    # credentials for git

    def token_for(self, name: RepoName | None, *, workflows: bool = False) -> Secret:
        """Give the token for git on NAME; WORKFLOWS when workflow files are changed."""
        return self._as(name, workflows=workflows).secret()

    def renew(self, name: RepoName | None, *, workflows: bool = False) -> Secret:
        """Give a new token in place of one that git was refused with; AuthError if none can be."""
        authority = self._as(name, workflows=workflows)
        if isinstance(authority, InstallationAuthenticator):
            return authority.renew()
        raise AuthError(
            f"{self.host.name} refused {authority.source} for {name or 'git'}",
            hint="dursor github status, then dursor github login",
        )

    def revoke(self) -> None:
        """Have the login, an installation's token, end now."""
        self._ask(RestRequest("DELETE", "/installation/token", "revoke a token"), None)

    # machinery

    @cached_property
    def _as_app(self) -> AppAuthenticator:
        if not isinstance(self.login, AppCredentials):
            raise UsageError("the login is a token, not an App", hint="dursor github login")
        return AppAuthenticator(self.login, self._clock)

    def _as(self, name: RepoName | None, *, workflows: bool = False) -> Authenticator:
        key = (name, workflows)
        if key not in self._authorities:
            self._authorities[key] = self._authority(name, workflows=workflows)
        return self._authorities[key]

    def _authority(self, name: RepoName | None, *, workflows: bool) -> Authenticator:
        if isinstance(self.login, TokenCredentials):
            return TokenAuthenticator(self.login)
        permissions: Mapping[str, str] = LOOK if name is None else PUBLISH
        if workflows:
            permissions = WORKFLOWS
        return InstallationAuthenticator(
            self._as_app, self._rest, self._cache, self._sleep, name, permissions
        )

    def _ask(self, ask: RestRequest, name: RepoName | None) -> RestResponse:
        return self._rest.send(ask, self._as(name))

    def _get(self, path: str, doing: str, name: RepoName | None) -> Any:
        return self._rest.get(path, doing, self._as(name))

    def _repo(self, value: Any) -> RepoInfo:
        found = read_repo(value, self.host)
        # what it says of an App's rights has nothing to do with the token's permissions
        return replace(found, can_push=None) if self.kind == "app" else found

    def _pulls(self, name: RepoName) -> PullRequestApi:
        return PullRequestApi(self._rest, self._as(name), name)
