"""Our own copies of repositories that have a URL: bare, and all below the workspaces folder.

They hold the newest commits of every branch, and of older ones what was asked for.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, InternalError, UsageError
from dursor.secrets.redact import Redactor
from dursor.vcs.branchnames import is_branch_name
from dursor.vcs.command import GitCommand, decode
from dursor.vcs.environment import build_network_env
from dursor.vcs.remote.credential import build_authenticated_env, check_private
from dursor.vcs.remote.errors import explain_login, explain_remote
from dursor.vcs.remote.staging import COMING, GOING, waiting
from dursor.vcs.repository import HardenedRepo, Repository
from dursor.vcs.urls import check, derive_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dursor.domain import Secret
    from dursor.errors import DursorError

__all__ = ["clone", "derive_name", "refresh", "remove", "seek"]

from git.exc import GitError  # after `command`, which keeps it from starting a process

FETCH_SECONDS = 1800.0
DEPTH = 200  # commits of each branch: what they say helps to choose context, more cost too much
OPTIONS = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
HEAD_LINE = re.compile(r"^([0-9a-f]+)\trefs/heads/(.+)$", re.MULTILINE)
DEFAULT_LINE = re.compile(r"^ref: (refs/heads/\S+)\tHEAD$", re.MULTILINE)
BRANCHES, TAGS = "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"


def clone(url: str, into: Path, secret: Secret | None = None) -> Repository:
    """Clone URL as the bare repository INTO, which appears only when it is whole.

    SECRET is a token that is shown to URL; it is kept nowhere.
    """
    env = _environment(url, secret)
    if os.path.lexists(into):
        raise ConflictError(f"already there: {into}")
    with waiting(into.parent, COMING) as folder:
        whole = folder / "bare"
        try:
            _clone(url, whole, env)
        except GitError as error:
            raise _explain(str(getattr(error, "stderr", error)), url, secret) from error
        if not (whole / "shallow").exists():
            _Source(GitCommand(whole), url, secret).fetch(refs=[TAGS])
        try:
            whole.chmod(0o700)
            whole.rename(into)
        except OSError as error:
            raise ConflictError(f"already there: {into}") from error
    return Repository.open(into)


def _clone(url: str, into: Path, env: dict[str, str]) -> None:
    """Clone the newest commits; all of them where a server of plain files can do no else."""
    try:
        HardenedRepo.clone_from(
            url, str(into), env=env, bare=True, depth=DEPTH, no_single_branch=True, no_tags=True
        ).close()
    except GitError as error:
        if "dumb http transport does not support shallow" not in str(error):
            raise
        HardenedRepo.clone_from(url, str(into), env=env, bare=True, no_tags=True).close()


def refresh(repo: Repository, url: str | None = None, secret: Secret | None = None) -> None:
    """Bring our clone REPO level with its origin: every branch and tag, gone ones dropped.

    Tags only when it has the whole history: else they would bring most of it. SECRET is a token
    that is shown to URL, the origin's address as its host gives it now.
    """
    source = _source(repo, url, secret)
    there = decode(source.ask("ls-remote", "--symref", "--", source.url, "HEAD", "refs/heads/*"))
    if not _is_shallow(repo):
        source.fetch("--prune", refs=[BRANCHES, TAGS])
    elif set(HEAD_LINE.findall(there)) != {(one.commit, one.name) for one in repo.list_branches()}:
        source.fetch("--prune", f"--depth={DEPTH}", refs=[BRANCHES])  # dear, also with no news
    if found := DEFAULT_LINE.search(there):
        repo.command.run("symbolic-ref", "HEAD", found[1])


def seek(repo: Repository, ref: str, url: str | None = None, secret: Secret | None = None) -> bool:
    """Bring the tag or the whole commit id REF into our clone REPO, if its origin has it.

    Nothing is asked when the clone has the whole history, or REF is another kind of revision.
    """
    if not _is_shallow(repo):
        return False
    name = ref.removeprefix("refs/tags/")
    if re.fullmatch(r"[0-9a-f]{40}", ref):
        wanted = f"{ref}:refs/dursor/base/{ref}"
    elif is_branch_name(repo.command, name):
        wanted = f"+refs/tags/{name}:refs/tags/{name}"
    else:
        return False
    source = _source(repo, url, secret)
    try:
        source.fetch(f"--depth={DEPTH}", refs=[wanted])
    except InternalError:  # the origin has no such thing
        return False
    return True


def _is_shallow(repo: Repository) -> bool:
    return (repo.common_dir / "shallow").exists()


def _source(repo: Repository, url: str | None, secret: Secret | None) -> _Source:
    origin = repo.read_origin_url()
    if not repo.is_bare or origin is None:
        raise UsageError(f"not a clone of ours: {repo.top}", hint=f"git -C {repo.top} fetch")
    if secret is not None:
        check_private(repo.git_dir)
    return _Source(repo.command, url or origin, secret)


def remove(path: Path, workspaces: Path) -> None:
    """Delete our clone PATH; anything outside the WORKSPACES folder is refused."""
    inside, outer = path.parent.resolve() / path.name, workspaces.resolve()
    if path.name in {"", ".."} or outer not in inside.parents:
        raise UsageError(f"not below {workspaces}: {path} stays")
    if inside.is_symlink() or not inside.exists():
        inside.unlink(missing_ok=True)
        return
    try:
        with waiting(inside.parent, GOING) as grave:
            inside.rename(grave / "bare")  # half a repository must never be found
    except OSError as error:
        raise InternalError(f"could not delete {path}: {error.strerror}") from error


@dataclass(frozen=True)
class _Source:
    """Where a clone comes from."""

    command: GitCommand
    url: str
    secret: Secret | None

    def ask(self, *args: str) -> bytes:
        env = _environment(self.url, self.secret)
        output = self.command.run_remote(self.url, *args, env=env, seconds=FETCH_SECONDS)
        if output.status != 0:
            raise _explain(output.err, self.url, self.secret)
        return output.out

    def fetch(self, *options: str, refs: Sequence[str]) -> None:
        self.ask("fetch", *OPTIONS, *options, "--", self.url, *refs)


def _environment(url: str, secret: Secret | None) -> dict[str, str]:
    scheme = check(url).scheme
    return build_network_env(scheme) if secret is None else build_authenticated_env(url, secret)


def _explain(stderr: str, url: str, secret: Secret | None) -> DursorError:
    if secret is None:
        return explain_remote(stderr, url)
    return explain_login(Redactor([secret]).clean(stderr), url)
