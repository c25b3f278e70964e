"""Who dursor is on GitHub: signing in, looking around, signing out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.domain import Branch, GitHubAppConfig, now
from dursor.errors import AuthError, DursorError, NotFoundError, UsageError
from dursor.services.events import Notice, ignore_event
from dursor.services.results import GitHubStatus, HostedRepo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dursor.domain import Secret
    from dursor.github.client import GitHub
    from dursor.github.credentials import AppCredentials, Credentials
    from dursor.github.host import GitHubHost
    from dursor.github.resources import Installation
    from dursor.services.events import Listener
    from dursor.services.github.access import GitHubAccess
    from dursor.store.write import Store

GIVEN = "the login given"


@dataclass(frozen=True)
class GitHubLogin:
    """Keeps a login for the GitHub that the environment names, and shows what it can reach."""

    access: GitHubAccess
    open_store: Callable[[], Store]

    def with_token(self, token: Secret, listener: Listener) -> GitHubStatus:
        """Keep TOKEN, once GitHub has taken it; whoever was signed in before is signed out."""
        from dursor.github.credentials import TokenCredentials, parse_token, token_key

        host = self.access.host
        login = TokenCredentials(parse_token(token.reveal(), GIVEN), GIVEN)
        with self._hub(host, login, listener) as hub:
            status = _status(hub)
        self.access.vault.put(token_key(host), login.token)
        self._forget(host, but=token_key(host))
        return self._kept(status, host, listener)

    def with_app(
        self, app_id: str, installation_id: str | None, key: Secret, listener: Listener
    ) -> GitHubStatus:
        """Keep the App APP_ID with its private KEY, once GitHub has taken them."""
        from dursor.github.credentials import AppCredentials, app_key, check_app, parse_private_key

        check_app(app_id, installation_id)
        host = self.access.host
        login = AppCredentials(app_id, parse_private_key(key.reveal()), installation_id, GIVEN)
        try:
            with self._hub(host, login, listener) as hub:
                _check_installation(hub, installation_id, listener)
                status = _status(hub)
        except NotFoundError as error:
            raise AuthError(
                f"{host.name} knows no App {app_id} with this private key",
                hint="look at the App's page on GitHub for its id",
            ) from error
        self.access.vault.put(app_key(host), login.private_key)
        self._save(login)
        self._forget(host, but=app_key(host))
        return self._kept(status, host, listener)

    def with_installation(self, installation_id: str, listener: Listener) -> GitHubStatus:
        """Use another installation of the App that is signed in."""
        from dursor.github.credentials import STORED, AppCredentials, cache_key, check_app

        host = self.access.host
        login = self.access.login(host)
        if not isinstance(login, AppCredentials) or login.source != STORED:
            raise UsageError(
                "no App is signed in whose installation could be chosen",
                hint="dursor github login --app-id ID --private-key-file FILE",
            )
        check_app(login.app_id, installation_id)
        login = AppCredentials(login.app_id, login.private_key, installation_id, STORED)
        with self._hub(host, login, listener) as hub:
            _check_installation(hub, installation_id, listener)
            status = _status(hub)
        self.access.vault.drop(cache_key(host))
        self._save(login)
        return status

    def _save(self, login: AppCredentials) -> None:
        former = self.access.reader.github_app()
        at = now()
        made = at if former is None else former.created_at
        self.open_store().save_github_app(
            GitHubAppConfig(login.app_id, login.installation_id, made, at)
        )

    def _kept(self, status: GitHubStatus, host: GitHubHost, listener: Listener) -> GitHubStatus:
        """What was kept; a person hears when something else comes before it."""
        first = self.access.login(host)
        if first.source != _stored():
            listener(
                Notice(f"{first.source} is set in the environment and comes before this login")
            )
        return status

    def status(self, listener: Listener = ignore_event) -> GitHubStatus:
        """Who dursor is on GitHub now; `kind` None when it is nobody."""
        from dursor.github.credentials import NotSignedInError

        host = self.access.host
        try:
            login = self.access.login(host)
        except NotSignedInError:
            return GitHubStatus(host.api_url, None, None, None, None, None)
        with self._hub(host, login, listener) as hub:
            return _status(hub)

    def logout(self, listener: Listener) -> GitHubStatus:
        """Forget the login that is kept; what the environment says stays.

        Tokens that were minted for an App end now, not within the hour.
        """
        from dursor.github.credentials import NotSignedInError

        host = self.access.host
        self._revoke(host, listener)
        if not self._forget(host):
            listener(Notice(f"nobody was signed in to {host.name}"))
        try:
            login = self.access.login(host)
        except NotSignedInError:
            return GitHubStatus(host.api_url, None, None, None, None, None)
        listener(Notice(f"{login.source} still says who dursor is on {host.name}"))
        return _described(host, login, None, None)

    def _revoke(self, host: GitHubHost, listener: Listener) -> None:
        import time

        from dursor.github.clock import Clock
        from dursor.github.credentials import TokenCredentials, cache_key
        from dursor.github.token_cache import TokenCache

        for token in TokenCache(self.access.vault, cache_key(host), Clock(time.time)).tokens():
            try:
                with self._hub(host, TokenCredentials(token, GIVEN), listener) as hub:
                    hub.revoke()
            except AuthError:  # it has describe_end already
                continue
            except DursorError as error:
                listener(Notice(f"tokens of the App last up to an hour more: {error.message}"))
                return

    def _forget(self, host: GitHubHost, *, but: str | None = None) -> bool:
        """Drop every secret kept for HOST save BUT, and the App; whether there was any."""
        from dursor.github.credentials import app_key, cache_key, token_key

        vault = self.access.vault
        names = {token_key(host), app_key(host), cache_key(host)} - {but}
        kept = [name for name in sorted(names) if vault.keys.stored(name) is not None]
        for name in kept:
            vault.drop(name)
        if app_key(host) in kept:
            self.open_store().remove_github_app()
        return bool(kept)

    def _hub(self, host: GitHubHost, login: Credentials, listener: Listener) -> GitHub:
        from dursor.github.client import GitHub

        vault = self.access.vault if login.source != GIVEN else None
        return GitHub(host, login, vault, notice=lambda text: listener(Notice(text)))

    def repos(self, listener: Listener) -> Iterator[HostedRepo]:
        """Every repository that the login can reach."""
        with self.access.open(self.access.host, listener) as hub:
            for one in hub.repos():
                yield HostedRepo(
                    str(one.name), one.default_branch, one.private, one.archived, one.html_url
                )

    def branches(self, name: str, listener: Listener) -> Sequence[Branch]:
        """The branches of the repository called OWNER/NAME."""
        from dursor.github.repo_names import RepoName

        wanted = RepoName.parse(name)
        with self.access.open(self.access.host, listener) as hub:
            default = hub.repository(wanted).default_branch
            return [
                Branch(one.name, one.commit, one.name == default) for one in hub.branches(wanted)
            ]


def _stored() -> str:
    from dursor.github.credentials import STORED

    return STORED


def _check_installation(hub: GitHub, wanted: str | None, listener: Listener) -> None:
    """Make sure that the App is installed, under WANTED if that is given."""
    found = hub.installations()
    if wanted is not None and wanted not in {one.id for one in found}:
        raise AuthError(
            f"the App has no installation {wanted}; it has: {_listed(found) or 'none'}",
            hint="leave --installation-id away: dursor finds it",
        )
    if not found:
        page = hub.app().html_url or hub.host.web_url
        listener(Notice(f"the App is not installed anywhere yet: {page}"))


def _listed(found: Sequence[Installation]) -> str:
    return ", ".join(f"{one.id} ({one.account})" for one in found[:10])


def _status(hub: GitHub) -> GitHubStatus:
    """Who the login of HUB is, as GitHub says."""
    if hub.kind == "app":
        found = [one.id for one in hub.installations()]
        return _described(
            hub.host, hub.login, f"{hub.app().slug}[bot]", found[0] if len(found) == 1 else None
        )
    account = hub.account()
    return _described(hub.host, hub.login, None if account is None else account.login, None)


def _described(
    host: GitHubHost, login: Credentials, name: str | None, installation: str | None
) -> GitHubStatus:
    from dursor.github.credentials import AppCredentials

    if isinstance(login, AppCredentials):
        chosen = login.installation_id or installation
        return GitHubStatus(host.api_url, "app", name, login.app_id, chosen, login.source)
    return GitHubStatus(host.api_url, "token", name, None, None, login.source)
