"""Create a branch and a commit in the user's repository, or undo them."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, PolicyError, UsageError
from dursor.vcs.apply.private_index import apply_to_index
from dursor.vcs.command import ANY, GitCommand, encode, find_reason, is_branch_name
from dursor.vcs.environment import build_commit_env
from dursor.vcs.private_git_dir import PrivateGitDir, RawChange, copy_index, parse_raw_diff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dursor.vcs.repository import Repository

HOOK_SECONDS = 900.0
IN_PROGRESS = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
}


@dataclass(frozen=True)
class CommitRequest:
    """A commit to create; git supplies the author."""

    message: str

    @property
    def subject(self) -> str:
        return self.message.strip().split("\n")[0].rstrip()


def check_state(repo: Repository) -> None:
    """Refuse to branch or commit during a merge or a similar operation."""
    for name, operation in IN_PROGRESS.items():
        if (repo.git_dir / name).exists():
            raise ConflictError(
                f"a {operation} is in progress in {repo.top}",
                hint=f"git {operation} --continue, or git {operation} --abort",
            )


def check_branch(repo: Repository, name: str) -> None:
    """Check that NAME is a valid name and not an existing branch."""
    if name.startswith("refs/") or not is_branch_name(repo.command, name):
        raise UsageError(f"{name!a} is not a valid branch name", hint="--branch my-branch")
    output = repo.command.run("show-ref", "--verify", "--quiet", f"refs/heads/{name}", ok=(0, 1))
    if output.status == 0:
        raise ConflictError(f"branch {name} already exists", hint=f"git switch {name}")


def check_commit(repo: Repository, request: CommitRequest) -> None:
    """Check what `git commit` would refuse before anything is written."""
    if not request.message.strip():
        raise UsageError("the commit message is empty")
    if (repo.git_dir / "index.lock").exists():
        raise ConflictError(
            f"another git process is running in {repo.top}", hint="try again when it has finished"
        )
    for ident in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        output = repo.command.run("-c", "user.useConfigOnly=true", "var", ident, ok=(0, 1, 128))
        if output.status != 0:
            raise UsageError(
                f"git does not know who you are: {find_reason(output.err)}",
                hint="git config --global user.name NAME && git config --global user.email MAIL",
            )


@contextmanager
def create_branch(repo: Repository, name: str, head: str) -> Iterator[None]:
    """Create branch NAME at HEAD and switch to it; undo both if the block fails."""
    run, ref = repo.command.run, f"refs/heads/{name}"
    before = repo.find_current_branch()
    output = run("update-ref", "-m", "branch: Created from HEAD", ref, head, "", ok=(0, 1, 128))
    if output.status != 0:
        raise ConflictError(
            f"cannot create branch {name}: {find_reason(output.err)}",
            hint="git branch --list, then another --branch NAME",
        )
    try:
        message = f"checkout: moving from {before or head} to {name}"
        run("symbolic-ref", "-m", message, "HEAD", ref)
        yield
    except BaseException:  # also undo for Ctrl-C
        leave_branch(repo, name, before, head)
        raise


def leave_branch(repo: Repository, name: str, before: str | None, head: str) -> None:
    """Switch from branch NAME back to BEFORE (None: detached at HEAD) and delete NAME."""
    run, ref = repo.command.run, f"refs/heads/{name}"
    if repo.find_current_branch() == name:
        if before:
            run("symbolic-ref", "-m", "dursor: undone", "HEAD", f"refs/heads/{before}")
        else:
            run("update-ref", "--no-deref", "-m", "dursor: undone", "HEAD", head)
    run("update-ref", "-d", ref, head, ok=(0, 1, 128))


def rehearse(private: PrivateGitDir, patch: bytes, head: str, *, three_way: bool) -> None:
    """Check that PATCH applies to HEAD alone and touches no staged changes."""
    staged = {change.path for change in private.diff("diff-index", "--cached", head)}
    for change in _apply_to_head(private, patch, head, three_way=three_way):
        if change.path in staged:
            raise ConflictError(
                f"{change.path} has staged changes",
                hint=f"git restore --staged -- {shlex.quote(change.path)}",
            )


def commit_patch(
    private: PrivateGitDir, patch: bytes, head: str, request: CommitRequest, *, three_way: bool
) -> str:
    """Commit HEAD with PATCH, using the user's hooks and identity, and return the new id."""
    repo = private.repo
    copy_index(repo, private.folder)
    objects = {"GIT_OBJECT_DIRECTORY": str(repo.common_dir / "objects"), **repo.alternates_env}
    if not _apply_to_head(private, patch, head, three_way=three_way, env=objects):
        raise ConflictError("this change is already committed", hint="git log")
    output = GitCommand(repo.top, hooks=True, environment=build_commit_env).run(
        *("commit", "--quiet", "--no-edit", "--cleanup=whitespace", "--file=-"),
        stdin=encode(request.message),
        ok=ANY,
        env={"GIT_INDEX_FILE": str(private.folder / "index")},
        seconds=HOOK_SECONDS,
    )
    if output.status != 0:
        raise PolicyError(
            f"git commit failed: {_find_last_line(output.err)}",
            hint="remove --commit, then git commit",
        )
    return repo.resolve("HEAD")


def update_index(repo: Repository, head: str, commit: str) -> None:
    """Record the changes of COMMIT in the user's index; other staged changes stay."""
    listing = repo.command.run(
        "diff-tree", "-r", "--raw", "-z", "--no-renames", "--no-abbrev", head, commit
    )
    changes = parse_raw_diff(listing.out)
    entries = "".join(f"{c.mode.lstrip('0') or '0'} {c.oid}\t{c.path}\0" for c in changes)
    output = repo.command.run(
        "update-index", "-z", "--index-info", stdin=encode(entries), ok=(0, 1, 128)
    )
    if output.status != 0:
        raise ConflictError(
            f"committed as {commit[:12]}, but the index is locked: {find_reason(output.err)}",
            hint="git reset",
        )
    repo.command.run("update-index", "-q", "--refresh", ok=(0, 1))


def _apply_to_head(
    private: PrivateGitDir,
    patch: bytes,
    head: str,
    *,
    three_way: bool,
    env: dict[str, str] | None = None,
) -> list[RawChange]:
    private.command.run("read-tree", "--reset", head)
    try:
        return apply_to_index(private, patch, three_way=three_way, base=head, env=env)
    except ConflictError as error:
        raise ConflictError(
            f"the change does not apply to the last commit alone: {error.message}",
            hint="git commit -a, or remove --commit",
        ) from error


def _find_last_line(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return (lines[-1] if lines else "a hook failed")[:300]
