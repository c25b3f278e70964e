"""What a pull request's branch holds of which run: nothing of anybody else's is overwritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.errors import ConflictError
from dursor.patch.diff.apply_canonical import apply_canonical
from dursor.services.trailers import RUN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dursor.domain import Run
    from dursor.tree import Changes, Tree
    from dursor.vcs.remote.mirror import CommitInfo, Mirror

DEEPEST = 500  # commits of a branch that are looked at


def compute_changes(mirror: Mirror, run: Run) -> Changes:
    """What RUN changes of its base."""
    return apply_canonical(run.patch or "", mirror.tree(run.base_commit)).changes


def holds(tree: Tree, base: Tree, changes: Changes) -> bool:
    """Whether TREE is exactly BASE with CHANGES laid over it."""
    entries = tree.entries()
    rest = {path: (one.mode, one.oid) for path, one in entries.items() if path not in changes}
    left = {path: (one.mode, one.oid) for path, one in base.entries().items()}
    if rest != {path: state for path, state in left.items() if path not in changes}:
        return False
    for path, state in changes.items():
        entry = entries.get(path)
        if state is None or entry is None:
            if entry is not None or state is not None:
                return False
        elif entry.mode != state.mode or tree.read(path) != state.data:
            return False
    return True


def is_commit_of(mirror: Mirror, commit: CommitInfo, run: Run) -> bool:
    """Whether COMMIT is one that dursor made from RUN, unchanged since."""
    return (
        commit.trailers.get(RUN) == run.id
        and mirror.has(run.base_commit)
        and holds(
            mirror.tree(commit.id),
            mirror.tree(run.base_commit),
            compute_changes(mirror, run),
        )
    )


def has_commit_of(mirror: Mirror, head: str, run: Run) -> bool:
    """Whether the branch that ends at HEAD has a commit that names RUN."""
    from dursor.vcs.history import read_messages

    trailer = f"{RUN}: {run.id}"
    return any(trailer in said.splitlines() for said in read_messages(mirror, head, DEEPEST))


def check_ancestry(
    mirror: Mirror, head: str, chain: Sequence[Run], *, number: int, known: str
) -> None:
    """Make sure that RUN, the last of CHAIN, may go on top of HEAD; ConflictError says why not.

    It may when HEAD is its base, or when every commit in between was made by dursor from runs it
    grew from. KNOWN is the commit that dursor last put there.
    """
    run = chain[-1]
    ancestors = {one.id: one for one in chain}
    at = head
    while at != run.base_commit:
        commit = mirror.commit(at) if mirror.has(at) else None
        source = None if commit is None else ancestors.get(commit.trailers.get(RUN, ""))
        intact = (
            commit is not None
            and source is not None
            and len(commit.parents) == 1
            and is_commit_of(mirror, commit, source)
        )
        if commit is None or not intact:
            raise _moved(mirror, head, chain, number=number, known=known)
        at = commit.parents[0]


def _moved(
    mirror: Mirror, head: str, chain: Sequence[Run], *, number: int, known: str
) -> ConflictError:
    run, commit = chain[-1], mirror.commit(head)
    hint = (
        f"dursor pr sync {number}, then dursor run TEXT --task {run.task_id[:8]}  "
        "(starts from what is there now)"
    )
    rewritten = mirror.has(known) and not mirror.is_ancestor(known, head)
    if rewritten or _names_one_of(commit, chain):
        said = f"the branch of #{number} was rewritten (rebased, amended or force-pushed)"
    elif RUN in commit.trailers:
        said = (
            f"#{number} holds run {commit.trailers[RUN][:8]}, which {run.id[:8]} did not start from"
        )
    else:
        who = commit.author.partition(" <")[0]
        said = (
            f"#{number} has a commit by {who} ({head[:8]}), which {run.id[:8]} did not start from"
        )
    return ConflictError(f"{said}; nothing was pushed", hint=hint)


def _names_one_of(commit: CommitInfo, chain: Sequence[Run]) -> bool:
    runs: Mapping[str, Run] = {one.id: one for one in chain}
    return commit.trailers.get(RUN, "") in runs
