"""Being a GitHub App: its signed assertions, and the short-lived tokens it gets for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dursor.domain import Secret
from dursor.errors import AuthError, ConflictError, DursorError, NotFoundError, ProviderError
from dursor.github import errors
from dursor.github.credentials import load_private_key
from dursor.github.payload import parse_json, text, to_list, to_object
from dursor.github.resources import Installation, read_installation
from dursor.github.rest import RestRequest
from dursor.github.token_cache import InstallationToken, TokenCache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dursor.github.clock import Clock
    from dursor.github.credentials import AppCredentials
    from dursor.github.repo_names import RepoName
    from dursor.github.rest import RestClient
    from dursor.github.transport import RestResponse

BACKDATED = 60.0  # seconds that an assertion is older than it is, for clocks that go wrong
LIFETIME = 540.0  # GitHub takes 600 at most
SETTLING = 5.0  # seconds until all of GitHub knows a new token
SETTLING_WAITS = (1.0, 2.0, 3.0)
PUBLISH: Mapping[str, str] = {"contents": "write", "pull_requests": "write", "metadata": "read"}
LOOK: Mapping[str, str] = {"metadata": "read"}


@dataclass
class AppAuthenticator:
    """The App itself, by a signed assertion; only GitHub's /app and look-ups take it."""

    login: AppCredentials
    clock: Clock

    @property
    def source(self) -> str:
        """Name where the login came from."""
        return f"the App of {self.login.source}"

    def secret(self) -> Secret:
        """Sign an assertion for the next minutes."""
        import jwt

        issued = int(self.clock.server() - BACKDATED)
        claims = {
            "iat": issued,
            "exp": int(issued + BACKDATED + LIFETIME),
            "iss": self.login.app_id,
        }
        key = load_private_key(self.login.private_key, f"the private key of {self.login.source}")
        try:
            signed = jwt.encode(claims, key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise AuthError(
                f"the private key of {self.login.source} cannot sign",
                hint="dursor github login --app-id ID --private-key-file FILE",
            ) from error
        return Secret(signed)

    def refused(self, reply: RestResponse, attempt: int) -> bool:
        """Learn GitHub's time when the clocks differ, once."""
        message, _ = errors.problem(reply)
        if attempt or ("'exp'" not in message and "'iat'" not in message):
            return False
        before = self.clock.skew
        self.clock.learn(reply)
        return self.clock.skew != before


@dataclass
class InstallationAuthenticator:
    """An App in the account that owns REPO, by a token for that repository alone."""

    app: AppAuthenticator
    rest: RestClient
    cache: TokenCache
    sleep: Callable[[float], None]
    repo: RepoName | None
    permissions: Mapping[str, str]
    _minted: InstallationToken | None = field(default=None, init=False)
    _is_ours: bool = field(default=False, init=False)  # minted by this process, not remembered

    @property
    def source(self) -> str:
        """Name where the login came from."""
        return self.app.source

    def secret(self) -> Secret:
        """Give the token: the one in use, one kept from an earlier command, or a new one."""
        if self._minted is None or not self._minted.is_fresh(self.app.clock):
            self._minted = self.cache.get(self._key) or self._mint()
        return Secret(self._minted.token)

    def refused(self, reply: RestResponse, attempt: int) -> bool:  # noqa: ARG002 - the status says it all
        """Wait until a token made just now is known everywhere; give up an old one, once."""
        if self._is_settling():
            if attempt >= len(SETTLING_WAITS):
                return False
            self.sleep(SETTLING_WAITS[attempt])
            return True
        if attempt == 0:
            self.renew()
        return attempt == 0

    def renew(self) -> Secret:
        """Mint a token in place of one that GitHub does not take any more."""
        if self._minted is not None:
            self.cache.drop(self._key, self._minted.token)
        self._minted = self._mint()
        return Secret(self._minted.token)

    def _is_settling(self) -> bool:
        if self._minted is None or not self._is_ours:
            return False
        return 0 <= self.app.clock.local() - self._minted.minted_at < SETTLING

    @property
    def _key(self) -> str:
        login = self.app.login
        permissions = ",".join(f"{k}:{v}" for k, v in sorted(self.permissions.items()))
        repo = "" if self.repo is None else str(self.repo).lower()
        return "|".join((login.app_id, login.installation_id or "", repo, permissions))

    def _mint(self) -> InstallationToken:
        stated = self.app.login.installation_id
        if stated is None:
            minted = self._minted_by(self._find())
        else:
            try:
                minted = self._minted_by(stated)
            except (NotFoundError, ConflictError):
                if self.repo is None or (found := self._find()) == stated:
                    raise
                minted = self._minted_by(found)
        self._is_ours = True
        self.cache.put(self._key, minted)
        return minted

    def _minted_by(self, installation_id: str) -> InstallationToken:
        body: dict[str, Any] = {"permissions": dict(self.permissions)}
        if self.repo is not None:
            body["repositories"] = [self.repo.name]
        what = "the App's repositories" if self.repo is None else str(self.repo)
        reply = self.rest.send(
            RestRequest(
                "POST",
                f"/app/installations/{installation_id}/access_tokens",
                f"get a token for {what}",
                body=body,
                accept=(422,),
            ),
            self.app,
        )
        if reply.status == 422:
            raise self._refusal(reply, what)
        self.app.clock.learn(reply)
        data = to_object(parse_json(reply.body, self.rest.host.name))
        clock = self.app.clock
        return InstallationToken(
            text(data, "token"), clock.local(), _seconds(text(data, "expires_at")), clock.skew
        )

    def _refusal(self, reply: RestResponse, what: str) -> DursorError:
        message, _ = errors.problem(reply)
        if "permissions" in message:
            wanted = ", ".join(f"{k}: {v}" for k, v in self.permissions.items())
            return AuthError(
                f"the App lacks a permission for {what}; it needs {wanted}",
                hint="grant them on the App's page, then accept them where it is installed",
            )
        return ConflictError(
            f"the App cannot get a token for {what}: {message}",
            hint="let the App into the repository, on the page of its installation",
        )

    def _find(self) -> str:
        """Find the installation to use."""
        if self.repo is None:
            return self._only()
        reply = self.rest.send(
            RestRequest(
                "GET",
                f"/repos/{self.repo}/installation",
                f"find the App's installation on {self.repo}",
                accept=(404,),
            ),
            self.app,
        )
        if reply.status == 404:
            raise AuthError(
                f"the App is not installed on {self.repo}, or there is no such repository",
                hint=f"install it: {self.rest.host.web_url}/settings/installations",
            )
        return read_installation(parse_json(reply.body, self.rest.host.name)).id

    def _only(self) -> str:
        found = installations(self.rest, self.app)
        if len(found) == 1:
            return found[0].id
        if not found:
            raise AuthError(
                "the App is not installed anywhere",
                hint="install it on an account, from the App's page on GitHub",
            )
        listed = ", ".join(f"{one.id} ({one.account})" for one in found[:10])
        raise AuthError(
            f"the App is installed {len(found)} times: {listed}",
            hint=f"dursor github login --installation-id {found[0].id}",
        )


def installations(rest: RestClient, app: AppAuthenticator) -> list[Installation]:
    """List where the App is installed."""
    ask = RestRequest("GET", "/app/installations", "list the App's installations")
    return [read_installation(one) for page in rest.pages(ask, app) for one in to_list(page)]


def _seconds(stamp: str) -> float:
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except ValueError as error:
        raise ProviderError("GitHub's token has no time at which it ends") from error
