"""A private git directory over somebody's working tree.

It has its own index, objects and configuration and reads the repository's objects. Whatever
git does through it, the repository's own index, objects and references stay as they are, and what
its local configuration plants (filters, merge drivers, fsmonitor, hooks) is not even read.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from dursor.tree import SUBMODULE
from dursor.vcs.command import GitCommand, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dursor.vcs.repository import Repository

# Settings that say how a file becomes a blob and a blob a file; they are data, not commands.
CONVERSION = (
    "autocrlf",
    "eol",
    "filemode",
    "symlinks",
    "ignorecase",
    "precomposeunicode",
    "protecthfs",
    "protectntfs",
    "attributesfile",
    "longpaths",
    "bigfilethreshold",
)
ABSENT = "000000"
FIXED = "\tsafecrlf = false\n\tsplitIndex = false\n[index]\n\tsparse = false\n"
NO_DRIVERS = b"\n* -filter !merge\n"


class RawChange(NamedTuple):
    """One line of git's raw diff; an all-zero `oid` stands for what is in the working tree."""

    path: str
    old_mode: str
    mode: str
    old_oid: str
    oid: str
    status: str


class PrivateGitDir:
    """Runs git with the private directory over the working tree of REPO."""

    def __init__(self, repo: Repository, folder: Path) -> None:
        self.repo = repo
        self.folder = folder
        self.command = GitCommand(repo.top)
        self.command.update_environment(GIT_DIR=str(folder), GIT_WORK_TREE=str(repo.top))

    def show_hidden(self) -> None:
        """Make edits count that `update-index` was told to overlook, lest they be written over."""
        output = self.command.run("ls-files", "-v", "-z")
        records = [decode(record) for record in output.out.split(b"\0")[:-1]]
        assumed = [record[2:] for record in records if record[0].islower()]
        skipped = [
            r[2:] for r in records if r[0] in "Ss" and os.path.lexists(self.repo.top / r[2:])
        ]
        for flag, paths in (("assume-unchanged", assumed), ("skip-worktree", skipped)):
            if paths:
                self.command.run(
                    "update-index", f"--no-{flag}", "-z", "--stdin", stdin=lines(paths)
                )

    def take_working_tree(self) -> None:
        """Record what tracked files hold now; a file that a filter converts stays as it is."""
        changes = [c for c in self.diff("diff-files") if c.old_mode != SUBMODULE]
        gone = {c.path for c in changes if c.status == "D" or c.mode in {SUBMODULE, ABSENT}}
        changed = dict.fromkeys(c.path for c in changes if c.path not in gone)
        filtered = set(self.filtered(changed))
        if gone:
            self.command.run("update-index", "--force-remove", "-z", "--stdin", stdin=lines(gone))
        rest = [path for path in changed if path not in filtered]
        if rest:
            self.command.run("update-index", "-z", "--stdin", stdin=lines(rest))

    def diff(self, name: str, *args: str) -> list[RawChange]:
        """Run the raw diff NAME: `diff-files` (submodules left out) or `diff-index --cached`."""
        ignore = "all" if name == "diff-files" else "none"
        output = self.command.run(
            *(name, "--raw", "-z", "--no-renames", "--no-abbrev"),
            f"--ignore-submodules={ignore}",
            *args,
        )
        return raw_changes(output.out)

    def filtered(self, paths: Iterable[str]) -> list[str]:
        """Pick those of PATHS that the repository puts through a filter driver."""
        asked = lines(paths)
        if not asked:
            return []
        output = self.repo.command.run("check-attr", "-z", "--stdin", "filter", stdin=asked)
        fields = decode(output.out).split("\0")[:-1]
        plain = {"unspecified", "unset", "set"}
        return [fields[n] for n in range(0, len(fields), 3) if fields[n + 2] not in plain]


@contextmanager
def open_private_git_dir(repo: Repository) -> Iterator[PrivateGitDir]:
    """Make a private git directory beside REPO, gone at the end."""
    with TemporaryDirectory(prefix="dursor-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for part in ("refs", "objects/info", "info"):
            (folder / part).mkdir(parents=True)
        (folder / "HEAD").write_bytes(b"ref: refs/heads/none\n")
        (folder / "objects/info/alternates").write_bytes(encode(list_alternates(repo)))
        (folder / "config").write_bytes(encode(_config(repo)))
        (folder / "info/attributes").write_bytes(_attributes(repo) + NO_DRIVERS)
        copy_index(repo, folder)
        yield PrivateGitDir(repo, folder)


def copy_index(repo: Repository, folder: Path) -> None:
    """Copy the index of REPO, and what a split one refers to, into FOLDER.

    With the time of writing: git looks into files that are as young as the index, and only those.
    """
    for source in (repo.git_dir / "index", *repo.git_dir.glob("sharedindex.*")):
        if source.is_file():
            written, copy = source.stat(), folder / source.name
            shutil.copyfile(source, copy)
            os.utime(copy, ns=(written.st_atime_ns, written.st_mtime_ns))


def lines(paths: Iterable[str]) -> bytes:
    """Write PATHS as git's `-z --stdin` reads them."""
    return b"".join(encode(path) + b"\0" for path in paths)


def raw_changes(listing: bytes) -> list[RawChange]:
    """Read what git's raw diffs print with `-z`."""
    fields = listing.split(b"\0")[:-1]
    return [_raw_change(fields[n], fields[n + 1]) for n in range(0, len(fields), 2)]


def _raw_change(facts: bytes, path: bytes) -> RawChange:
    old_mode, mode, old_oid, oid, status = facts[1:].decode("ascii").split()
    return RawChange(decode(path), old_mode, mode, old_oid, oid, status)


def _config(repo: Repository) -> str:
    names = "|".join(CONVERSION)
    pattern = rf"^(core\.({names})|extensions\.objectformat)$"
    output = repo.command.run("config", "-z", "--get-regexp", pattern, ok=(0, 1))
    text = "[core]\n\trepositoryformatversion = 1\n\tbare = false\n" + FIXED
    for item in decode(output.out).split("\0")[:-1]:
        key, _, value = item.partition("\n")
        section, _, name = key.partition(".")
        text += f"[{section}]\n\t{name} = {quoted(value if _ else 'true')}\n"
    return text


def _attributes(repo: Repository) -> bytes:
    try:
        return (repo.common_dir / "info/attributes").read_bytes()
    except OSError:
        return b""


def list_alternates(repo: Repository) -> str:
    """List where the objects of REPO lie, as git reads such a list."""
    places = (repo.common_dir / "objects", *repo.alternates)
    return "".join(quoted(str(place)) + "\n" for place in places)


def quoted(text: str) -> str:
    """Write TEXT in the quotes of git's configuration."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
