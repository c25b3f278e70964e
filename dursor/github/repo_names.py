"""What repositories are called: OWNER/NAME, and the addresses that stand for it."""

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


class Remote(NamedTuple):
    """The address of a repository taken apart, without user and password."""

    scheme: str
    host: str  # lower case, without the port
    port: int | None
    path: str

    @property
    def is_ssh(self) -> bool:
        """Whether it is one for ssh, whose user and port say nothing about the web's."""
        return "ssh" in self.scheme


@dataclass(frozen=True, eq=False)
class RepoName:
    """OWNER/NAME; letters count alike in both cases, as they do to GitHub."""

    owner: str
    name: str

    @classmethod
    def parse(cls, text: str) -> RepoName:
        """Read OWNER/NAME or an address that ends in it; UsageError when it is neither."""
        remote = split_remote(text)
        path = text if remote is None else remote.path
        parts = path.strip("/").split("/")
        if len(parts) >= 2 and (found := cls.of(parts[0], parts[1])) is not None:
            if len(parts) == 2:
                return found
            raise UsageError(f"not a repository: {text[:100]!a}", hint=f"did you mean {found}?")
        raise UsageError(f"not a repository on GitHub: {text[:100]!a}", hint="OWNER/NAME")

    @classmethod
    def of(cls, owner: str, name: str) -> RepoName | None:
        """Put OWNER and NAME together; None when one of them cannot be what it should."""
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


def split_remote(url: str) -> Remote | None:
    """Take the address of a remote apart; None for a path, a name or what is no address."""
    if "://" not in url:
        match = SCP.fullmatch(url)
        return None if match is None else Remote("ssh", _host(match[1]), None, match[2])
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in SCHEMES or not host:
        return None
    ssh = "ssh" in parts.scheme
    return Remote(parts.scheme, _host(host) if ssh else host, port, unquote(parts.path))


def _host(name: str) -> str:
    """Name the host that an ssh host stands for: github.com answers ssh on port 443 elsewhere."""
    name = name.lower()
    return "github.com" if name == "ssh.github.com" else name
