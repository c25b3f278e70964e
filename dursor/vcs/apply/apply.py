"""Apply a patch to the user's working tree: the only code that writes the user's repository.

Git computes the result in a private index and object folder, and files are only replaced when all
of them fit. Without a commit the user's index stays unchanged. With a commit the user's hooks run
as for `git commit`, and everything is undone if one of them fails.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, InternalError, NoChangeError, UsageError
from dursor.tree import EXECUTABLE
from dursor.vcs.apply.commit import (
    check_branch,
    check_commit,
    check_state,
    commit_patch,
    create_branch,
    rehearse,
    update_index,
)
from dursor.vcs.apply.journal import ApplyIntent, open_journal
from dursor.vcs.apply.private_index import apply_to_index
from dursor.vcs.apply.replace_files import FileReplacement, defer_signals
from dursor.vcs.apply.replace_plan import build_plan
from dursor.vcs.command import decode
from dursor.vcs.private_git_dir import encode_paths, open_private_git_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from dursor.vcs.apply.commit import CommitRequest
    from dursor.vcs.apply.replace_plan import ReplacePlan
    from dursor.vcs.private_git_dir import PrivateGitDir, RawChange
    from dursor.vcs.repository import Repository

RENAME = re.compile(rb'^rename from ([^"\n][^\n]*)\nrename to ([^"\n][^\n]*)$', re.MULTILINE)


def apply_patch(
    repo: Repository,
    patch: bytes,
    *,
    three_way: bool = False,
    branch: str | None = None,
    commit: CommitRequest | None = None,
    journals: Path | None = None,
) -> str | None:
    """Apply PATCH to the working tree, all or nothing, and return the id of the new commit.

    ConflictError if it does not fit. If the process is killed, `recover` undoes the change with the
    help of the folder JOURNALS.
    """
    head = _check(repo, patch, branch, commit)
    with _explain_os_errors(), ExitStack() as stack:
        private = stack.enter_context(open_private_git_dir(repo))
        intent = partial(
            ApplyIntent,
            head=head,
            before=repo.find_current_branch(),
            branch=branch,
            subject=commit.subject if commit else None,
        )
        replacement = stack.enter_context(_open_replacement(repo, journals, intent))
        changes = _prepare(private, replacement, patch, three_way=three_way)
        record = None
        if commit:
            on_head = stack.enter_context(open_private_git_dir(repo))
            rehearse(on_head, patch, head, three_way=three_way)
            record = partial(commit_patch, on_head, patch, head, commit, three_way=three_way)
        switch = create_branch(repo, branch, head) if branch else nullcontext()
        with defer_signals() as interrupts:
            new_commit = _write(replacement, changes, interrupts, switch, record)
            if new_commit:
                update_index(repo, head, new_commit)
    return new_commit


@contextmanager
def _explain_os_errors() -> Iterator[None]:
    """Translate an OSError raised before the working tree is changed."""
    try:
        yield
    except OSError as error:
        raise InternalError(
            f"cannot write {error.filename or 'a file'}: {error.strerror}; nothing was changed"
        ) from error


@contextmanager
def _open_replacement(
    repo: Repository, journals: Path | None, intent: Callable[[ReplacePlan], ApplyIntent]
) -> Iterator[FileReplacement]:
    """Create a folder for new and old files, which a journal in JOURNALS records."""
    with ExitStack() as stack:
        journal = stack.enter_context(open_journal(journals, repo.top)) if journals else None
        folder = Path(
            stack.enter_context(
                TemporaryDirectory(prefix="dursor-", dir=repo.git_dir, ignore_cleanup_errors=True)
            )
        )
        if journal is None:
            yield FileReplacement(repo.top, folder)
            return
        idle = intent(build_plan(repo.top, folder, (), ()))
        journal.write(idle)
        stack.callback(journal.mark_done, idle)
        yield FileReplacement(repo.top, folder, lambda plan: journal.write(intent(plan)))


def _write(
    replacement: FileReplacement,
    changes: Sequence[RawChange],
    interrupts: Sequence[int],
    switch: AbstractContextManager[None],
    record: Callable[[], str] | None,
) -> str | None:
    """Replace the files, switch to the branch and commit, or undo everything."""
    present = [change.path for change in changes if change.status != "D"]
    removed = [change.path for change in changes if change.status == "D"]
    try:
        replacement.run(present, removed)
        if interrupts:
            raise KeyboardInterrupt  # noqa: TRY301 - undone below
        with switch:
            return record() if record else None
    except BaseException:  # also undo for Ctrl-C
        replacement.undo()
        raise


def _check(repo: Repository, patch: bytes, branch: str | None, commit: CommitRequest | None) -> str:
    """Check the arguments and the repository; return the id of HEAD."""
    if repo.is_bare:
        raise UsageError(f"{repo.top} is bare and has no working tree")
    head = repo.resolve("HEAD")
    if not patch.strip():
        raise NoChangeError("the patch is empty")
    if branch is not None or commit:
        check_state(repo)
    if branch is not None:
        check_branch(repo, branch)
    if commit:
        check_commit(repo, commit)
    return head


def _prepare(
    private: PrivateGitDir, replacement: FileReplacement, patch: bytes, *, three_way: bool
) -> list[RawChange]:
    """Compute every file, check that it may be replaced, and write it into the folder."""
    private.clear_hidden_flags()
    private.stage_working_tree()
    changes = apply_to_index(private, patch, three_way=three_way)
    filtered = private.list_filtered(change.path for change in changes)
    if filtered:
        raise ConflictError(
            f"{filtered[0]} has a git filter, which dursor does not run",
            hint="dursor run diff RUN | git apply",
        )
    replaced = [c for c in changes if c.status not in {"A", "D"}]
    replacement.check(
        [c.path for c in changes if c.status == "A"],
        [c.path for c in replaced],
        [c.path for c in changes if c.status == "D"],
    )
    new = [change.path for change in changes if change.status != "D"]
    if new:
        prefix = f"--prefix={replacement.new}/"
        private.command.run(
            "checkout-index", "--force", "--quiet", prefix, "-z", "--stdin", stdin=encode_paths(new)
        )
    origins = _find_origins(changes, patch)
    replacement.copy_modes(
        origins, [c.path for c in changes if c.status == "A" and c.path not in origins]
    )
    return changes


def _find_origins(changes: Sequence[RawChange], patch: bytes) -> dict[str, tuple[str, bool | None]]:
    """Map each new path to its old path and to whether it becomes executable (None: unchanged).

    PATCH names the renames.
    """
    before = {change.path: change.old_mode for change in changes if change.status != "A"}
    renames = {decode(new): decode(old) for old, new in RENAME.findall(patch)}
    origins: dict[str, tuple[str, bool | None]] = {}
    for change in changes:
        origin = renames.get(change.path, change.path)
        if change.status != "D" and origin in before:
            same = change.mode == before[origin]
            origins[change.path] = (origin, None if same else change.mode == EXECUTABLE)
    return origins
