"""Decides whether a run may be pushed onto a branch without overwriting others' work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.errors import ConflictError
from dursor.ids import short_id
from dursor.patch.diff.apply_canonical import apply_canonical
from dursor.services.trailers import RUN
from dursor.vcs.history import read_messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.domain import Run
    from dursor.tree import Changes, Tree
    from dursor.vcs.remote.mirror import CommitInfo, Mirror

MAX_COMMITS = 500  # of a branch that are searched


def compute_changes(mirror: Mirror, run: Run) -> Changes:
    """Return the changes of RUN to its base."""
    return apply_canonical(run.patch or "", mirror.tree(run.round.base_commit)).changes


def is_commit_of(mirror: Mirror, commit: CommitInfo, run: Run) -> bool:
    """Return whether dursor made COMMIT from RUN and it has not been changed since."""
    if commit.trailers.get(RUN) != run.id or not mirror.has(run.round.base_commit):
        return False
    tree, base = mirror.tree(commit.id), mirror.tree(run.round.base_commit)
    return _equals(tree, base, compute_changes(mirror, run))


def _equals(tree: Tree, base: Tree, changes: Changes) -> bool:
    """Tell whether TREE is exactly BASE with CHANGES applied."""
    entries = tree.entries()
    unchanged, expected = (
        {path: (entry.mode, entry.oid) for path, entry in files.items() if path not in changes}
        for files in (entries, base.entries())
    )
    if unchanged != expected:
        return False
    for path, state in changes.items():
        entry = entries.get(path)
        if state is None or entry is None:
            if entry is not None or state is not None:
                return False
        elif entry.mode != state.mode or tree.read(path) != state.data:
            return False
    return True


def has_commit_of(mirror: Mirror, head: str, run: Run) -> bool:
    """Tell whether a commit of the branch at HEAD names RUN in its trailers."""
    trailer = f"{RUN}: {run.id}"
    messages = read_messages(mirror, head, MAX_COMMITS)
    return any(trailer in message.splitlines() for message in messages)


def check_ancestry(
    mirror: Mirror, head: str, chain: Sequence[Run], *, number: int, known: str
) -> None:
    """Raise ConflictError unless the last run of CHAIN may be pushed on top of HEAD.

    It may if HEAD is its base, or if dursor made every commit in between from runs of CHAIN.
    KNOWN is the last commit that dursor pushed or saw there.
    """
    runs = {run.id: run for run in chain}
    commit_id = head
    while commit_id != chain[-1].round.base_commit:
        commit = mirror.commit(commit_id) if mirror.has(commit_id) else None
        source = runs.get(commit.trailers.get(RUN, "")) if commit else None
        if (
            commit is None
            or source is None
            or len(commit.parents) != 1
            or not is_commit_of(mirror, commit, source)
        ):
            raise _to_conflict(mirror, head, chain, number=number, known=known)
        commit_id = commit.parents[0]


def _to_conflict(
    mirror: Mirror, head: str, chain: Sequence[Run], *, number: int, known: str
) -> ConflictError:
    run, commit = chain[-1], mirror.commit(head)
    other = commit.trailers.get(RUN, "")
    is_rewritten = mirror.has(known) and not mirror.is_ancestor(known, head)
    if is_rewritten or other in {run.id for run in chain}:
        reason = f"the branch of #{number} was rewritten (rebased, amended or force-pushed)"
    else:
        author = commit.author.partition(" <")[0]
        origin = (
            f"run {short_id(other)}, which is"
            if other
            else f"{short_id(head)}, a commit by {author}"
        )
        reason = f"run {short_id(run.id)} did not start from {origin} in #{number}"
    hint = f"dursor pr sync {number}, then dursor run TEXT --task {short_id(run.task_id)}"
    return ConflictError(f"nothing was pushed: {reason}", hint=hint)
