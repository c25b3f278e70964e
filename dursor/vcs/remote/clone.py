"""Clones of remote repositories: bare, shallow, and in the workspaces folder.

A clone contains the newest commits of every branch; older ones are fetched on demand.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, InternalError, UsageError
from dursor.secrets.redact import Redactor
from dursor.vcs.command import GitCommand, decode, is_branch_name
from dursor.vcs.environment import build_network_env
from dursor.vcs.remote.credential import build_authenticated_env, check_private
from dursor.vcs.remote.errors import explain_login, explain_remote
from dursor.vcs.remote.staging import NEW, REMOVED, open_staging
from dursor.vcs.repository import HardenedRepo, Repository
from dursor.vcs.urls import check_url

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dursor.domain import Secret
    from dursor.errors import DursorError

from git.exc import GitError  # after `command`, which keeps the import from starting a process

FETCH_SECONDS = 1800.0
DEPTH = 200  # commits of each branch; their messages help to rank files
OPTIONS = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
HEAD_LINE = re.compile(r"^([0-9a-f]+)\trefs/heads/(.+)$", re.MULTILINE)
DEFAULT_LINE = re.compile(r"^ref: (refs/heads/\S+)\tHEAD$", re.MULTILINE)
BRANCHES, TAGS = "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"


def clone(url: str, into: Path, secret: Secret | None = None) -> Repository:
    """Clone URL as the bare repository INTO, which only appears when it is complete.

    SECRET is a token for URL; it is not stored.
    """
    env = _build_env(url, secret)
    if os.path.lexists(into):
        raise ConflictError(f"{into} already exists")
    with open_staging(into.parent, NEW) as folder:
        bare = folder / "bare"
        try:
            _clone(url, bare, env)
        except GitError as error:
            raise _explain(str(getattr(error, "stderr", error)), url, secret) from error
        if not (bare / "shallow").exists():
            _Origin(GitCommand(bare), url, secret).fetch(refs=[TAGS])
        try:
            bare.chmod(0o700)
            bare.rename(into)
        except OSError as error:
            raise ConflictError(f"{into} already exists") from error
    return Repository.open(into)


def _clone(url: str, into: Path, env: dict[str, str]) -> None:
    """Clone the newest commits, or all of them from a server that supports nothing else."""
    try:
        HardenedRepo.clone_from(
            url, str(into), env=env, bare=True, depth=DEPTH, no_single_branch=True, no_tags=True
        ).close()
    except GitError as error:
        if "dumb http transport does not support shallow" not in str(error):
            raise
        HardenedRepo.clone_from(url, str(into), env=env, bare=True, no_tags=True).close()


def refresh(repo: Repository, url: str | None = None, secret: Secret | None = None) -> None:
    """Fetch every branch and tag of the clone REPO and delete those that its origin lacks.

    A shallow clone gets no tags, which would fetch most of the history. SECRET is a token for URL,
    the origin's current address.
    """
    origin = _open_origin(repo, url, secret)
    listing = decode(origin.run("ls-remote", "--symref", "--", origin.url, "HEAD", "refs/heads/*"))
    if not _is_shallow(repo):
        origin.fetch("--prune", refs=[BRANCHES, TAGS])
    elif set(HEAD_LINE.findall(listing)) != {(b.commit, b.name) for b in repo.list_branches()}:
        origin.fetch("--prune", f"--depth={DEPTH}", refs=[BRANCHES])  # slow even if nothing is new
    if match := DEFAULT_LINE.search(listing):
        repo.command.run("symbolic-ref", "HEAD", match[1])


def fetch_ref(
    repo: Repository, ref: str, url: str | None = None, secret: Secret | None = None
) -> bool:
    """Fetch the tag or full commit id REF into the clone REPO; False if its origin lacks it.

    Nothing is fetched if the clone is complete or REF is another kind of revision.
    """
    if not _is_shallow(repo):
        return False
    name = ref.removeprefix("refs/tags/")
    if re.fullmatch(r"[0-9a-f]{40}", ref):
        refspec = f"{ref}:refs/dursor/base/{ref}"
    elif is_branch_name(repo.command, name):
        refspec = f"+refs/tags/{name}:refs/tags/{name}"
    else:
        return False
    origin = _open_origin(repo, url, secret)
    try:
        origin.fetch(f"--depth={DEPTH}", refs=[refspec])
    except InternalError:  # the origin lacks it
        return False
    return True


def _is_shallow(repo: Repository) -> bool:
    return (repo.common_dir / "shallow").exists()


def _open_origin(repo: Repository, url: str | None, secret: Secret | None) -> _Origin:
    origin = repo.read_origin_url()
    if not repo.is_bare or origin is None:
        raise UsageError(f"{repo.top} is not a clone by dursor", hint=f"git -C {repo.top} fetch")
    if secret is not None:
        check_private(repo.git_dir)
    return _Origin(repo.command, url or origin, secret)


def remove(path: Path, workspaces: Path) -> None:
    """Delete the clone PATH; UsageError if it is outside the WORKSPACES folder."""
    inside, outer = path.parent.resolve() / path.name, workspaces.resolve()
    if path.name in {"", ".."} or outer not in inside.parents:
        raise UsageError(f"{path} is not in {workspaces}")
    if inside.is_symlink() or not inside.exists():
        inside.unlink(missing_ok=True)
        return
    try:
        with open_staging(inside.parent, REMOVED) as staging:
            inside.rename(staging / "bare")  # a partly deleted repository must never be found
    except OSError as error:
        raise InternalError(f"cannot delete {path}: {error.strerror}") from error


@dataclass(frozen=True)
class _Origin:
    """The origin of a clone."""

    command: GitCommand
    url: str
    secret: Secret | None

    def run(self, *args: str) -> bytes:
        env = _build_env(self.url, self.secret)
        output = self.command.run_remote(self.url, *args, env=env, seconds=FETCH_SECONDS)
        if output.status != 0:
            raise _explain(output.err, self.url, self.secret)
        return output.out

    def fetch(self, *options: str, refs: Sequence[str]) -> None:
        self.run("fetch", *OPTIONS, *options, "--", self.url, *refs)


def _build_env(url: str, secret: Secret | None) -> dict[str, str]:
    scheme = check_url(url).scheme
    return build_network_env(scheme) if secret is None else build_authenticated_env(url, secret)


def _explain(stderr: str, url: str, secret: Secret | None) -> DursorError:
    if secret is None:
        return explain_remote(stderr, url)
    return explain_login(Redactor([secret]).clean(stderr), url)
