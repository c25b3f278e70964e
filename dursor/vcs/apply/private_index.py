"""Apply a patch to a private index: git decides, nothing else is touched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.errors import ApplyFailedError, ConflictError, DursorError, PolicyError, UsageError
from dursor.tree import SUBMODULE
from dursor.vcs.command import GitOutput, explain, find_reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.vcs.private_git_dir import PrivateGitDir, RawChange

APPLY = ("-c", "apply.ignoreWhitespace=no", "apply", "-p1", "--whitespace=nowarn")
REASONS = {
    "patch does not apply": "has changed since: the patch no longer applies",
    "already exists in index": "is already there",
    "does not exist in index": "is not there any more",
}
UNREADABLE = "corrupt patch|No valid patches|unrecognized input|without header|only garbage"


def place(
    private: PrivateGitDir,
    patch: bytes,
    *,
    three_way: bool,
    base: str | None = None,
    env: Mapping[str, str] | None = None,
) -> list[RawChange]:
    """Apply PATCH to the index of PRIVATE and list what that changes; ConflictError if it cannot.

    BASE is the tree the index holds, when that is known. THREE_WAY merges with what has changed
    since; a conflict is refused, never marked.
    """
    run = private.command.run
    before = base or run("write-tree").out.decode("ascii").strip()
    merge = ("--3way",) if three_way else ()
    output = run(*APPLY, "--cached", *merge, stdin=patch, ok=(0, 1, 128), env=env)
    if output.status != 0:
        raise _refusal(private, patch, output)
    changes = private.diff("diff-index", "--cached", before)
    for change in changes:
        if SUBMODULE in {change.old_mode, change.mode}:
            raise PolicyError(f"{change.path} is a submodule: its commit is not dursor's to change")
    return changes


def _refusal(private: PrivateGitDir, patch: bytes, output: GitOutput) -> DursorError:
    """Choose the error; whoever asked knows what to advise when the files have moved on."""
    unmerged = [c.path for c in private.diff("diff-files") if c.status == "U"]
    if unmerged:
        return ConflictError(
            f"{_listed(unmerged)}: your changes and the patch meet in the same lines"
        )
    found = re.findall(rf"^error: (.*): ({'|'.join(REASONS)})$", output.err, re.MULTILINE)
    if not found:
        return _oddity(output.err)
    if private.command.run(*APPLY, "--check", "-R", stdin=patch, ok=(0, 1, 128)).status == 0:
        return ConflictError("this change is already there", hint="git diff")
    paths = [path for path, reason in found if reason == found[0][1]]
    return ConflictError(f"{_listed(paths)} {REASONS[found[0][1]]}")


def _oddity(stderr: str) -> DursorError:
    """Choose the error for a patch that is wrong in itself."""
    if re.search(UNREADABLE, stderr):
        return ApplyFailedError(f"git cannot read the patch: {find_reason(stderr)}")
    if "invalid path" in stderr:
        return PolicyError(f"the patch leaves the repository: {find_reason(stderr)}")
    if "cannot be used together" in stderr:
        return UsageError("--3way needs git 2.32 or newer", hint="leave out --3way")
    if "fatal: " in stderr:
        return explain("apply", stderr)
    return ConflictError(f"the patch does not fit: {find_reason(stderr)}", hint="git status")


def _listed(paths: list[str]) -> str:
    unique = list(dict.fromkeys(paths))
    more = f" and {len(unique) - 3} more" if len(unique) > 3 else ""
    return ", ".join(unique[:3]) + more
