"""Compare runs and apply one of them to the working tree."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, UsageError
from dursor.ids import short_id
from dursor.patch.diff.apply_canonical import apply_canonical, overlay_dirty_patch
from dursor.patch.diff.canonical import render_canonical
from dursor.patch.diff.index_lines import add_index_lines
from dursor.patch.diff.resolution import Resolution
from dursor.services.repos import Repos, require_working_tree
from dursor.services.results import AppliedChange, ComparedFile, Comparison
from dursor.services.trailers import build_commit_message
from dursor.tree import FileState, Overlay, Tree
from dursor.vcs.apply.apply import apply_patch
from dursor.vcs.apply.commit import CommitRequest
from dursor.vcs.objects import write_blob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.domain import Repo, Run
    from dursor.store.read import Reader
    from dursor.vcs.repository import Repository


def compare(repos: Repos, reader: Reader, runs: Sequence[Run]) -> Comparison:
    """Compare two or more runs of one repository."""
    if len(runs) < 2:
        raise UsageError("a comparison needs two or more runs", hint="dursor run compare RUN RUN")
    repo = _find_common_repo(reader, runs)
    with repos.open(repo) as repository:
        trees = [_build_tree(repository, run) for run in runs]
        paths = sorted({path for run in runs for path in _list_paths(run)})
        files = tuple(_compare_file(path, runs, trees) for path in paths)
        return Comparison(
            tuple(runs), files, compute_interdiff(trees[0], trees[-1], runs[0], runs[-1])
        )


def _find_common_repo(reader: Reader, runs: Sequence[Run]) -> Repo:
    for run in runs:
        require_patch(run)
    ids = {reader.task(run.task_id).repo_id for run in runs}
    if len(ids) > 1:
        raise UsageError(
            "these runs belong to different repositories", hint="dursor run list --repo R"
        )
    return reader.repo(ids.pop())


def require_patch(run: Run) -> str:
    """Return RUN's patch; UsageError if it has none."""
    if run.patch is None:
        raise UsageError(
            f"run {short_id(run.id)} has no patch: it {_describe_state(run)}",
            hint=f"dursor run show {short_id(run.id)}",
        )
    return run.patch


def _describe_state(run: Run) -> str:
    if run.error is not None:
        return f"failed ({run.error.code})"
    return {"queued": "has not started", "running": "is still running"}.get(
        run.status, f"was {run.status}"
    )


def _build_tree(repository: Repository, run: Run) -> Tree:
    base = _find_base(repository, run)
    return Overlay(base, apply_canonical(require_patch(run), base).changes)


def _find_base(repository: Repository, run: Run) -> Tree:
    """Return the tree that RUN started from; ConflictError if its commit no longer exists."""
    try:
        repository.resolve(run.round.base_commit)
    except UsageError as error:
        raise ConflictError(
            f"{repository.top} no longer has {short_id(run.round.base_commit)}, "
            f"the base of run {short_id(run.id)}",
            hint=f"dursor run diff {short_id(run.id)}",
        ) from error
    return overlay_dirty_patch(repository.tree(run.round.base_commit), run.round.dirty_patch)


def _list_paths(run: Run) -> set[str]:
    """List every path that RUN changes, old paths of renames included."""
    paths = {change.path for change in run.files_changed}
    return paths | {change.old_path for change in run.files_changed if change.old_path is not None}


def _compare_file(path: str, runs: Sequence[Run], trees: Sequence[Tree]) -> ComparedFile:
    changed_by = tuple(run.id for run in runs if path in _list_paths(run))
    return ComparedFile(path, changed_by, len({_read_state(tree, path) for tree in trees}) == 1)


def _read_state(tree: Tree, path: str) -> FileState | None:
    entry = tree.entries().get(path)
    return None if entry is None else FileState(entry.mode, tree.read(path))


def compute_interdiff(first: Tree, last: Tree, first_run: Run, last_run: Run) -> str:
    """Return the patch from the first run's resulting tree to the last one's."""
    touched = _list_paths(first_run) | _list_paths(last_run)
    if first_run.round.base_commit != last_run.round.base_commit:
        touched |= _list_differing(first, last)
    changes = {
        path: _read_state(last, path)
        for path in touched
        if _read_state(last, path) != _read_state(first, path)
    }
    moves = [(c.path, c.old_path) for c in last_run.files_changed if c.old_path is not None]
    moves += [(c.old_path, c.path) for c in first_run.files_changed if c.old_path is not None]
    have = first.entries()
    renames = {
        new: old
        for new, old in moves
        if changes.get(new) and new not in have and old in have and changes.get(old, "") is None
    }
    return render_canonical(first, Resolution(changes, renames)).text


def _list_differing(first: Tree, last: Tree) -> set[str]:
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
    """Apply RUN's change to the working tree of its repository, all or nothing."""
    patch = require_patch(run)
    repo = reader.repo(reader.task(run.task_id).repo_id)
    require_working_tree(repo, hint=f"dursor run diff {short_id(run.id)} | git apply")
    request = CommitRequest(build_commit_message(run)) if commit else None
    with repos.open(repo) as repository, TemporaryDirectory(prefix="dursor-") as objects:
        if three_way:
            patch = _add_blob_ids(repository, run, patch, Path(objects))
        try:
            new_commit = apply_patch(
                repository,
                patch.encode("utf-8", "surrogateescape"),
                three_way=three_way,
                branch=branch,
                commit=request,
                journals=journals,
            )
        except ConflictError as error:
            hint = error.hint or _suggest(run, merged=three_way)
            raise ConflictError(error.message, hint=hint) from error
    return AppliedChange(run.files_changed, branch, new_commit, repository.top)


def _add_blob_ids(repository: Repository, run: Run, patch: str, objects: Path) -> str:
    """Add the blob ids of the old files to PATCH; blobs of no commit are written to OBJECTS."""
    base = _find_base(repository, run)
    repository.add_alternate(objects)

    def find_oid(path: str) -> str:
        entry = base.entries()[path]
        return entry.oid or write_blob(repository.command, base.read(path), objects)

    return add_index_lines(patch, find_oid)


def _suggest(run: Run, *, merged: bool) -> str:
    """Return the hint for changed files: merge, or if that failed, retry."""
    again = f"dursor run apply {short_id(run.id)}"
    if not merged:
        return f"{again} --3way"
    return f"git stash && {again}, or dursor run TEXT -m {run.model}"
