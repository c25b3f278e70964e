"""Ways to a GitHub: which one an address is on, and git with the login for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from dursor.errors import AuthError, NotFoundError
from dursor.services.events import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dursor.domain import Secret
    from dursor.github.client import GitHub
    from dursor.github.credentials import Credentials
    from dursor.github.host import GitHubHost
    from dursor.github.repo_names import RepoName
    from dursor.services.events import Listener
    from dursor.services.github.secrets import GitHubSecrets
    from dursor.store.read import Reader

T = TypeVar("T")
Remote: TypeAlias = "Callable[[str, Secret | None], T]"


@dataclass(frozen=True)
class GitHubAccess:
    """Opens GitHub with the login there is."""

    env: Mapping[str, str]
    reader: Reader
    vault: GitHubSecrets
    _found: dict[GitHubHost, Credentials] = field(default_factory=dict)  # asking gh takes a while

    @property
    def host(self) -> GitHubHost:
        """The GitHub that the environment names."""
        from dursor.github.host import GitHubHost

        return GitHubHost.from_env(self.env)

    def host_of(self, url: str) -> GitHubHost | None:
        """The GitHub that URL, a remote's or a page's, would be on."""
        from dursor.github.host import GitHubHost

        return GitHubHost.of_remote(url, self.env)

    def located(self, url: str) -> tuple[GitHubHost, RepoName] | None:
        """The GitHub that URL, of any form, is on, and the repository there; None when on none."""
        from dursor.github.ssh_config import resolve_alias

        host = self.host_of(url)
        known = host is not None and (host == self.host or host.name == "github.com")
        if not known and (real := resolve_alias(url, self.env)) != url:
            url, host = real, self.host_of(real)
        name = None if host is None else host.repo_of(url)
        return None if host is None or name is None else (host, name)

    def login(self, host: GitHubHost) -> Credentials:
        """The login for HOST; AuthError when there is none."""
        from dursor.github.credentials import find_credentials

        return find_credentials(self.env, self.vault, self.reader.github_app(), host)

    def open(self, host: GitHubHost, listener: Listener) -> GitHub:
        """HOST with the login for it; AuthError when there is none."""
        from dursor.github.client import GitHub

        if host not in self._found:
            self._found[host] = self.login(host)
        login = self._found[host]
        return GitHub(host, login, self.vault, notice=lambda text: listener(Notice(text)))

    def git(self, url: str, act: Remote[T], listener: Listener) -> T:
        """Do ACT, which runs git on URL, with the login for its host, or without one.

        ACT is given the URL, after a rename the new one, and the token. A login that cannot see
        the repository is no obstacle where everybody can.
        """
        found = self.located(url)
        if found is None:
            return act(url, None)
        host, name = found
        try:
            hub = self.open(host, listener)
        except AuthError as missing:
            return _anonymous(url, act, missing if host == self.host else None)
        with hub:
            try:
                info = hub.repository(name)
                return with_token(hub, info.name, lambda secret: act(info.clone_url, secret))
            except (AuthError, NotFoundError) as refused:
                return _anonymous(url, act, refused)

    def canonical(self, url: str, listener: Listener) -> str:
        """The address that URL, of any form, has for git over https; after a rename, the new one.

        As it is when it is none of a GitHub that there is a login for.
        """
        found = self.located(url)
        if found is None:
            return url
        host, name = found
        try:
            with self.open(host, listener) as hub:
                return hub.repository(name).clone_url
        except (AuthError, NotFoundError):
            return host.clone_url(name) if host == self.host else url


def with_token(
    hub: GitHub, name: RepoName, act: Callable[[Secret], T], *, workflows: bool = False
) -> T:
    """Do ACT, which runs git on NAME; once more with a new token when the first is refused."""
    secret = hub.token_for(name, workflows=workflows)
    try:
        return act(secret)
    except AuthError as refused:
        try:
            secret = hub.renew(name, workflows=workflows)
        except AuthError:
            raise refused from None
        return act(secret)


def _anonymous(url: str, act: Remote[T], better: AuthError | NotFoundError | None) -> T:
    """Do ACT without a login; when one is needed, BETTER says what to do about it."""
    try:
        return act(url, None)
    except (AuthError, NotFoundError) as error:
        raise better or error from None
