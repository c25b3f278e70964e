"""The private bare mirror of a registered repository, in which git runs with a token.

It reads the objects of the repository and nothing else, so that no hostile configuration, hook or
attribute can see the token. Fetched commits and new commits for a push are stored in the mirror,
not in the user's repository.
"""

from __future__ import annotations

import re
import shlex
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

from dursor.errors import ConflictError, InternalError, NotFoundError, UsageError
from dursor.files import make_private_dir, replace_file
from dursor.vcs.command import decode, encode, explain
from dursor.vcs.private_git_dir import list_alternates
from dursor.vcs.remote.credential import BARE, check_private
from dursor.vcs.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.vcs.objects import CommitTree

TIPS = 50
TIP_REFS, KEPT_REFS = "refs/dursor/tip/", "refs/dursor/kept/"
TRAILER = re.compile(r"([A-Za-z][A-Za-z0-9-]*): (.*)")


@dataclass(frozen=True)
class CommitInfo:
    """A commit; of several trailers with the same name, the last."""

    id: str
    tree: str
    parents: tuple[str, ...]
    author: str  # NAME <MAIL>
    message: str
    trailers: Mapping[str, str]


class Mirror:
    """Dursor's own repository for fetches and pushes; see the module."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.command = repository.command
        self.objects = repository.git_dir / "objects"

    @classmethod
    def open(cls, folder: Path, repo: Repository) -> Mirror:
        """Open the mirror of REPO in FOLDER; it is created if it is missing.

        ConflictError if GitHub cannot store REPO's objects, PolicyError if the folder is not
        private.
        """
        if not folder.is_dir():
            _create(folder)
        check_private(folder)
        _update_file(folder / "objects/info/alternates", encode(list_alternates(repo)))
        _update_file(folder / "shallow", _read_file(repo.common_dir / "shallow"))
        with ExitStack() as stack:
            mirror = cls(_open_repository(folder))
            stack.callback(mirror.close)
            mirror._mark_tips(_list_tips(repo))
            stack.pop_all()
        return mirror

    def close(self) -> None:
        """Stop the reading processes."""
        self.repository.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def has(self, commit: str) -> bool:
        """Check whether the mirror or its repository has COMMIT."""
        return self._read(commit) is not None

    def tree(self, commit: str) -> CommitTree:
        return self.repository.tree(commit)

    def tree_id(self, commit: str) -> str:
        return self.commit(commit).tree

    def commit(self, commit: str) -> CommitInfo:
        """Read COMMIT (a full id); NotFoundError if it does not exist."""
        data = self._read(commit)
        if data is None:
            raise NotFoundError(f"commit {commit[:40]!a} does not exist", hint="git fetch")
        return _parse_commit(commit, decode(data))

    def _read(self, commit: str) -> bytes | None:
        if not re.fullmatch(r"[0-9a-f]{40}", commit):
            return None
        (item,) = self.repository.reader.read([commit])
        return item.data if item and item.kind == "commit" else None

    def is_ancestor(self, older: str, newer: str) -> bool:
        output = self.command.run("merge-base", "--is-ancestor", older, newer, ok=(0, 1))
        return output.status == 0

    def keep(self, commit: str) -> None:
        """Protect COMMIT from garbage collection."""
        if not (self.repository.git_dir / KEPT_REFS / commit).exists():
            self.command.run("update-ref", f"{KEPT_REFS}{commit}", commit)

    def _mark_tips(self, tips: set[str]) -> None:
        """Add references to the repository's TIPS, so that git only fetches new commits."""
        folder = self.repository.git_dir / TIP_REFS  # references are never packed here
        names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
        marked = {name for name in names if len(name) == 40}  # not a lock of another process
        lines = [f"delete {TIP_REFS}{tip}\n" for tip in marked - tips]
        lines += [f"update {TIP_REFS}{tip} {tip}\n" for tip in tips - marked]
        if lines:
            self.command.run("update-ref", "--stdin", stdin=encode("".join(lines)), ok=(0, 128))


def _create(folder: Path) -> None:
    """Create an empty repository in FOLDER, which only appears when it is complete."""
    make_private_dir(folder.parent)
    with TemporaryDirectory(prefix=".new-", dir=folder.parent) as staging:
        bare = Path(staging) / "bare"
        try:
            for part in ("objects/info", "refs", "info"):
                (bare / part).mkdir(parents=True)
            bare.chmod(0o700)
            (bare / "HEAD").write_bytes(b"ref: refs/heads/none\n")
            (bare / "config").write_bytes(BARE)
            bare.rename(folder)
        except OSError as error:
            if not folder.is_dir():  # otherwise another process was faster
                raise InternalError(f"cannot create {folder}: {error.strerror}") from error


def _open_repository(folder: Path) -> Repository:
    try:
        return Repository.open(folder)
    except UsageError as error:
        raise InternalError(
            f"{folder} is damaged and can be deleted", hint=f"rm -r {shlex.quote(str(folder))}"
        ) from error


def _update_file(path: Path, data: bytes) -> None:
    """Write DATA to PATH, or delete PATH if DATA is empty."""
    if not data:
        path.unlink(missing_ok=True)
    elif _read_file(path) != data:
        replace_file(path, data)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _list_tips(repo: Repository) -> set[str]:
    """List the newest commits of local and remote branches."""
    listing = repo.command.run(
        *("for-each-ref", "--sort=-committerdate", f"--count={TIPS}", "--format=%(objectname)"),
        *("refs/heads/", "refs/remotes/"),
        ok=(0, 128),
    )
    if listing.status and "missing object" not in listing.err:
        raise explain("for-each-ref", listing.err)  # otherwise git only fetches too much
    tips = set(decode(listing.out).split())
    if any(len(tip) != 40 for tip in tips):
        raise ConflictError(
            f"{repo.top} uses SHA-256 object ids, which GitHub does not support",
            hint="git init --object-format=sha1",
        )
    return tips


def _parse_commit(commit: str, text: str) -> CommitInfo:
    head, _, message = text.partition("\n\n")
    fields = [line.partition(" ") for line in head.split("\n")]
    parents = tuple(value for name, _, value in fields if name == "parent")
    values = {name: value for name, _, value in reversed(fields)}
    last = message.rstrip("\n").rpartition("\n\n")[2].split("\n")
    matches = [TRAILER.fullmatch(line) for line in last]
    trailers = {match[1]: match[2] for match in matches if match}
    author = values["author"].rpartition("> ")[0] + ">"
    return CommitInfo(commit, values["tree"], parents, author, message, trailers)
