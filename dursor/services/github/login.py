"""Signing in to GitHub, and the repositories that the login can access."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.domain import Branch, GitHubAppConfig, now
from dursor.errors import AuthError, DursorError, NotFoundError, UsageError
from dursor.github.clock import Clock
from dursor.github.credentials import (
    LOGIN_APP,
    STORED,
    AppCredentials,
    NotSignedInError,
    TokenCredentials,
    check_app,
    parse_private_key,
    parse_token,
    secret_name,
)
from dursor.github.repo_names import RepoName
from dursor.github.token_cache import TokenCache
from dursor.services.events import Notice, ignore_event
from dursor.services.results import GitHubStatus, HostedRepo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dursor.domain import Secret
    from dursor.github.client import GitHub
    from dursor.github.credentials import Credentials
    from dursor.github.host import GitHubHost
    from dursor.services.events import Listener
    from dursor.services.github.access import GitHubAccess
    from dursor.store.write import Store

GIVEN = "your input"


@dataclass(frozen=True)
class GitHubLogin:
    """Signs in to the host that the environment names, and lists what it can access."""

    access: GitHubAccess
    open_store: Callable[[], Store]

    def use_token(self, token: Secret, listener: Listener) -> GitHubStatus:
        """Verify TOKEN and store it in place of the previous login."""
        host = self.access.host
        credentials = TokenCredentials(parse_token(token.reveal(), GIVEN), GIVEN)
        with self._connect(host, credentials, listener) as github:
            status = _read_status(github)
        self.access.secrets.put(secret_name(host, "token"), credentials.token)
        self._forget(host, keep=secret_name(host, "token"))
        self._warn_if_shadowed(host, listener)
        return status

    def use_app(
        self, app_id: str, installation_id: str | None, key: Secret, listener: Listener
    ) -> GitHubStatus:
        """Verify an App with its private KEY and store it in place of the previous login."""
        check_app(app_id, installation_id)
        host = self.access.host
        private_key = parse_private_key(key.reveal())
        credentials = AppCredentials(app_id, private_key, installation_id, GIVEN)
        try:
            with self._connect(host, credentials, listener) as github:
                _check_installation(github, installation_id, listener)
                status = _read_status(github)
        except NotFoundError as error:
            raise AuthError(
                f"{host.name} has no App {app_id} with this private key",
                hint="copy the id from the App's page on GitHub",
            ) from error
        self.access.secrets.put(secret_name(host, "app"), private_key)
        self._save_app(credentials)
        self._forget(host, keep=secret_name(host, "app"))
        self._warn_if_shadowed(host, listener)
        return status

    def use_installation(self, installation_id: str, listener: Listener) -> GitHubStatus:
        """Switch to another installation of the stored App."""
        host = self.access.host
        credentials = self.access.find_credentials(host)
        if not isinstance(credentials, AppCredentials) or credentials.source != STORED:
            raise UsageError(f"no App is signed in to {host.name}", hint=LOGIN_APP)
        check_app(credentials.app_id, installation_id)
        credentials = replace(credentials, installation_id=installation_id)
        with self._connect(host, credentials, listener) as github:
            _check_installation(github, installation_id, listener)
            status = _read_status(github)
        self.access.secrets.drop(secret_name(host, "cache"))
        self._save_app(credentials)
        return status

    def _save_app(self, credentials: AppCredentials) -> None:
        previous, time = self.access.reader.github_app(), now()
        created_at = time if previous is None else previous.created_at
        app = GitHubAppConfig(credentials.app_id, credentials.installation_id, created_at, time)
        self.open_store().save_github_app(app)

    def _warn_if_shadowed(self, host: GitHubHost, listener: Listener) -> None:
        source = self.access.find_credentials(host).source
        if source != STORED:
            listener(Notice(f"{source} is set and takes precedence over this login"))

    def status(self, listener: Listener = ignore_event) -> GitHubStatus:
        """Return the login in use; `kind` is None if there is none."""
        host = self.access.host
        try:
            credentials = self.access.find_credentials(host)
        except NotSignedInError:
            return _to_status(host, None)
        with self._connect(host, credentials, listener) as github:
            return _read_status(github)

    def logout(self, listener: Listener) -> GitHubStatus:
        """Delete the stored login and revoke its installation tokens."""
        host = self.access.host
        self._revoke_tokens(host, listener)
        if not self._forget(host):
            listener(Notice(f"no login was stored for {host.name}"))
        try:
            credentials = self.access.find_credentials(host)
        except NotSignedInError:
            return _to_status(host, None)
        listener(Notice(f"{credentials.source} is still the login for {host.name}"))
        return _to_status(host, credentials)

    def _revoke_tokens(self, host: GitHubHost, listener: Listener) -> None:
        cache = TokenCache(self.access.secrets, secret_name(host, "cache"), Clock(time.time))
        for token in cache.list_fresh():
            try:
                with self._connect(host, TokenCredentials(token, GIVEN), listener) as github:
                    github.revoke_token()
            except AuthError:  # it has expired
                continue
            except DursorError as error:
                listener(Notice(f"the App's tokens stay valid for up to an hour: {error.message}"))
                return

    def _forget(self, host: GitHubHost, *, keep: str | None = None) -> bool:
        """Delete every stored secret of HOST except KEEP; True if there was any."""
        names = [secret_name(host, kind) for kind in ("app", "cache", "token")]
        dropped = [name for name in names if name != keep and self.access.secrets.drop(name)]
        if secret_name(host, "app") in dropped:
            self.open_store().remove_github_app()
        return bool(dropped)

    def _connect(self, host: GitHubHost, credentials: Credentials, listener: Listener) -> GitHub:
        from dursor.github.client import GitHub

        store = self.access.secrets if credentials.source != GIVEN else None
        return GitHub(host, credentials, store, notify=lambda text: listener(Notice(text)))

    def repos(self, listener: Listener) -> Iterator[HostedRepo]:
        """Yield every repository that the login can access."""
        with self.access.open(self.access.host, listener) as github:
            for repo in github.list_repos():
                yield HostedRepo(
                    str(repo.name), repo.default_branch, repo.private, repo.archived, repo.html_url
                )

    def branches(self, name: str, listener: Listener) -> Sequence[Branch]:
        repo = RepoName.parse(name)
        with self.access.open(self.access.host, listener) as github:
            default = github.get_repo(repo).default_branch
            return [
                Branch(branch.name, branch.commit, branch.name == default)
                for branch in github.list_branches(repo)
            ]


def _check_installation(github: GitHub, wanted: str | None, listener: Listener) -> None:
    """Raise AuthError if the App lacks the installation WANTED."""
    from dursor.github.app_auth import format_installations

    installations = github.list_installations()
    if wanted is not None and wanted not in {entry.id for entry in installations}:
        existing = format_installations(installations) or "none"
        raise AuthError(
            f"the App has no installation {wanted} (installations: {existing})",
            hint="remove --installation-id",
        )
    if not installations:
        page = github.app.html_url or github.host.web_url
        listener(Notice(f"the App is not installed on any account, see {page}"))


def _read_status(github: GitHub) -> GitHubStatus:
    """Ask GitHub who the login is."""
    host, credentials = github.host, github.credentials
    if github.kind == "app":
        ids = [entry.id for entry in github.list_installations()]
        only = ids[0] if len(ids) == 1 else None
        return _to_status(host, credentials, f"{github.app.slug}[bot]", only)
    account = github.get_account()
    return _to_status(host, credentials, None if account is None else account.login)


def _to_status(
    host: GitHubHost,
    credentials: Credentials | None,
    login: str | None = None,
    installation: str | None = None,
) -> GitHubStatus:
    if credentials is None:
        return GitHubStatus(host.api_url, None, None, None, None, None)
    source = credentials.source
    if isinstance(credentials, AppCredentials):
        chosen = credentials.installation_id or installation
        return GitHubStatus(host.api_url, "app", login, credentials.app_id, chosen, source)
    return GitHubStatus(host.api_url, "token", login, None, None, source)
