"""Our own copies of repositories that have a URL: bare, and all below the workspaces folder."""

from __future__ import annotations

import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dursor.errors import (
    AuthError,
    ConflictError,
    DursorError,
    InternalError,
    NetworkError,
    NotFoundError,
    UsageError,
)
from dursor.vcs.command import ANY, complaint, explain
from dursor.vcs.environment import network_environment
from dursor.vcs.repository import Opened, Repository
from dursor.vcs.urls import check, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["clone", "name_of", "refresh", "remove"]

from git.exc import GitError  # after `command`, which keeps it from starting a process

FETCH_SECONDS = 1800.0
EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
# What git says of a remote, and what that means to a user.
LOGIN = (
    "could not read Username|could not read Password|Authentication failed|Access denied"
    "|returned error: 40[13]|Invalid username"
)
ABSENT = "not found|does not appear to be a git repository|returned error: 404|does not exist"
UNREACHABLE = (
    "Could not resolve|Failed to connect|Couldn't connect|Connection (refused|reset|timed out)"
    "|unable to access|early EOF|unexpected disconnect|hung up|RPC failed|Operation too slow"
)


def clone(url: str, into: Path) -> Repository:
    """Clone URL as the bare repository INTO, which appears only when it is whole."""
    parts = check(url)
    if os.path.lexists(into):
        raise ConflictError(f"already there: {into}")
    into.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".clone-", dir=into.parent) as waiting:
        whole = Path(waiting) / "bare"
        try:
            env = network_environment(parts.scheme)
            Opened.clone_from(url, str(whole), env=env, bare=True).close()
        except GitError as error:
            raise _explain(str(getattr(error, "stderr", error)), url) from error
        try:
            whole.rename(into)
        except OSError as error:
            raise ConflictError(f"already there: {into}") from error
    return Repository.open(into)


def refresh(repo: Repository) -> None:
    """Bring our clone REPO level with its origin: every branch and tag, gone ones dropped."""
    url = repo.origin_url()
    if not repo.is_bare or url is None:
        raise UsageError(f"not a clone of ours: {repo.top}", hint=f"git -C {repo.top} fetch")
    env = network_environment(check(url).scheme)
    options = ("--quiet", "--prune", "--no-tags", "--no-write-fetch-head")
    _remote(repo, env, url, "fetch", *options, "origin", *EVERYTHING)
    answer = _remote(repo, env, url, "ls-remote", "--symref", "origin", "HEAD")
    found = re.match(rb"ref: (refs/heads/\S+)\tHEAD\n", answer)
    if found:
        head = found[1].decode("utf-8", "surrogateescape")
        repo.command.run("symbolic-ref", "HEAD", head)


def remove(path: Path, workspaces: Path) -> None:
    """Delete our clone PATH; anything outside the WORKSPACES folder is refused."""
    inside, outer = path.parent.resolve() / path.name, workspaces.resolve()
    if path.name in {"", ".."} or outer not in inside.parents:
        raise UsageError(f"not below {workspaces}: {path} stays")
    if inside.is_symlink() or not inside.exists():
        inside.unlink(missing_ok=True)
        return
    try:
        with TemporaryDirectory(prefix=".removed-", dir=inside.parent) as grave:
            inside.rename(Path(grave) / "bare")  # half a repository must never be found
            if os.name == "nt":
                for item in Path(grave).rglob("*"):  # git's object files are read-only
                    item.chmod(0o700)
    except OSError as error:
        raise InternalError(f"could not delete {path}: {error.strerror}") from error


def _remote(repo: Repository, env: Mapping[str, str], url: str, *args: str) -> bytes:
    output = repo.command.run(*args, ok=ANY, env=env, seconds=FETCH_SECONDS)
    if output.status != 0:
        raise _explain(output.err, url)
    return output.out


def _explain(stderr: str, url: str) -> DursorError:
    """Choose the error for a git process that failed at URL."""
    said = complaint(stderr)
    if "dubious ownership" in stderr:
        return explain("clone", stderr)
    if re.search(r"transport '\w+' not allowed", stderr):
        return UsageError(
            f"your git configuration rewrites {url}: {said}", hint="git config --get-regexp ^url"
        )
    if re.search(LOGIN, stderr):
        return AuthError(
            f"{url} asks for a login: it is private, or not there",
            hint=f"git clone {url} FOLDER && dursor repo add FOLDER",
        )
    if re.search(ABSENT, stderr):
        return NotFoundError(f"no repository at {url}", hint=f"git ls-remote {url}")
    if re.search(UNREACHABLE, stderr):
        return NetworkError(f"cannot reach {url}: {said}")
    return InternalError(f"git could not copy {url}: {said}")
