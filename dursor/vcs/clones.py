"""Our own copies of repositories that have a URL: bare, and all below the workspaces folder."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, InternalError, UsageError
from dursor.redact import Redactor
from dursor.vcs.command import ANY
from dursor.vcs.credential import authenticated_environment, check_private
from dursor.vcs.environment import network_environment
from dursor.vcs.remote_faults import explain_login, explain_remote
from dursor.vcs.repository import Opened, Repository
from dursor.vcs.urls import check, name_of

if TYPE_CHECKING:
    from dursor.domain import Secret
    from dursor.errors import DursorError

__all__ = ["clone", "name_of", "refresh", "remove"]

from git.exc import GitError  # after `command`, which keeps it from starting a process

FETCH_SECONDS = 1800.0
OPTIONS = ("--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


def clone(url: str, into: Path, secret: Secret | None = None) -> Repository:
    """Clone URL as the bare repository INTO, which appears only when it is whole.

    SECRET is a token that is shown to URL; it is kept nowhere.
    """
    env = _environment(url, secret)
    if os.path.lexists(into):
        raise ConflictError(f"already there: {into}")
    into.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".clone-", dir=into.parent) as waiting:
        whole = Path(waiting) / "bare"
        try:
            Opened.clone_from(url, str(whole), env=env, bare=True).close()
        except GitError as error:
            raise _explain(str(getattr(error, "stderr", error)), url, secret) from error
        try:
            whole.chmod(0o700)
            whole.rename(into)
        except OSError as error:
            raise ConflictError(f"already there: {into}") from error
    return Repository.open(into)


def refresh(repo: Repository, url: str | None = None, secret: Secret | None = None) -> None:
    """Bring our clone REPO level with its origin: every branch and tag, gone ones dropped.

    SECRET is a token that is shown to URL, the origin's address as its host gives it now.
    """
    origin = repo.origin_url()
    if not repo.is_bare or origin is None:
        raise UsageError(f"not a clone of ours: {repo.top}", hint=f"git -C {repo.top} fetch")
    if secret is not None:
        check_private(repo.git_dir)
    source = _Source(repo, url or origin, secret)
    source.ask("fetch", *OPTIONS, "--", source.url, *EVERYTHING)
    answer = source.ask("ls-remote", "--symref", "--", source.url, "HEAD")
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


@dataclass(frozen=True)
class _Source:
    """Where a clone comes from."""

    repo: Repository
    url: str
    secret: Secret | None

    def ask(self, *args: str) -> bytes:
        env = _environment(self.url, self.secret)
        output = self.repo.command.run(*args, ok=ANY, env=env, seconds=FETCH_SECONDS)
        if output.status != 0:
            raise _explain(output.err, self.url, self.secret)
        return output.out


def _environment(url: str, secret: Secret | None) -> dict[str, str]:
    scheme = check(url).scheme
    return network_environment(scheme) if secret is None else authenticated_environment(url, secret)


def _explain(stderr: str, url: str, secret: Secret | None) -> DursorError:
    if secret is None:
        return explain_remote(stderr, url)
    return explain_login(Redactor([secret]).clean(stderr), url)
