"""Apply a patch to the user's working tree: the only code that writes the user's repository.

The result is computed aside, by git, in a private index and object folder; only when every file
is known to fit are the files exchanged. Without a commit the user's index stays as it is. With
one, the user's own hooks run as for `git commit`; whatever they refuse is undone.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, InternalError, NoChangeError, UsageError
from dursor.tree import EXECUTABLE
from dursor.vcs.apply import commit as commits
from dursor.vcs.apply.journal import ApplyIntent, journal
from dursor.vcs.apply.private_index import place
from dursor.vcs.apply.replace_files import FileReplacement, defer_signals
from dursor.vcs.apply.replace_plan import plan
from dursor.vcs.command import decode
from dursor.vcs.private_git_dir import lines, open_private_git_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from dursor.vcs.apply.commit import CommitRequest
    from dursor.vcs.apply.replace_plan import ReplacePlan
    from dursor.vcs.private_git_dir import PrivateGitDir, RawChange
    from dursor.vcs.repository import Repository

RENAME = re.compile(rb'^rename from ([^"\n][^\n]*)\nrename to ([^"\n][^\n]*)$', re.MULTILINE)


@dataclass(frozen=True)
class Applied:
    """What an apply made besides the files: the new branch, the id of the new commit."""

    branch: str | None
    commit: str | None


def apply_patch(
    repo: Repository,
    patch: bytes,
    *,
    three_way: bool = False,
    branch: str | None = None,
    commit: CommitRequest | None = None,
    journals: Path | None = None,
) -> Applied:
    """Put PATCH into the working tree, all or nothing; ConflictError when it does not fit.

    With a folder of JOURNALS, a later `recover` undoes what was left when the process is killed.
    """
    head = _check(repo, patch, branch, commit)
    with _translated(), ExitStack() as stack:
        private = stack.enter_context(open_private_git_dir(repo))
        intent = partial(
            ApplyIntent,
            head=head,
            before=repo.find_current_branch(),
            branch=branch,
            subject=commit.subject if commit else None,
        )
        replacement = stack.enter_context(_room(repo, journals, intent))
        changes = _prepare(private, replacement, patch, three_way=three_way)
        record = None
        if commit:
            on_head = stack.enter_context(open_private_git_dir(repo))
            commits.rehearse(on_head, patch, head, three_way=three_way)
            record = partial(commits.commit, on_head, patch, head, commit, three_way=three_way)
        place_to_stand = commits.on_branch(repo, branch, head) if branch else nullcontext()
        with defer_signals() as interrupts:
            made = _carry_out(replacement, changes, interrupts, place_to_stand, record)
            if made:
                commits.bring_index(repo, head, made)
    return Applied(branch, made)


@contextmanager
def _translated() -> Iterator[None]:
    """Say which file could not be written, before any of the working tree's is."""
    try:
        yield
    except OSError as error:
        raise InternalError(
            f"cannot write {error.filename or 'a file'}: {error.strerror}; nothing was changed"
        ) from error


@contextmanager
def _room(
    repo: Repository, journals: Path | None, intent: Callable[[ReplacePlan], ApplyIntent]
) -> Iterator[FileReplacement]:
    """Make room for new and old files; where there are JOURNALS, one of them knows of it."""
    with ExitStack() as stack:
        book = stack.enter_context(journal(journals, repo.top)) if journals else None
        folder = Path(
            stack.enter_context(
                TemporaryDirectory(prefix="dursor-", dir=repo.git_dir, ignore_cleanup_errors=True)
            )
        )
        if book is None:
            yield FileReplacement(repo.top, folder)
            return
        idle = intent(plan(repo.top, folder, (), ()))
        book.write(idle)
        stack.callback(book.settle, idle)
        yield FileReplacement(repo.top, folder, lambda steps: book.write(intent(steps)))


def _carry_out(
    replacement: FileReplacement,
    changes: Sequence[RawChange],
    interrupts: Sequence[int],
    place_to_stand: AbstractContextManager[None],
    record: Callable[[], str] | None,
) -> str | None:
    """Replace the files, switch to the branch and commit, or undo everything."""
    present = [change.path for change in changes if change.status != "D"]
    removed = [change.path for change in changes if change.status == "D"]
    try:
        replacement.run(present, removed)
        _stop_for(interrupts)
        with place_to_stand:
            return record() if record else None
    except BaseException:  # Ctrl-C, too, changes all of it or nothing
        replacement.undo()
        raise


def _stop_for(interrupts: Sequence[int]) -> None:
    if interrupts:
        raise KeyboardInterrupt


def _check(repo: Repository, patch: bytes, branch: str | None, commit: CommitRequest | None) -> str:
    """Refuse what can be refused before any work; the id of HEAD."""
    if repo.is_bare:
        raise UsageError(f"{repo.top} is bare: there are no files to change")
    head = repo.resolve("HEAD")
    if not patch.strip():
        raise NoChangeError("the patch is empty: there is nothing to apply")
    if branch is not None or commit:
        commits.check_state(repo)
    if branch is not None:
        commits.check_branch(repo, branch)
    if commit:
        commits.check_commit(repo, commit)
    return head


def _prepare(
    private: PrivateGitDir, replacement: FileReplacement, patch: bytes, *, three_way: bool
) -> list[RawChange]:
    """Compute every file, check that each may be written, and write it aside."""
    private.show_hidden()
    private.take_working_tree()
    changes = place(private, patch, three_way=three_way)
    filtered = private.filtered(change.path for change in changes)
    if filtered:
        raise ConflictError(
            f"{filtered[0]} goes through a filter of yours, which dursor does not run",
            hint="dursor run diff RUN | git apply",
        )
    replaced = [c for c in changes if c.status not in {"A", "D"}]
    replacement.check(
        [c.path for c in changes if c.status == "A"],
        [c.path for c in replaced],
        [c.path for c in changes if c.status == "D"],
    )
    wanted = [change.path for change in changes if change.status != "D"]
    if wanted:
        prefix = f"--prefix={replacement.new}/"
        private.command.run(
            "checkout-index", "--force", "--quiet", prefix, "-z", "--stdin", stdin=lines(wanted)
        )
    origins = _origins(changes, patch)
    replacement.take_modes(
        origins, [c.path for c in changes if c.status == "A" and c.path not in origins]
    )
    return changes


def _origins(changes: Sequence[RawChange], patch: bytes) -> dict[str, tuple[str, bool | None]]:
    """Find the old file of every new one, by the renames of PATCH too, and what becomes of x."""
    before = {change.path: change.old_mode for change in changes if change.status != "A"}
    moved = {decode(new): decode(old) for old, new in RENAME.findall(patch)}
    found: dict[str, tuple[str, bool | None]] = {}
    for change in changes:
        origin = moved.get(change.path, change.path)
        if change.status != "D" and origin in before:
            same = change.mode == before[origin]
            found[change.path] = (origin, None if same else change.mode == EXECUTABLE)
    return found
