"""A private git directory for the working tree of a repository.

It has its own index, objects and configuration and reads the repository's objects. The
repository's index, objects and references never change, and its local configuration (filters,
merge drivers, fsmonitor, hooks) is not read.
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

# Settings that control the conversion between files and blobs; none of them is a command.
CONVERSION = (
    *("autocrlf", "eol", "filemode", "symlinks", "ignorecase", "precomposeunicode"),
    *("protecthfs", "protectntfs", "attributesfile", "longpaths", "bigfilethreshold"),
)
ABSENT = "000000"
FIXED = "\tsafecrlf = false\n\tsplitIndex = false\n[index]\n\tsparse = false\n"
NO_DRIVERS = b"\n* -filter !merge\n"


class RawChange(NamedTuple):
    """One line of git's raw diff; an all-zero `oid` means the file in the working tree."""

    path: str
    old_mode: str
    mode: str
    old_oid: str
    oid: str
    status: str


class PrivateGitDir:
    """Runs git with the private directory FOLDER and the working tree of REPO."""

    def __init__(self, repo: Repository, folder: Path) -> None:
        self.repo = repo
        self.folder = folder
        self.command = GitCommand(repo.top)
        self.command.update_environment(GIT_DIR=str(folder), GIT_WORK_TREE=str(repo.top))

    def clear_hidden_flags(self) -> None:
        """Clear `assume-unchanged` and `skip-worktree`, so that no hidden edit is overwritten."""
        output = self.command.run("ls-files", "-v", "-z")
        records = [decode(record) for record in output.out.split(b"\0")[:-1]]
        assumed = [record[2:] for record in records if record[0].islower()]
        skipped = [
            r[2:] for r in records if r[0] in "Ss" and os.path.lexists(self.repo.top / r[2:])
        ]
        for flag, paths in (("assume-unchanged", assumed), ("skip-worktree", skipped)):
            if paths:
                self.command.run(
                    "update-index", f"--no-{flag}", "-z", "--stdin", stdin=encode_paths(paths)
                )

    def stage_working_tree(self) -> None:
        """Add the tracked files to the index, except those with a filter."""
        changes = [c for c in self.diff("diff-files") if c.old_mode != SUBMODULE]
        gone = {c.path for c in changes if c.status == "D" or c.mode in {SUBMODULE, ABSENT}}
        changed = dict.fromkeys(c.path for c in changes if c.path not in gone)
        filtered = set(self.list_filtered(changed))
        if gone:
            self.command.run(
                "update-index", "--force-remove", "-z", "--stdin", stdin=encode_paths(gone)
            )
        rest = [path for path in changed if path not in filtered]
        if rest:
            self.command.run("update-index", "-z", "--stdin", stdin=encode_paths(rest))

    def diff(self, name: str, *args: str) -> list[RawChange]:
        """Run the raw diff NAME: `diff-files` (submodules left out) or `diff-index --cached`."""
        ignore = "all" if name == "diff-files" else "none"
        output = self.command.run(
            *(name, "--raw", "-z", "--no-renames", "--no-abbrev"),
            f"--ignore-submodules={ignore}",
            *args,
        )
        return parse_raw_diff(output.out)

    def list_filtered(self, paths: Iterable[str]) -> list[str]:
        """List those of PATHS that have a filter driver."""
        stdin = encode_paths(paths)
        if not stdin:
            return []
        output = self.repo.command.run("check-attr", "-z", "--stdin", "filter", stdin=stdin)
        fields = decode(output.out).split("\0")[:-1]
        plain = {"unspecified", "unset", "set"}
        return [fields[n] for n in range(0, len(fields), 3) if fields[n + 2] not in plain]


@contextmanager
def open_private_git_dir(repo: Repository) -> Iterator[PrivateGitDir]:
    """Create a private git directory for REPO and delete it afterwards."""
    with TemporaryDirectory(prefix="dursor-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for part in ("refs", "objects/info", "info"):
            (folder / part).mkdir(parents=True)
        (folder / "HEAD").write_bytes(b"ref: refs/heads/none\n")
        (folder / "objects/info/alternates").write_bytes(encode(list_alternates(repo)))
        (folder / "config").write_bytes(encode(_build_config(repo)))
        (folder / "info/attributes").write_bytes(_read_attributes(repo) + NO_DRIVERS)
        copy_index(repo, folder)
        yield PrivateGitDir(repo, folder)


def copy_index(repo: Repository, folder: Path) -> None:
    """Copy the index of REPO, and the shared parts of a split one, into FOLDER.

    The modification time is copied, too: git only reads files that are as new as the index.
    """
    for source in (repo.git_dir / "index", *repo.git_dir.glob("sharedindex.*")):
        if source.is_file():
            status, copy = source.stat(), folder / source.name
            shutil.copyfile(source, copy)
            os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))


def encode_paths(paths: Iterable[str]) -> bytes:
    """Encode PATHS for git's `-z --stdin`."""
    return b"".join(encode(path) + b"\0" for path in paths)


def parse_raw_diff(listing: bytes) -> list[RawChange]:
    """Parse a raw diff that git printed with `-z`."""
    fields = listing.split(b"\0")[:-1]
    return [_raw_change(fields[n], fields[n + 1]) for n in range(0, len(fields), 2)]


def _raw_change(facts: bytes, path: bytes) -> RawChange:
    old_mode, mode, old_oid, oid, status = facts[1:].decode("ascii").split()
    return RawChange(decode(path), old_mode, mode, old_oid, oid, status)


def _build_config(repo: Repository) -> str:
    names = "|".join(CONVERSION)
    pattern = rf"^(core\.({names})|extensions\.objectformat)$"
    output = repo.command.run("config", "-z", "--get-regexp", pattern, ok=(0, 1))
    text = "[core]\n\trepositoryformatversion = 1\n\tbare = false\n" + FIXED
    for item in decode(output.out).split("\0")[:-1]:
        key, _, value = item.partition("\n")
        section, _, name = key.partition(".")
        text += f"[{section}]\n\t{name} = {_quote(value if _ else 'true')}\n"
    return text


def _read_attributes(repo: Repository) -> bytes:
    try:
        return (repo.common_dir / "info/attributes").read_bytes()
    except OSError:
        return b""


def list_alternates(repo: Repository) -> str:
    """Return the object folders of REPO in the format of git's alternates file."""
    folders = (repo.common_dir / "objects", *repo.alternates)
    return "".join(_quote(str(folder)) + "\n" for folder in folders)


def _quote(text: str) -> str:
    """Quote TEXT for git's configuration."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
