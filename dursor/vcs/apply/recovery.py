"""Undo or finish an apply whose process was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.errors import DursorError
from dursor.ids import short_id
from dursor.vcs.apply.commit import leave_branch, update_index
from dursor.vcs.apply.journal import read_abandoned, remove_folder
from dursor.vcs.apply.replace_files import keep_old_files
from dursor.vcs.command import decode
from dursor.vcs.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dursor.vcs.apply.journal import ApplyIntent


def recover(folder: Path) -> Iterator[str]:
    """Restore every working tree with a journal in FOLDER; yields a message for each."""
    for intent in read_abandoned(folder):
        plan = intent.plan
        if plan.steps and plan.folder.is_dir():
            try:
                yield _restore(intent)
            except (DursorError, OSError) as error:
                yield f"cannot undo the interrupted apply in {plan.top}: {error}"
                continue
        remove_folder(plan)


def _restore(intent: ApplyIntent) -> str:
    plan = intent.plan
    with Repository.open(plan.top) as repo:
        now = repo.resolve("HEAD")
        if now != intent.head and not _is_ours(repo, now, intent):
            kept = keep_old_files(plan.folder)
            return (
                f"did not undo the interrupted apply in {plan.top} because HEAD has moved; "
                f"the old files are in {kept}"
            )
        if now != intent.head:
            update_index(repo, intent.head, now)
            return f"finished the interrupted apply in {plan.top}: commit {short_id(now)}"
        if intent.branch is not None:
            leave_branch(repo, intent.branch, intent.before, intent.head)
    problems = plan.undo(force=False)
    if not problems:
        return f"undid the interrupted apply in {plan.top}"
    kept = keep_old_files(plan.folder)
    return (
        f"undid the interrupted apply in {plan.top} except for {', '.join(problems)}; "
        f"the old files are in {kept}"
    )


def _is_ours(repo: Repository, commit: str, intent: ApplyIntent) -> bool:
    head, _, message = decode(repo.command.run("cat-file", "commit", commit).out).partition("\n\n")
    parents = [line[7:] for line in head.split("\n") if line.startswith("parent ")]
    return parents == [intent.head] and message.split("\n")[0] == intent.subject
