"""The private bare repository beside a registered one: where git runs with a token.

It borrows the objects of the repository it belongs to and reads nothing else of it: whatever a
hostile configuration, hook or attribute is planted there never meets a token. What is fetched, and
the commits that are made to be pushed, lie here and not in the user's repository.
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
from dursor.vcs.objects import ObjectReader
from dursor.vcs.private_git_dir import list_alternates
from dursor.vcs.remote.credential import BARE, check_private
from dursor.vcs.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.vcs.objects import CommitTree

TIPS = 50
TIP, KEPT = "refs/dursor/tip/", "refs/dursor/kept/"
TRAILER = re.compile(r"([A-Za-z][A-Za-z0-9-]*): (.*)")


@dataclass(frozen=True)
class CommitInfo:
    """What a commit says of itself; of trailers with one name, the last."""

    id: str
    tree: str
    parents: tuple[str, ...]
    author: str  # NAME <MAIL>
    message: str
    trailers: Mapping[str, str]


class Mirror:
    """A repository of dursor's own; see the module."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.command = repository.command
        self.objects = repository.git_dir / "objects"
        self._reader = ObjectReader(self.command)

    @classmethod
    def open(cls, folder: Path, repo: Repository) -> Mirror:
        """Open the mirror of REPO in FOLDER, made when it is missing.

        ConflictError when REPO has no objects that GitHub could hold, PolicyError when the folder
        is not this user's alone.
        """
        if not folder.is_dir():
            _make(folder)
        check_private(folder)
        _bring(folder / "objects/info/alternates", encode(list_alternates(repo)))
        _bring(folder / "shallow", _content(repo.common_dir / "shallow"))  # where history ends
        with ExitStack() as stack:
            mirror = cls(_opened(folder))
            stack.callback(mirror.close)
            mirror._mark_tips(_tips(repo))
            stack.pop_all()
        return mirror

    def close(self) -> None:
        """End the processes that read."""
        self._reader.close()
        self.repository.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def has(self, commit: str) -> bool:
        """Tell whether COMMIT is here, or in the repository this belongs to."""
        return self._read(commit) is not None

    def tree(self, commit: str) -> CommitTree:
        """Open the files of COMMIT."""
        return self.repository.tree(commit)

    def tree_id(self, commit: str) -> str:
        """Name the tree of COMMIT: equal trees have equal names."""
        return self.commit(commit).tree

    def commit(self, commit: str) -> CommitInfo:
        """Read COMMIT (a whole id); NotFoundError when it is not here."""
        data = self._read(commit)
        if data is None:
            raise NotFoundError(f"no commit {commit[:40]!a} is here", hint="git fetch")
        return _read_commit(commit, decode(data))

    def _read(self, commit: str) -> bytes | None:
        if not re.fullmatch(r"[0-9a-f]{40}", commit):
            return None
        (found,) = self._reader.read([commit])
        return found.data if found and found.kind == "commit" else None

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Tell whether the history of NEWER holds OLDER."""
        output = self.command.run("merge-base", "--is-ancestor", older, newer, ok=(0, 1))
        return output.status == 0

    def keep(self, commit: str) -> None:
        """Hold on to COMMIT."""
        if not (self.repository.git_dir / KEPT / commit).exists():
            self.command.run("update-ref", f"{KEPT}{commit}", commit)

    def _mark_tips(self, tips: set[str]) -> None:
        """Point at what the other repository has, so that git fetches only what is new."""
        folder = self.repository.git_dir / TIP  # nobody packs references here
        names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
        marked = {name for name in names if len(name) == 40}  # no lock of another process
        lines = [f"delete {TIP}{one}\n" for one in marked - tips]
        lines += [f"update {TIP}{one} {one}\n" for one in tips - marked]
        if lines:
            self.command.run("update-ref", "--stdin", stdin=encode("".join(lines)), ok=(0, 128))


def _make(folder: Path) -> None:
    """Make an empty repository in FOLDER, which appears only when it is whole."""
    make_private_dir(folder.parent)
    with TemporaryDirectory(prefix=".new-", dir=folder.parent) as waiting:
        whole = Path(waiting) / "bare"
        try:
            for part in ("objects/info", "refs", "info"):
                (whole / part).mkdir(parents=True)
            whole.chmod(0o700)
            (whole / "HEAD").write_bytes(b"ref: refs/heads/none\n")
            (whole / "config").write_bytes(BARE)
            whole.rename(folder)
        except OSError as error:
            if not folder.is_dir():  # else another process was faster
                raise InternalError(f"cannot make {folder}: {error.strerror}") from error


def _opened(folder: Path) -> Repository:
    try:
        return Repository.open(folder)
    except UsageError as error:
        raise InternalError(
            f"{folder} is damaged", hint=f"rm -r {shlex.quote(str(folder))}  (it is made anew)"
        ) from error


def _bring(path: Path, wanted: bytes) -> None:
    """Make the file PATH hold what is WANTED; without that, there is no file."""
    if _content(path) == wanted:
        return
    if wanted:
        replace_file(path, wanted)
    else:
        path.unlink(missing_ok=True)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _tips(repo: Repository) -> set[str]:
    """List the newest commits that branches, remote ones too, stand at."""
    listing = repo.command.run(
        *("for-each-ref", "--sort=-committerdate", f"--count={TIPS}", "--format=%(objectname)"),
        *("refs/heads/", "refs/remotes/"),
        ok=(0, 128),
    )
    if listing.status and "missing object" not in listing.err:
        raise explain("for-each-ref", listing.err)  # else git only fetches more than it must
    tips = set(decode(listing.out).split())
    if any(len(one) != 40 for one in tips):
        raise ConflictError(
            f"{repo.top} names its objects by SHA-256, which GitHub does not take",
            hint="git init --object-format=sha1",
        )
    return tips


def _read_commit(commit: str, text: str) -> CommitInfo:
    head, _, message = text.partition("\n\n")
    fields = [line.partition(" ") for line in head.split("\n")]
    parents = tuple(value for name, _, value in fields if name == "parent")
    named = {name: value for name, _, value in reversed(fields)}
    last = message.rstrip("\n").rpartition("\n\n")[2].split("\n")
    matches = [TRAILER.fullmatch(line) for line in last]
    trailers = {match[1]: match[2] for match in matches if match}
    author = named["author"].rpartition("> ")[0] + ">"
    return CommitInfo(commit, named["tree"], parents, author, message, trailers)
