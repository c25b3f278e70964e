"""Access to GitHub hosts, and git with their credentials."""

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
    from dursor.services.ports import Forge
    from dursor.store.read import Reader

T = TypeVar("T")
GitAction: TypeAlias = "Callable[[str, Secret | None], T]"  # takes a URL and a token


@dataclass(frozen=True)
class GitHubAccess:
    """Finds hosts and their credentials, and opens clients."""

    env: Mapping[str, str]
    reader: Reader
    secrets: GitHubSecrets
    _credentials: dict[GitHubHost, Credentials] = field(default_factory=dict)  # `gh` is slow

    @property
    def host(self) -> GitHubHost:
        from dursor.github.host import GitHubHost

        return GitHubHost.from_env(self.env)

    def find_host(self, url: str) -> GitHubHost | None:
        from dursor.github.host import GitHubHost

        return GitHubHost.from_remote_url(url, self.env)

    def locate(self, url: str) -> tuple[GitHubHost, RepoName] | None:
        """Return host and repository of a remote's URL; None if it is not on GitHub."""
        from dursor.github.programs import resolve_ssh_alias

        host = self.find_host(url)
        is_known = host is not None and (host == self.host or host.name == "github.com")
        if not is_known and (resolved := resolve_ssh_alias(url, self.env)) != url:
            url, host = resolved, self.find_host(resolved)
        name = None if host is None else host.parse_repo(url)
        return None if host is None or name is None else (host, name)

    def find_credentials(self, host: GitHubHost) -> Credentials:
        """Return the credentials for HOST; AuthError if there are none."""
        from dursor.github.credentials import find_credentials

        return find_credentials(self.env, self.secrets, self.reader.github_app(), host)

    def open(self, host: GitHubHost, listener: Listener) -> GitHub:
        """Return a client for HOST; AuthError if there are no credentials."""
        from dursor.github.client import GitHub

        if host not in self._credentials:
            self._credentials[host] = self.find_credentials(host)
        credentials = self._credentials[host]
        return GitHub(host, credentials, self.secrets, notify=lambda text: listener(Notice(text)))

    def run_git(self, url: str, action: GitAction[T], listener: Listener) -> T:
        """Run ACTION with URL, after a rename the new one, and a token if there is one.

        Credentials without access to the repository do not matter if it is public.
        """
        location = self.locate(url)
        if location is None:
            return action(url, None)
        host, name = location
        try:
            forge = self.open(host, listener)
        except AuthError as error:
            return _run_anonymously(url, action, error if host == self.host else None)
        with forge:
            try:
                repo = forge.get_repo(name)
                return run_with_token(forge, repo.name, lambda key: action(repo.clone_url, key))
            except (AuthError, NotFoundError) as error:
                return _run_anonymously(url, action, error)

    def canonicalize(self, url: str, listener: Listener) -> str:
        """Return the https URL of a GitHub repository, after a rename the new one.

        Any other URL is returned unchanged.
        """
        location = self.locate(url)
        if location is None:
            return url
        host, name = location
        try:
            with self.open(host, listener) as forge:
                return forge.get_repo(name).clone_url
        except (AuthError, NotFoundError):
            return host.clone_url(name) if host == self.host else url


def run_with_token(
    forge: Forge, name: RepoName, action: Callable[[Secret], T], *, workflows: bool = False
) -> T:
    """Run ACTION, which runs git on NAME; once more with a new token if it is rejected."""
    token = forge.get_token(name, workflows=workflows)
    try:
        return action(token)
    except AuthError as error:
        try:
            token = forge.renew_token(name, workflows=workflows)
        except AuthError:
            raise error from None
        return action(token)


def _run_anonymously(url: str, action: GitAction[T], better: AuthError | NotFoundError | None) -> T:
    """Run ACTION without credentials; if that fails, raise BETTER if there is one."""
    try:
        return action(url, None)
    except (AuthError, NotFoundError) as error:
        raise better or error from None
