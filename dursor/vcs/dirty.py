"""The uncommitted state of a working tree, as git would store it.

Line endings and encodings are converted by git itself. Filter drivers (git-lfs, git-crypt, or one
that a hostile repository plants) are never run: a changed file under one counts as unchanged.
Submodules count as unchanged too; untracked files do not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.errors import InternalError, UsageError
from dursor.tree import SUBMODULE, FileState
from dursor.vcs.objects import ObjectReader
from dursor.vcs.private_git_dir import open_private_git_dir
from dursor.vcs.repository import checked

if TYPE_CHECKING:
    from dursor.tree import Changes
    from dursor.vcs.private_git_dir import PrivateGitDir
    from dursor.vcs.repository import Repository


def read_changes(repo: Repository, commit: str) -> Changes:
    """Find what tracked files of REPO hold now that they do not in COMMIT (a full id)."""
    if repo.is_bare:
        raise UsageError(f"{repo.top} is bare: it has no working tree", hint="leave out --dirty")
    repo.resolve("HEAD")
    with open_private_git_dir(repo) as private:
        private.take_working_tree()
        changes = private.diff("diff-index", "--cached", checked(commit))
        kept = [c for c in changes if SUBMODULE not in {c.old_mode, c.mode} and c.status != "U"]
        found = _read(private, [change.oid for change in kept if change.status != "D"])
    return {
        change.path: None if change.status == "D" else FileState(change.mode, found[change.oid])
        for change in kept
    }


def _read(private: PrivateGitDir, oids: list[str]) -> dict[str, bytes]:
    reader = ObjectReader(private.command)
    try:
        found = reader.read(oids)
    finally:
        reader.close()
    if None in found:
        raise InternalError("the working tree could not be read", hint="git fsck")
    return {item.oid: item.data for item in found if item}
