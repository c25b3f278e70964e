"""Repository names (OWNER/NAME) and remote URLs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from dursor.errors import UsageError

OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:\[bot\])?")
NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
SCP = re.compile(r"(?:[^@/:\s]+@)?([A-Za-z0-9._-]{2,}):(?!//)/?(\S+)")  # one letter is a drive
SCHEMES = {"https", "http", "ssh", "git+ssh", "git"}


class RemoteUrl(NamedTuple):
    """The parts of a remote's URL, without user and password."""

    scheme: str
    host: str  # lower case, without the port
    port: int | None
    path: str

    @property
    def is_ssh(self) -> bool:
        """Whether it is for ssh, whose port differs from the web's."""
        return "ssh" in self.scheme


@dataclass(frozen=True, eq=False)
class RepoName:
    """OWNER/NAME; like on GitHub, case does not matter."""

    owner: str
    name: str

    @classmethod
    def parse(cls, text: str) -> RepoName:
        """Parse OWNER/NAME or a URL that ends in it; UsageError for anything else."""
        remote = parse_remote_url(text)
        parts = (text if remote is None else remote.path).strip("/").split("/")
        name = cls.from_parts(*parts[:2]) if len(parts) >= 2 else None
        if name is not None and len(parts) == 2:
            return name
        hint = "OWNER/NAME" if name is None else f"did you mean {name}?"
        raise UsageError(f"{text[:100]!a} is not a GitHub repository", hint=hint)

    @classmethod
    def from_parts(cls, owner: str, name: str) -> RepoName | None:
        """Combine OWNER and NAME; None if either is invalid."""
        name = name.removesuffix(".git")
        if not OWNER.fullmatch(owner) or not NAME.fullmatch(name) or name in {".", ".."}:
            return None
        return cls(owner, name)

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RepoName) and str(self).lower() == str(other).lower()

    def __hash__(self) -> int:
        return hash(str(self).lower())


def parse_remote_url(url: str) -> RemoteUrl | None:
    """Parse a remote's URL; None for a path or a name."""
    if "://" not in url:
        match = SCP.fullmatch(url)
        return None if match is None else RemoteUrl("ssh", _to_web_host(match[1]), None, match[2])
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in SCHEMES or not host:
        return None
    host = _to_web_host(host) if "ssh" in parts.scheme else host
    return RemoteUrl(parts.scheme, host, port, unquote(parts.path))


def _to_web_host(name: str) -> str:
    """Return the web host of an ssh host: github.com serves ssh over port 443 elsewhere."""
    name = name.lower()
    return "github.com" if name == "ssh.github.com" else name
