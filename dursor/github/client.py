"""A client for one GitHub host with one set of credentials."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import quote

from dursor.errors import AuthError, UsageError
from dursor.github.app_auth import AppAuthenticator, InstallationAuthenticator, list_installations
from dursor.github.clock import Clock
from dursor.github.credentials import LOGIN_APP, AppCredentials, TokenCredentials, secret_name
from dursor.github.errors import parse_error, to_error
from dursor.github.payload import get_text, require_number, require_text, to_list, to_object
from dursor.github.pulls import PullRequestApi
from dursor.github.resources import (
    Account,
    AppInfo,
    BranchInfo,
    Installation,
    RepoInfo,
    parse_branch,
    parse_repo,
)
from dursor.github.rest import RestClient, RestRequest
from dursor.github.token_cache import TokenCache
from dursor.github.transport import RestTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dursor.domain import Secret
    from dursor.github.credentials import Credentials, SecretStore
    from dursor.github.host import GitHubHost
    from dursor.github.repo_names import RepoName
    from dursor.github.rest import Authenticator
    from dursor.github.transport import RestResponse

READ = {"metadata": "read"}
PUBLISH = {"contents": "write", "pull_requests": "write", "metadata": "read"}
WORKFLOWS = {**PUBLISH, "workflows": "write"}
RELATIONS = {"identical", "ahead", "behind", "diverged"}


class TokenAuthenticator:
    """Authenticates with a token that dursor did not mint."""

    def __init__(self, credentials: TokenCredentials) -> None:
        self.source = f"the token from {credentials.source}"
        self._token = credentials.token

    def get_token(self) -> Secret:
        return self._token

    def handle_rejection(self, response: RestResponse, attempt: int) -> bool:  # noqa: ARG002
        """Return False: a rejected token stays rejected."""
        return False


class GitHub:
    """Reads and writes HOST with CREDENTIALS.

    STORE keeps installation tokens between commands, NOTIFY receives a line for each wait. Every
    failure is a DursorError with a hint; NotFoundError also means that access is missing.
    """

    def __init__(
        self,
        host: GitHubHost,
        credentials: Credentials,
        store: SecretStore | None = None,
        *,
        notify: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.host = host
        self.credentials = credentials
        self._clock = Clock(clock)
        self._transport = RestTransport(host)
        self._rest = RestClient(host, self._transport, self._clock, notify, sleep)
        self._cache = TokenCache(store, secret_name(host, "cache"), self._clock)
        self._sleep = sleep
        self._authenticators: dict[tuple[RepoName | None, bool], Authenticator] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    # accounts

    @property
    def kind(self) -> Literal["app", "token"]:
        return "app" if isinstance(self.credentials, AppCredentials) else "token"

    def get_account(self, name: RepoName | None = None) -> Account | None:
        """Return the account that commits; None for a token without a user.

        For an App, this is its bot, looked up with access to the repository NAME.
        """
        if self.kind == "app":
            path = f"/users/{quote(f'{self.app.slug}[bot]', safe='')}"
            return self._parse_account(self._get(path, "look up the App's account", name))
        request = RestRequest("GET", "/user", "look up the token's user", accept=(403,))
        response = self._send(request, name)
        if response.status != 403:
            return self._parse_account(response.json())
        if "not accessible by" in parse_error(response)[0]:
            return None
        source = self._authenticate(name).source
        raise to_error(response, request.action, source, self.host.name)

    def _parse_account(self, value: Any) -> Account:
        data = to_object(value)
        login = require_text(data, "login")
        domain = self.host.name.partition(":")[0]
        email = f"{require_number(data, 'id')}+{login}@users.noreply.{domain}"
        return Account(login, get_text(data, "name") or login, email)

    @cached_property
    def app(self) -> AppInfo:
        """The App; UsageError for a token."""
        data = to_object(self._rest.get("/app", "read the App", self._app_authenticator))
        return AppInfo(require_text(data, "slug"), get_text(data, "html_url") or "")

    def list_installations(self) -> list[Installation]:
        """Return the App's installations; UsageError for a token."""
        return list_installations(self._rest, self._app_authenticator)

    # repositories

    def list_repos(self) -> Iterator[RepoInfo]:
        """Yield every accessible repository."""
        path, query = "/user/repos", {"sort": "full_name"}
        if is_installation := self.kind == "app" or self.get_account() is None:
            path, query = "/installation/repositories", {}
        request = RestRequest("GET", path, "list your repositories", query)
        for page in self._rest.get_pages(request, self._authenticate(None)):
            entries = to_object(page).get("repositories") if is_installation else page
            yield from map(self._parse_repo, to_list(entries))

    def get_repo(self, name: RepoName) -> RepoInfo:
        """Return repository NAME, after a rename under its new name."""
        return self._parse_repo(self._get(f"/repos/{name}", f"read {name}", name))

    def list_branches(self, name: RepoName) -> Iterator[BranchInfo]:
        request = RestRequest("GET", f"/repos/{name}/branches", f"list the branches of {name}")
        for page in self._rest.get_pages(request, self._authenticate(name)):
            yield from map(parse_branch, to_list(page))

    def find_branch(self, name: RepoName, branch: str) -> BranchInfo | None:
        """Return one branch of NAME; None if it does not exist."""
        path = f"/repos/{name}/branches/{quote(branch)}"
        request = RestRequest("GET", path, f"read {branch} of {name}", accept=(404,))
        response = self._send(request, name)
        if response.status != 404:
            return parse_branch(response.json())
        if "Branch not found" not in parse_error(response)[0]:
            self.get_repo(name)  # raises if it is the repository that does not exist
        return None

    def compare(self, name: RepoName, base: str, head: str) -> str | None:
        """Compare HEAD to BASE (branches or commit ids).

        Returns "identical", "ahead", "behind" or "diverged"; None if either is unknown to GitHub.
        """
        path = f"/repos/{name}/compare/{quote(base)}...{quote(head)}"
        action = f"compare commits of {name}"
        request = RestRequest("GET", path, action, {"per_page": 1}, accept=(404, 409, 422))
        response = self._send(request, name)
        if response.status >= 300:
            if response.status == 404:
                self.get_repo(name)  # as above
            return None
        status = require_text(to_object(response.json()), "status")
        return status if status in RELATIONS else None

    def pulls(self, name: RepoName) -> PullRequestApi:
        return PullRequestApi(self._rest, self._authenticate(name), name)

    # tokens for git

    def get_token(self, name: RepoName | None, *, workflows: bool = False) -> Secret:
        """Return the token for git on NAME, with the permission to change WORKFLOWS if set."""
        return self._authenticate(name, workflows=workflows).get_token()

    def renew_token(self, name: RepoName | None, *, workflows: bool = False) -> Secret:
        """Replace a token that git was rejected with; AuthError if that is impossible."""
        auth = self._authenticate(name, workflows=workflows)
        if isinstance(auth, InstallationAuthenticator):
            return auth.renew_token()
        raise AuthError(
            f"{self.host.name} rejected {auth.source} for {name or 'git'}",
            hint="dursor github login",
        )

    def revoke_token(self) -> None:
        self._send(RestRequest("DELETE", "/installation/token", "revoke a token"), None)

    # requests

    @cached_property
    def _app_authenticator(self) -> AppAuthenticator:
        if not isinstance(self.credentials, AppCredentials):
            raise UsageError("the login is a token, not an App", hint=LOGIN_APP)
        return AppAuthenticator(self.credentials, self._clock)

    def _authenticate(self, name: RepoName | None, *, workflows: bool = False) -> Authenticator:
        key = (name, workflows)
        if key not in self._authenticators:
            self._authenticators[key] = self._create_authenticator(name, workflows=workflows)
        return self._authenticators[key]

    def _create_authenticator(self, name: RepoName | None, *, workflows: bool) -> Authenticator:
        if isinstance(self.credentials, TokenCredentials):
            return TokenAuthenticator(self.credentials)
        permissions = WORKFLOWS if workflows else READ if name is None else PUBLISH
        return InstallationAuthenticator(
            self._app_authenticator, self._rest, self._cache, self._sleep, name, permissions
        )

    def _send(self, request: RestRequest, name: RepoName | None) -> RestResponse:
        return self._rest.send(request, self._authenticate(name))

    def _get(self, path: str, action: str, name: RepoName | None) -> Any:
        return self._rest.get(path, action, self._authenticate(name))

    def _parse_repo(self, value: Any) -> RepoInfo:
        repo = parse_repo(value, self.host)
        # the rights that GitHub reports for an App are not those of its token
        return replace(repo, can_push=None) if self.kind == "app" else repo
