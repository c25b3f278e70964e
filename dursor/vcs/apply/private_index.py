"""Apply a patch to a private index with git."""

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
    "already exists in index": "already exists",
    "does not exist in index": "no longer exists",
}
UNREADABLE = "corrupt patch|No valid patches|unrecognized input|without header|only garbage"


def apply_to_index(
    private: PrivateGitDir,
    patch: bytes,
    *,
    three_way: bool,
    base: str | None = None,
    env: Mapping[str, str] | None = None,
) -> list[RawChange]:
    """Apply PATCH to the index of PRIVATE and list the changes; ConflictError if it does not fit.

    BASE is the tree of the index, if known. THREE_WAY merges with later changes; a conflict is an
    error and never marked in the file.
    """
    run = private.command.run
    before = base or run("write-tree").out.decode("ascii").strip()
    merge = ("--3way",) if three_way else ()
    output = run(*APPLY, "--cached", *merge, stdin=patch, ok=(0, 1, 128), env=env)
    if output.status != 0:
        raise _explain_refusal(private, patch, output)
    changes = private.diff("diff-index", "--cached", before)
    for change in changes:
        if SUBMODULE in {change.old_mode, change.mode}:
            raise PolicyError(f"{change.path} is a submodule, which dursor does not change")
    return changes


def _explain_refusal(private: PrivateGitDir, patch: bytes, output: GitOutput) -> DursorError:
    """Return the error; the caller adds a hint where the files have changed."""
    unmerged = [c.path for c in private.diff("diff-files") if c.status == "U"]
    if unmerged:
        return ConflictError(f"{_join(unmerged)}: your uncommitted changes conflict with the patch")
    failures = re.findall(rf"^error: (.*): ({'|'.join(REASONS)})$", output.err, re.MULTILINE)
    if not failures:
        return _explain_invalid(output.err)
    if private.command.run(*APPLY, "--check", "-R", stdin=patch, ok=(0, 1, 128)).status == 0:
        return ConflictError("this change is already applied", hint="git diff")
    paths = [path for path, reason in failures if reason == failures[0][1]]
    return ConflictError(f"{_join(paths)} {REASONS[failures[0][1]]}")


def _explain_invalid(stderr: str) -> DursorError:
    if re.search(UNREADABLE, stderr):
        return ApplyFailedError(f"git cannot read the patch: {find_reason(stderr)}")
    if "invalid path" in stderr:
        return PolicyError(f"the patch leaves the repository: {find_reason(stderr)}")
    if "cannot be used together" in stderr:
        return UsageError("--3way needs git 2.32 or newer", hint="remove --3way")
    if "fatal: " in stderr:
        return explain("apply", stderr)
    return ConflictError(f"the patch does not fit: {find_reason(stderr)}", hint="git status")


def _join(paths: list[str]) -> str:
    unique = list(dict.fromkeys(paths))
    more = f" and {len(unique) - 3} more" if len(unique) > 3 else ""
    return ", ".join(unique[:3]) + more
