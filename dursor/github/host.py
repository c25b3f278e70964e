"""GitHub hosts: github.com, an Enterprise Server, or a tenant of ghe.com."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dursor.errors import UsageError
from dursor.github.repo_names import RepoName, parse_remote_url
from dursor.hosts import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

API, SERVER, HOST = "GITHUB_API_URL", "GITHUB_SERVER_URL", "GH_HOST"
V3 = "/api/v3"
TENANTS = ".ghe.com"
PORTS = {"https": 443, "http": 80}

Origin = tuple[str, str, int]  # scheme, host, port


@dataclass(frozen=True)
class GitHubHost:
    """A GitHub's two URLs, neither with a slash at the end."""

    api_url: str
    web_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> GitHubHost:
        """Return the host that the environment names, else github.com; UsageError if invalid."""
        web = None
        if web_setting := env.get(SERVER, "").strip() or env.get(HOST, "").strip():
            web = _parse_url(web_setting, SERVER if env.get(SERVER) else HOST).removesuffix(V3)
        if api_setting := env.get(API, "").strip():
            api = _parse_url(api_setting, API)
            if web is not None:
                return cls(api, web)
            api = _complete_api_url(api)
            return cls(api, _to_web_url(api))
        return GITHUB if web is None else cls.from_web_url(web)

    @classmethod
    def from_web_url(cls, web_url: str) -> GitHubHost:
        """Derive the API's URL from WEB_URL."""
        name = urlsplit(web_url).hostname or ""
        if name in {"github.com", "www.github.com"}:
            return GITHUB
        if name.endswith(TENANTS):
            name = name.removeprefix("api.")
            return cls(f"https://api.{name}", f"https://{name}")
        return cls(web_url + V3, web_url)

    @classmethod
    def from_remote_url(cls, url: str, env: Mapping[str, str]) -> GitHubHost | None:
        """Return the host of a remote's URL; None if it names no host.

        Any host may result, with or without credentials for it.
        """
        host = cls.from_env(env)
        if host.owns(url):
            return host
        remote = parse_remote_url(url)
        if remote is None or ("." not in remote.host and not is_loopback(remote.host)):
            return None
        if remote.scheme == "http" and is_loopback(remote.host):
            return cls.from_web_url(f"http://{_join_port(remote.host, remote.port)}")
        port = None if remote.is_ssh else remote.port
        return cls.from_web_url(f"https://{_join_port(remote.host, port)}")

    @property
    def name(self) -> str:
        """Host name, with the port if there is one."""
        return urlsplit(self.web_url).netloc

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback(urlsplit(self.api_url).hostname or "")

    def owns(self, url: str) -> bool:
        """Tell whether a remote's URL is on this host."""
        remote = parse_remote_url(url)
        if remote is None:
            return False
        if remote.is_ssh:
            return remote.host == urlsplit(self.web_url).hostname
        return remote.scheme in PORTS and to_origin(url) == to_origin(self.web_url)

    def parse_repo(self, url: str) -> RepoName | None:
        """Return the repository of a remote's URL on this host."""
        remote = parse_remote_url(url) if self.owns(url) else None
        parts = remote.path.strip("/").split("/") if remote else []
        return RepoName.from_parts(*parts) if len(parts) == 2 else None

    def clone_url(self, name: RepoName) -> str:
        return f"{self.web_url}/{name}.git"


GITHUB = GitHubHost("https://api.github.com", "https://github.com")


def to_origin(url: str) -> Origin | None:
    """Return scheme, host and port of URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname and port else None


def _join_port(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


def _parse_url(setting: str, variable: str) -> str:
    """Normalize a URL that the user set, with or without scheme and trailing slash."""
    text = setting if "://" in setting else f"https://{setting}"
    hint = f"export {variable}=https://HOST{V3 if variable == API else ''}"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"{variable} is not a URL", hint=hint) from error
    is_plain = text.isprintable() and " " not in text
    if not parts.hostname or parts.query or parts.fragment or not is_plain:
        raise UsageError(f"{variable} is not the URL of a GitHub host", hint=hint)
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{variable} must not contain a user or password", hint=hint)
    if parts.scheme != "https" and (parts.scheme != "http" or not is_loopback(parts.hostname)):
        raise UsageError(f"{variable} must use https", hint=hint)
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _complete_api_url(url: str) -> str:
    """Return the API's URL when URL may be the bare name of a server."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    if parts.path or name.startswith("api.") or is_loopback(name):
        return url
    return GitHubHost.from_web_url(url).api_url


def _to_web_url(api_url: str) -> str:
    parts = urlsplit(api_url)
    name = parts.hostname or ""
    if name == "api.github.com" or (name.startswith("api.") and name.endswith(TENANTS)):
        return f"https://{name.removeprefix('api.')}"
    return f"{parts.scheme}://{parts.netloc}"
