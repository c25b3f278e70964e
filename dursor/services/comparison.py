"""Runs held against each other, and one of them put into the working tree."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, UsageError
from dursor.patch.diff.apply_canonical import apply_canonical, overlay_dirty_patch
from dursor.patch.diff.canonical import render_canonical
from dursor.patch.diff.index_lines import add_index_lines
from dursor.patch.diff.resolution import Resolution
from dursor.services.results import AppliedChange, ComparedFile, Comparison
from dursor.services.trailers import build_commit_message
from dursor.tree import FileState, Overlay, Tree
from dursor.vcs.apply.apply import apply_patch
from dursor.vcs.apply.commit import CommitRequest
from dursor.vcs.objects import write_blob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.domain import Repo, Run
    from dursor.services.repos import Repos
    from dursor.store.read import Reader
    from dursor.vcs.repository import Repository


def compare(repos: Repos, reader: Reader, runs: Sequence[Run]) -> Comparison:
    """Compare two or more runs of one repository."""
    if len(runs) < 2:
        raise UsageError("comparing takes two runs or more", hint="dursor run compare RUN RUN")
    repo = _common_repo(reader, runs)
    with closing(repos.open(repo)) as repository:
        trees = [_tree_of(repository, run) for run in runs]
        paths = sorted({path for run in runs for path in _touched(run)})
        files = tuple(_compared(path, runs, trees) for path in paths)
        return Comparison(
            tuple(runs), files, compute_interdiff(trees[0], trees[-1], runs[0], runs[-1])
        )


def _common_repo(reader: Reader, runs: Sequence[Run]) -> Repo:
    for run in runs:
        require_patch(run)
    ids = {reader.task(run.task_id).repo_id for run in runs}
    if len(ids) > 1:
        raise UsageError(
            "these runs belong to different repositories", hint="dursor run list --repo R"
        )
    return reader.repo(ids.pop())


def require_patch(run: Run) -> str:
    """The patch of a run that has one."""
    if run.patch is None:
        raise UsageError(
            f"run {run.id[:8]} has no patch: it {_state(run)}",
            hint=f"dursor run show {run.id[:8]}",
        )
    return run.patch


def _state(run: Run) -> str:
    if run.error is not None:
        return f"failed ({run.error.code})"
    return {"queued": "has not started", "running": "is still running"}.get(
        run.status, f"was {run.status}"
    )


def _tree_of(repository: Repository, run: Run) -> Tree:
    base = _base_of(repository, run)
    return Overlay(base, apply_canonical(require_patch(run), base).changes)


def _base_of(repository: Repository, run: Run) -> Tree:
    """The tree that RUN started from; ConflictError when its commit is gone."""
    try:
        repository.resolve(run.base_commit)
    except UsageError as error:
        raise ConflictError(
            f"{run.base_commit[:12]}, which run {run.id[:8]} started from, is gone from "
            f"{repository.top}",
            hint=f"dursor run diff {run.id[:8]}",
        ) from error
    return overlay_dirty_patch(repository.tree(run.base_commit), run.dirty_patch)


def _touched(run: Run) -> set[str]:
    """Every path that RUN changes, those its renames leave included."""
    paths = {change.path for change in run.files_changed}
    return paths | {change.old_path for change in run.files_changed if change.old_path is not None}


def _compared(path: str, runs: Sequence[Run], trees: Sequence[Tree]) -> ComparedFile:
    touched = tuple(run.id for run in runs if path in _touched(run))
    return ComparedFile(path, touched, len({_state_at(tree, path) for tree in trees}) == 1)


def _state_at(tree: Tree, path: str) -> FileState | None:
    entry = tree.entries().get(path)
    return None if entry is None else FileState(entry.mode, tree.read(path))


def compute_interdiff(first: Tree, last: Tree, one: Run, other: Run) -> str:
    """The patch that leads from one run's resulting tree to another's."""
    touched = _touched(one) | _touched(other)
    if one.base_commit != other.base_commit:
        touched |= _differing(first, last)
    changes = {
        path: _state_at(last, path)
        for path in touched
        if _state_at(last, path) != _state_at(first, path)
    }
    moves = [(c.path, c.old_path) for c in other.files_changed if c.old_path is not None]
    moves += [(c.old_path, c.path) for c in one.files_changed if c.old_path is not None]
    have = first.entries()
    renames = {
        new: old
        for new, old in moves
        if changes.get(new) and new not in have and old in have and changes.get(old, "") is None
    }
    return render_canonical(first, Resolution(changes, renames)).text


def _differing(first: Tree, last: Tree) -> set[str]:
    ours, theirs = first.entries(), last.entries()
    return {path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path)}


def apply(
    repos: Repos,
    reader: Reader,
    run: Run,
    *,
    branch: str | None,
    commit: bool,
    three_way: bool,
    journals: Path,
) -> AppliedChange:
    """Put RUN's change into the working tree of its repository, or refuse and change nothing."""
    patch = require_patch(run)
    repo = reader.repo(reader.task(run.task_id).repo_id)
    if repo.workspace_path is not None:
        raise UsageError(
            f"{repo.name!r} is a clone that dursor keeps; it has no working tree",
            hint=f"dursor run diff {run.id[:8]} | git apply",
        )
    request = CommitRequest(build_commit_message(run)) if commit else None
    with closing(repos.open(repo)) as repository, TemporaryDirectory(prefix="dursor-") as objects:
        if three_way:
            patch = _mergeable(repository, run, patch, Path(objects))
        try:
            done = apply_patch(
                repository,
                patch.encode("utf-8", "surrogateescape"),
                three_way=three_way,
                branch=branch,
                commit=request,
                journals=journals,
            )
        except ConflictError as error:
            hint = error.hint or _way_out(run, merged=three_way)
            raise ConflictError(error.message, hint=hint) from error
    return AppliedChange(run.files_changed, done.branch, done.commit, repository.top)


def _mergeable(repository: Repository, run: Run, patch: str, objects: Path) -> str:
    """RUN's PATCH with the texts it was made from named; those no commit holds go to OBJECTS."""
    base = _base_of(repository, run)
    repository.add_alternate(objects)

    def oid_of(path: str) -> str:
        entry = base.entries()[path]
        return entry.oid or write_blob(repository.command, base.read(path), objects)

    return add_index_lines(patch, oid_of)


def _way_out(run: Run, *, merged: bool) -> str:
    """Say what to do where the files have moved on: merge, or what is left after that failed."""
    again = f"dursor run apply {run.id[:8]}"
    if not merged:
        return f"{again} --3way"
    return f"git stash && {again}, or ask again: dursor run TEXT -m {run.model}"
