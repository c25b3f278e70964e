"""Authentication as a GitHub App: signed assertions, and the short-lived tokens they buy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dursor.domain import Secret
from dursor.errors import AuthError, ConflictError, DursorError, NotFoundError, ProviderError
from dursor.github.credentials import LOGIN_APP, load_private_key
from dursor.github.errors import parse_error
from dursor.github.payload import require_text, to_list, to_object
from dursor.github.resources import Installation, parse_installation
from dursor.github.rest import RestRequest
from dursor.github.token_cache import InstallationToken, TokenCache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dursor.github.clock import Clock
    from dursor.github.credentials import AppCredentials
    from dursor.github.repo_names import RepoName
    from dursor.github.rest import RestClient
    from dursor.github.transport import RestResponse

BACKDATED = 60.0  # seconds, for clocks that run ahead of GitHub's
LIFETIME = 540.0  # seconds; GitHub allows 600
SETTLING = 5.0  # seconds until all of GitHub's servers know a new token
SETTLING_WAITS = (1.0, 2.0, 3.0)


@dataclass
class AppAuthenticator:
    """Authenticates as the App itself, for /app and for finding installations."""

    credentials: AppCredentials
    clock: Clock

    @property
    def source(self) -> str:
        """Origin of the credentials, for messages."""
        return f"the App from {self.credentials.source}"

    def get_token(self) -> Secret:
        """Sign an assertion for the next minutes."""
        import jwt

        source = f"the private key from {self.credentials.source}"
        key = load_private_key(self.credentials.private_key, source)
        issued = int(self.clock.read_server() - BACKDATED)
        expires = int(issued + BACKDATED + LIFETIME)
        claims = {"iat": issued, "exp": expires, "iss": self.credentials.app_id}
        try:
            return Secret(jwt.encode(claims, key, algorithm="RS256"))
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise AuthError(f"{source} cannot sign", hint=LOGIN_APP) from error

    def handle_rejection(self, response: RestResponse, attempt: int) -> bool:
        """Set the clock if the two differ, once."""
        message, _ = parse_error(response)
        if attempt or ("'exp'" not in message and "'iat'" not in message):
            return False
        before = self.clock.skew
        self.clock.synchronize(response)
        return self.clock.skew != before


@dataclass
class InstallationAuthenticator:
    """Authenticates as the App's installation that owns REPO, with a token for REPO alone."""

    app: AppAuthenticator
    rest: RestClient
    cache: TokenCache
    sleep: Callable[[float], None]
    repo: RepoName | None
    permissions: Mapping[str, str]
    _token: InstallationToken | None = field(default=None, init=False)
    _is_new: bool = field(default=False, init=False)  # minted by this process

    @property
    def source(self) -> str:
        """Origin of the credentials, for messages."""
        return self.app.source

    def get_token(self) -> Secret:
        """Return the current token, a cached one or a new one."""
        if self._token is None or not self._token.is_fresh(self.app.clock):
            self._token = self.cache.get(self._key) or self._mint()
        return Secret(self._token.token)

    def handle_rejection(self, response: RestResponse, attempt: int) -> bool:  # noqa: ARG002
        """Wait until GitHub's servers know a new token; replace an old one, once."""
        if self._is_settling():
            if attempt >= len(SETTLING_WAITS):
                return False
            self.sleep(SETTLING_WAITS[attempt])
            return True
        if attempt == 0:
            self.renew_token()
        return attempt == 0

    def renew_token(self) -> Secret:
        """Replace a token that GitHub rejected."""
        if self._token is not None:
            self.cache.drop(self._key, self._token.token)
        self._token = self._mint()
        return Secret(self._token.token)

    def _is_settling(self) -> bool:
        if self._token is None or not self._is_new:
            return False
        return 0 <= self.app.clock.read_local() - self._token.minted_at < SETTLING

    @property
    def _key(self) -> str:
        credentials = self.app.credentials
        permissions = ",".join(f"{k}:{v}" for k, v in sorted(self.permissions.items()))
        repo = "" if self.repo is None else str(self.repo).lower()
        return "|".join((credentials.app_id, credentials.installation_id or "", repo, permissions))

    @property
    def _repo_label(self) -> str:
        return "the App's repositories" if self.repo is None else str(self.repo)

    def _mint(self) -> InstallationToken:
        configured = self.app.credentials.installation_id
        if configured is None:
            token = self._request_token(self._find_installation())
        else:
            try:
                token = self._request_token(configured)
            except (NotFoundError, ConflictError):
                if self.repo is None or (actual := self._find_installation()) == configured:
                    raise
                token = self._request_token(actual)
        self._is_new = True
        self.cache.put(self._key, token)
        return token

    def _request_token(self, installation_id: str) -> InstallationToken:
        body: dict[str, Any] = {"permissions": dict(self.permissions)}
        if self.repo is not None:
            body["repositories"] = [self.repo.name]
        path = f"/app/installations/{installation_id}/access_tokens"
        action = f"get a token for {self._repo_label}"
        request = RestRequest("POST", path, action, body=body, accept=(422,))
        response = self.rest.send(request, self.app)
        if response.status == 422:
            raise self._to_error(response)
        clock = self.app.clock
        clock.synchronize(response)
        data = to_object(response.json())
        expires_at = _parse_time(require_text(data, "expires_at"))
        token = require_text(data, "token")
        return InstallationToken(token, clock.read_local(), expires_at, clock.skew)

    def _to_error(self, response: RestResponse) -> DursorError:
        message, _ = parse_error(response)
        if "permissions" in message:
            needed = ", ".join(f"{k}: {v}" for k, v in self.permissions.items())
            return AuthError(
                f"the App lacks permissions for {self._repo_label}; it needs {needed}",
                hint="grant them in the App's settings, then accept them in its installation",
            )
        return ConflictError(
            f"the App cannot get a token for {self._repo_label}: {message}",
            hint="add the repository to the App's installation on GitHub",
        )

    def _find_installation(self) -> str:
        if self.repo is None:
            return self._find_only_installation()
        action = f"find the App's installation on {self.repo}"
        path = f"/repos/{self.repo}/installation"
        response = self.rest.send(RestRequest("GET", path, action, accept=(404,)), self.app)
        if response.status == 404:
            raise AuthError(
                f"the App is not installed on {self.repo}, or {self.repo} does not exist",
                hint=f"open {self.rest.host.web_url}/settings/installations",
            )
        return parse_installation(response.json()).id

    def _find_only_installation(self) -> str:
        installations = list_installations(self.rest, self.app)
        if len(installations) == 1:
            return installations[0].id
        if not installations:
            raise AuthError(
                "the App is not installed on any account",
                hint="install it from the App's page on GitHub",
            )
        raise AuthError(
            f"the App has several installations: {format_installations(installations)}",
            hint=f"dursor github login --installation-id {installations[0].id}",
        )


def list_installations(rest: RestClient, app: AppAuthenticator) -> list[Installation]:
    """Return the App's installations."""
    request = RestRequest("GET", "/app/installations", "list the App's installations")
    pages = rest.get_pages(request, app)
    return [parse_installation(entry) for page in pages for entry in to_list(page)]


def format_installations(installations: list[Installation]) -> str:
    """Format the first few installations for a message."""
    return ", ".join(f"{entry.id} ({entry.account})" for entry in installations[:10])


def _parse_time(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise ProviderError("GitHub's token has no valid expiry time") from error
