"""Read uncommitted changes of a working tree, as git would store them.

Git itself converts line endings and encodings. Filter drivers (git-lfs, git-crypt, or one that a
hostile repository plants) are never run: a changed file with a filter counts as unchanged, and so
do submodules and untracked files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.errors import InternalError, UsageError
from dursor.tree import SUBMODULE, FileState
from dursor.vcs.objects import ObjectReader
from dursor.vcs.private_git_dir import open_private_git_dir
from dursor.vcs.repository import require_id

if TYPE_CHECKING:
    from dursor.tree import Changes
    from dursor.vcs.private_git_dir import PrivateGitDir
    from dursor.vcs.repository import Repository


def read_changes(repo: Repository, commit: str) -> Changes:
    """Read the changes of tracked files of REPO since COMMIT (a full id)."""
    if repo.is_bare:
        raise UsageError(f"{repo.top} is bare and has no working tree", hint="remove --dirty")
    repo.resolve("HEAD")
    with open_private_git_dir(repo) as private:
        private.stage_working_tree()
        changes = private.diff("diff-index", "--cached", require_id(commit))
        kept = [c for c in changes if SUBMODULE not in {c.old_mode, c.mode} and c.status != "U"]
        contents = _read(private, [change.oid for change in kept if change.status != "D"])
    return {
        change.path: None if change.status == "D" else FileState(change.mode, contents[change.oid])
        for change in kept
    }


def _read(private: PrivateGitDir, oids: list[str]) -> dict[str, bytes]:
    reader = ObjectReader(private.command)
    try:
        objects = reader.read(oids)
    finally:
        reader.close()
    if None in objects:
        raise InternalError("cannot read the working tree", hint="git fsck")
    return {item.oid: item.data for item in objects if item}
