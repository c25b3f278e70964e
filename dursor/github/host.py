"""Which GitHub: github.com, an Enterprise Server, or a tenant of ghe.com."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from dursor.errors import UsageError
from dursor.github.repo_names import RepoName, split_remote

if TYPE_CHECKING:
    from collections.abc import Mapping

API, SERVER, HOST = "GITHUB_API_URL", "GITHUB_SERVER_URL", "GH_HOST"
V3 = "/api/v3"
TENANTS = ".ghe.com"
PORTS = {"https": 443, "http": 80}

Origin = tuple[str, str, int]  # scheme, host, port


@dataclass(frozen=True)
class GitHubHost:
    """A GitHub by its two addresses, neither with a slash at its end."""

    api_url: str
    web_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> GitHubHost:
        """Find the GitHub that the environment names, else github.com; UsageError for a bad one."""
        given_web = env.get(SERVER, "").strip() or env.get(HOST, "").strip()
        web = _address(given_web, SERVER if env.get(SERVER) else HOST) if given_web else None
        if given_api := env.get(API, "").strip():
            api = _api(_address(given_api, API), spelt_out=web is not None)
            return cls(api, web.removesuffix(V3) if web else _web_of(api))
        return GITHUB if web is None else cls.of_web(web.removesuffix(V3))

    @classmethod
    def of_web(cls, web_url: str) -> GitHubHost:
        """Find the API that belongs to WEB_URL."""
        parts = urlsplit(web_url)
        name = parts.hostname or ""
        if name in {"github.com", "www.github.com"}:
            return GITHUB
        if name.endswith(TENANTS):
            name = name.removeprefix("api.")
            return cls(f"https://api.{name}", f"https://{name}")
        return cls(web_url + V3, web_url)

    @classmethod
    def of_remote(cls, url: str, env: Mapping[str, str]) -> GitHubHost | None:
        """Find the GitHub that URL, a remote's, would be on; None when it names no host.

        Whether there is a login for it is another question: any host may come out of this.
        """
        named = cls.from_env(env)
        if named.owns(url):
            return named
        remote = split_remote(url)
        if remote is None or ("." not in remote.host and not is_loopback(remote.host)):
            return None
        if remote.scheme == "http" and is_loopback(remote.host):
            return cls.of_web(f"http://{_netloc(remote.host, remote.port)}")
        return cls.of_web(f"https://{_netloc(remote.host, None if remote.is_ssh else remote.port)}")

    @property
    def name(self) -> str:
        """Name the host as people do, with its port if it has one."""
        return urlsplit(self.web_url).netloc

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback(urlsplit(self.api_url).hostname or "")

    def owns(self, url: str) -> bool:
        """Tell whether URL, the address of a remote, is one of this host."""
        remote = split_remote(url)
        if remote is None:
            return False
        if remote.is_ssh:
            return remote.host == urlsplit(self.web_url).hostname
        return remote.scheme in PORTS and origin_of(url) == origin_of(self.web_url)

    def repo_of(self, url: str) -> RepoName | None:
        """Name the repository that URL, the address of a remote of this host, stands for."""
        remote = split_remote(url) if self.owns(url) else None
        parts = remote.path.strip("/").split("/") if remote else []
        return RepoName.of(parts[0], parts[1]) if len(parts) == 2 else None

    def clone_url(self, name: RepoName) -> str:
        """Address the repository NAME for git."""
        return f"{self.web_url}/{name}.git"


GITHUB = GitHubHost("https://api.github.com", "https://github.com")


def origin_of(url: str) -> Origin | None:
    """Give scheme, host and port of URL; None when it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname and port else None


def is_loopback(host: str) -> bool:
    """Tell whether HOST is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _netloc(host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"


def _address(given: str, variable: str) -> str:
    """Check an address that a person gave, with or without scheme and slash at its end."""
    text = given if "://" in given else f"https://{given}"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"{variable} is not a URL", hint=_hint(variable)) from error
    plain = text.isprintable() and " " not in text
    if not parts.hostname or parts.query or parts.fragment or not plain:
        raise UsageError(f"{variable} is not the URL of a GitHub", hint=_hint(variable))
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{variable} must not hold a user or password", hint=_hint(variable))
    if not _is_safe(parts):
        raise UsageError(f"{variable}: plain http is not safe", hint=_hint(variable))
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _is_safe(parts: SplitResult) -> bool:
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def _hint(variable: str) -> str:
    example = "https://HOST/api/v3" if variable == API else "https://HOST"
    return f"export {variable}={example}"


def _api(url: str, *, spelt_out: bool) -> str:
    """Complete what people write for the API: a server's bare name."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    if parts.path or spelt_out or name.startswith("api.") or is_loopback(name):
        return url
    return GitHubHost.of_web(url).api_url


def _web_of(api_url: str) -> str:
    parts = urlsplit(api_url)
    name = parts.hostname or ""
    if name == "api.github.com" or (name.startswith("api.") and name.endswith(TENANTS)):
        return f"https://{name.removeprefix('api.')}"
    return f"{parts.scheme}://{parts.netloc}"
