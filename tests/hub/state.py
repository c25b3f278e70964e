"""State of the double: accounts, Apps, tokens, repositories, pull requests."""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import repos

DAY = 1767323045  # the time of every commit
UPDATE_HOOK = """#!/bin/sh
deny() { printf '%s' "$1" >"$HUB_REASON"; exit 1; }
for one in $HUB_REFUSED; do
    if [ "$1" = "$one" ]; then
        printf '%s\\n' "$HUB_SAID" >&2
        deny "$HUB_BECAUSE"
    fi
done
if [ -n "$HUB_NO_WORKFLOWS" ]; then
    file=$(git log --format= --name-only "$3" --not --all -- .github/workflows | sort -u | head -n 1)
    [ -z "$file" ] || deny "refusing to allow a $HUB_NO_WORKFLOWS to create or update workflow \\`$file\\` without \\`workflows\\` permission"
fi
"""
CONFIG = """[core]
\trepositoryformatversion = 0
\tbare = true
[http]
\treceivepack = true
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[receive]
\tautogc = false
"""


def stamp(seconds: float) -> str:
    """Format a time like GitHub."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _change(path: str, content: Any) -> bytes:
    """Return the change of a file for fast-import."""
    if content is None:
        return f"D {path}\n".encode()
    mode = {repos.Link: "120000", repos.Script: "100755"}.get(type(content), "100644")
    data = content if isinstance(content, bytes) else content.encode()
    return f"M {mode} inline {path}\ndata {len(data)}\n".encode() + data + b"\n"


@dataclass
class Account:
    """A user, an organization or a bot."""

    login: str
    id: int
    type: str = "User"
    name: str | None = None


@dataclass
class App:
    """A GitHub App; `key` is the public half of its key, as PEM."""

    id: int
    client_id: str
    slug: str
    key: str
    permissions: dict[str, str]


@dataclass
class Installation:
    """An App in an account; `repos` None means all of them."""

    id: int
    app: App
    account: Account
    repos: set[int] | None
    permissions: dict[str, str]
    suspended: bool = False


@dataclass
class Token:
    """A token of a user or of an installation."""

    text: str
    user: Account | None = None
    installation: Installation | None = None
    permissions: dict[str, str] | None = None  # None: all of the user
    repos: set[int] | None = None  # None: all
    scopes: set[str] = field(default_factory=lambda: {"repo"})
    expires: float = float("inf")
    revoked: bool = False
    unknown_for: int = 0  # requests until it is accepted


@dataclass
class Repo:
    """A repository; `path` is the bare one."""

    id: int
    owner: Account
    name: str
    path: Path
    default_branch: str = "main"
    private: bool = False
    archived: bool = False
    drafts: bool = True
    parent: "Repo | None" = None
    roles: dict[str, str] = field(default_factory=dict)  # login to read, write or admin
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)  # ref to (reason, words)
    pulls: dict[int, "Pull"] = field(default_factory=dict)
    counter: int = 0

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    def git(self, *args: str, **options: Any) -> str:
        """Run git in the repository."""
        return repos.git(self.path, *args, **options)

    def head(self, branch: str) -> str | None:
        """Return the commit of BRANCH."""
        return self.branches.get(branch)

    @property
    def branches(self) -> dict[str, str]:
        """Every branch with its commit."""
        packed, heads = self.path / "packed-refs", self.path / "refs/heads"
        lines = packed.read_text().splitlines() if packed.exists() else []
        pairs = (line.split(" refs/heads/") for line in lines if " refs/heads/" in line)
        commits = {branch: commit for commit, branch in pairs}
        for file in heads.rglob("*"):
            if file.is_file() and file.suffix != ".lock":
                commits[file.relative_to(heads).as_posix()] = file.read_text().strip()
        return dict(sorted(commits.items()))

    def commit(
        self,
        branch: str,
        files: Mapping[str, Any],
        *,
        message: str = "change",
        author: str = "Grace",
        orphan: bool = False,
    ) -> str:
        """Commit FILES (see `repos.write`) on BRANCH without a push, and return the id."""
        base = None if orphan else self.head(branch) or self.head(self.default_branch)
        signature = f"{author} <ada@example.com> {DAY} +0000"
        text = message.encode()
        stream = f"commit refs/heads/{branch}\nauthor {signature}\ncommitter {signature}\ndata {len(text)}\n"
        parent = f"\nfrom {base}\n" if base else "\n"
        changes = b"".join(_change(path, content) for path, content in files.items())
        self.git(
            *("-c", "fastimport.unpackLimit=1000", "fast-import", "--quiet", "--force"),
            stdin=stream.encode() + text + parent.encode() + changes,
        )
        commit = self.head(branch)
        assert commit is not None
        return commit

    def delete_branch(self, branch: str) -> None:
        """Delete BRANCH."""
        self.git("update-ref", "-d", f"refs/heads/{branch}")

    def show(self, ref: str, path: str) -> bytes:
        """Return the content of a file."""
        return repos.git(self.path, "cat-file", "blob", f"{ref}:{path}").encode(
            "utf-8", "surrogateescape"
        )


@dataclass
class Pull:
    """A pull request; `last` is the last known commit of its head."""

    repo: Repo
    number: int
    id: int
    head: Repo | None
    head_owner: str
    branch: str
    base: str
    title: str
    body: str | None
    author: Account
    draft: bool
    created: float
    updated: float
    last: str
    base_commit: str
    state: str = "open"
    merged_at: float | None = None
    merge_commit: str | None = None
    comments: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)

    def follow(self) -> None:
        """Update the commits of an open pull request."""
        if self.state == "open":
            if self.head is not None and (commit := self.head.head(self.branch)):
                self.last = commit
            self.base_commit = self.repo.head(self.base) or self.base_commit


def make_bare(path: Path, branch: str) -> None:
    """Create an empty bare repository without a subprocess."""
    for part in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info", "hooks"):
        (path / part).mkdir(parents=True)
    (path / "HEAD").write_text(f"ref: refs/heads/{branch}\n")
    (path / "config").write_text(CONFIG)
    hook = path / "hooks/update"
    hook.write_text(UPDATE_HOOK)
    hook.chmod(0o755)


def long_token(app_id: int) -> str:
    """Create an installation token: prefix, App id and a JWT, about 520 characters."""
    parts = (36, 200, 128)
    jwt = ".".join(base64.urlsafe_b64encode(os.urandom(n)).decode().rstrip("=") for n in parts)
    return f"ghs_{app_id}_eyJ{jwt}"
