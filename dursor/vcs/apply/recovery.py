"""Undo, or finish, applies whose process was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.errors import DursorError
from dursor.vcs.apply import commit as commits
from dursor.vcs.apply.journal import discard, left_behind
from dursor.vcs.apply.replace_files import keep_old_files
from dursor.vcs.command import decode
from dursor.vcs.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dursor.vcs.apply.journal import ApplyIntent


def recover(folder: Path) -> Iterator[str]:
    """Bring every working tree with a journal in FOLDER back; says what was done to each."""
    for intent in left_behind(folder):
        plan = intent.plan
        if plan.steps and plan.folder.is_dir():
            try:
                yield _settled(intent)
            except (DursorError, OSError) as error:
                yield f"an apply was killed in {plan.top}, and cannot be undone: {error}"
                continue
        discard(plan)


def _settled(intent: ApplyIntent) -> str:
    plan = intent.plan
    with Repository.open(plan.top) as repo:
        now = repo.resolve("HEAD")
        if now != intent.head and not _is_ours(repo, now, intent):
            kept = keep_old_files(plan.folder)
            return (
                f"an apply was killed in {plan.top}, and HEAD has moved since: nothing was put "
                f"back; the old files are in {kept}"
            )
        if now != intent.head:
            commits.bring_index(repo, intent.head, now)
            return f"finished an apply that was killed in {plan.top}: commit {now[:8]}"
        if intent.branch is not None:
            commits.leave(repo, intent.branch, intent.before, intent.head)
    problems = plan.undo(force=False)
    if not problems:
        return f"undid an apply that was killed in {plan.top}"
    kept = keep_old_files(plan.folder)
    return (
        f"undid an apply that was killed in {plan.top}, but for {', '.join(problems)}; "
        f"the old files are in {kept}"
    )


def _is_ours(repo: Repository, commit: str, intent: ApplyIntent) -> bool:
    """Tell whether COMMIT is the one that INTENT was about to make."""
    head, _, message = decode(repo.command.run("cat-file", "commit", commit).out).partition("\n\n")
    parents = [line[7:] for line in head.split("\n") if line.startswith("parent ")]
    return parents == [intent.head] and message.split("\n")[0] == intent.subject
