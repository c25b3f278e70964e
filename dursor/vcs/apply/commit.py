"""Branch and commit in the user's repository, undone when the rest of an apply fails."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, PolicyError, UsageError
from dursor.vcs.apply.private_index import place
from dursor.vcs.branchnames import is_branch_name
from dursor.vcs.command import ANY, GitCommand, encode, find_reason
from dursor.vcs.environment import build_commit_env
from dursor.vcs.private_git_dir import PrivateGitDir, RawChange, copy_index, raw_changes

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
    """What to commit a patch with; the author is who git says the user is."""

    message: str

    @property
    def subject(self) -> str:
        """The first line."""
        return self.message.strip().split("\n")[0].rstrip()


def check_state(repo: Repository) -> None:
    """Refuse to branch or commit while git is in the middle of something."""
    for name, what in IN_PROGRESS.items():
        if (repo.git_dir / name).exists():
            raise ConflictError(
                f"a {what} is in progress in {repo.top}",
                hint=f"git {what} --continue, or git {what} --abort",
            )


def check_branch(repo: Repository, name: str) -> None:
    """Refuse a NAME that git would not take, or that is taken."""
    if name.startswith("refs/") or not is_branch_name(repo.command, name):
        raise UsageError(f"not a branch name: {name!a}", hint="--branch my-branch")
    if (
        repo.command.run("show-ref", "--verify", "--quiet", f"refs/heads/{name}", ok=(0, 1)).status
        == 0
    ):
        raise ConflictError(f"branch {name} is already there", hint=f"git switch {name}")


def check_commit(repo: Repository, request: CommitRequest) -> None:
    """Refuse what `git commit` would refuse, before anything is written."""
    if not request.message.strip():
        raise UsageError("the commit message is empty")
    if (repo.git_dir / "index.lock").exists():
        raise ConflictError(
            f"another git process is at work in {repo.top}", hint="try again when it is done"
        )
    for ident in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        output = repo.command.run("-c", "user.useConfigOnly=true", "var", ident, ok=(0, 1, 128))
        if output.status != 0:
            raise UsageError(
                f"git does not know who you are: {find_reason(output.err)}",
                hint="git config --global user.name NAME && git config --global user.email MAIL",
            )


@contextmanager
def on_branch(repo: Repository, name: str, head: str) -> Iterator[None]:
    """Create branch NAME at HEAD and stand on it; leave again when the block fails."""
    run, ref = repo.command.run, f"refs/heads/{name}"
    before = repo.find_current_branch()
    output = run("update-ref", "-m", "branch: Created from HEAD", ref, head, "", ok=(0, 1, 128))
    if output.status != 0:
        raise ConflictError(
            f"branch {name} cannot be made: {find_reason(output.err)}",
            hint="git branch --list, then another --branch NAME",
        )
    try:
        message = f"checkout: moving from {before or head} to {name}"
        run("symbolic-ref", "-m", message, "HEAD", ref)
        yield
    except BaseException:  # Ctrl-C, too, leaves the user's branches as they were
        leave(repo, name, before, head)
        raise


def leave(repo: Repository, name: str, before: str | None, head: str) -> None:
    """Go back from the new branch NAME to branch BEFORE (None: to commit HEAD), and delete NAME."""
    run, ref = repo.command.run, f"refs/heads/{name}"
    if repo.find_current_branch() == name:
        if before:
            run("symbolic-ref", "-m", "dursor: undone", "HEAD", f"refs/heads/{before}")
        else:
            run("update-ref", "--no-deref", "-m", "dursor: undone", "HEAD", head)
    run("update-ref", "-d", ref, head, ok=(0, 1, 128))


def rehearse(private: PrivateGitDir, patch: bytes, head: str, *, three_way: bool) -> None:
    """Try PATCH on HEAD itself: the commit holds it and nothing else of the user's."""
    staged = {change.path for change in private.diff("diff-index", "--cached", head)}
    for change in _place_on_head(private, patch, head, three_way=three_way):
        if change.path in staged:
            raise ConflictError(
                f"{change.path} has staged changes of yours",
                hint=f"git restore --staged -- {shlex.quote(change.path)}",
            )


def commit(
    private: PrivateGitDir, patch: bytes, head: str, request: CommitRequest, *, three_way: bool
) -> str:
    """Commit HEAD with PATCH, by the user's hooks and identity; the working tree has it already."""
    repo = private.repo
    copy_index(repo, private.folder)
    objects = {"GIT_OBJECT_DIRECTORY": str(repo.common_dir / "objects"), **repo.alternates_env}
    if not _place_on_head(private, patch, head, three_way=three_way, env=objects):
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
            f"git commit was refused: {_last_line(output.err)}",
            hint="leave out --commit, then git commit",
        )
    return repo.resolve("HEAD")


def bring_index(repo: Repository, head: str, made: str) -> None:
    """Record in the user's index what the commit changed; other staged changes stay."""
    listing = repo.command.run(
        "diff-tree", "-r", "--raw", "-z", "--no-renames", "--no-abbrev", head, made
    )
    changes = raw_changes(listing.out)
    wanted = "".join(f"{c.mode.lstrip('0') or '0'} {c.oid}\t{c.path}\0" for c in changes)
    output = repo.command.run(
        "update-index", "-z", "--index-info", stdin=encode(wanted), ok=(0, 1, 128)
    )
    if output.status != 0:
        raise ConflictError(
            f"committed as {made[:12]}, but the index is locked: {find_reason(output.err)}",
            hint="git reset",
        )
    repo.command.run("update-index", "-q", "--refresh", ok=(0, 1))


def _place_on_head(
    private: PrivateGitDir,
    patch: bytes,
    head: str,
    *,
    three_way: bool,
    env: dict[str, str] | None = None,
) -> list[RawChange]:
    private.command.run("read-tree", "--reset", head)
    try:
        return place(private, patch, three_way=three_way, base=head, env=env)
    except ConflictError as error:
        raise ConflictError(
            f"the change does not fit the last commit alone: {error.message}",
            hint="git commit -a, or leave out --commit",
        ) from error


def _last_line(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return (lines[-1] if lines else "a hook said no")[:300]
