"""The plan of a file replacement, from which any part of it can be undone.

The files themselves show which steps were taken, so that a plan can also undo the work of a
process that was killed between two renames.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dursor.vcs.apply import rename

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Stamp = tuple[int, int, int]


class ReplaceStep(NamedTuple):
    """The change of one path."""

    path: str
    old: str  # "nothing", "file" or "folder" (which is empty by then)
    new: Stamp | None  # None: the path is removed


@dataclass(frozen=True)
class ReplacePlan:
    """The steps of a replacement in TOP; FOLDER has new files (`new/`) and old ones (`old/`)."""

    top: Path
    folder: Path
    steps: tuple[ReplaceStep, ...]
    made: tuple[str, ...]  # folders to create, outer ones first
    modes: tuple[tuple[str, int], ...]  # of folders that are removed when they become empty
    pid: int  # of the process

    def build_old_path(self, number: int) -> Path:
        return self.folder / "old" / str(number)

    def undo(self, *, force: bool) -> list[str]:
        """Restore everything; returns the paths that failed, with reasons.

        With FORCE, later changes of a path are overwritten; otherwise they are kept.
        """
        problems: list[str] = []
        steps = [*reversed([*enumerate(self.steps)])]
        for number, step in steps:
            if step.new is not None:
                with _collect_error(problems, step.path):
                    self._undo_write(number, step, step.new, force=force)
        for folder in reversed(self.made):
            with suppress(OSError):  # not created yet, or no longer empty
                (self.top / folder).rmdir()
        for number, step in steps:
            if step.new is None and rename.lstat(self.build_old_path(number)) is not None:
                with _collect_error(problems, step.path):
                    self._undo_removal(number, step, force=force)
        return problems

    def _undo_write(self, number: int, step: ReplaceStep, new: Stamp, *, force: bool) -> None:
        target, kept = self._find_target(step.path), self.build_old_path(number)
        with suppress(OSError):
            rename.build_copy_path(target, self.pid).unlink()
        now, old = rename.read_stamp(target), rename.read_stamp(kept)
        if old is not None and (force or now == new):
            rename.move(kept, target)
        elif old is not None and now != old:
            raise _ChangedError
        elif old is None and now and (now == new or (force and step.old == "nothing")):
            target.unlink()
        if step.old == "folder":
            target.mkdir(exist_ok=True)

    def _undo_removal(self, number: int, step: ReplaceStep, *, force: bool) -> None:
        target, kept = self._find_target(step.path), self.build_old_path(number)
        if (now := rename.read_stamp(target)) is not None and not force:
            if now != rename.read_stamp(kept):  # equal: copied, but not yet deleted
                raise _ChangedError
            return
        modes = dict(self.modes)
        for folder in reversed(target.relative_to(self.top).parents):
            if rename.lstat(self.top / folder) is None:
                (self.top / folder).mkdir()
                (self.top / folder).chmod(modes.get(folder.as_posix(), 0o755))
        rename.move(kept, target)

    def _find_target(self, path: str) -> Path:
        target = self.top / path
        folders = [*target.relative_to(self.top).parents][:-1]
        if any((self.top / folder).is_symlink() for folder in folders):
            raise _ChangedError  # it points elsewhere now
        return target


class _ChangedError(OSError):
    """The path has been changed since."""

    def __init__(self) -> None:
        super().__init__(0, "it has been changed since")


@contextmanager
def _collect_error(problems: list[str], path: str) -> Iterator[None]:
    """Add an OSError to PROBLEMS and continue."""
    try:
        yield
    except OSError as error:
        problems.append(f"{path}: {error.strerror}")


def build_plan(
    top: Path, folder: Path, present: Sequence[str], removed: Sequence[str]
) -> ReplacePlan:
    """Plan to move PRESENT from `new/` of FOLDER into TOP, and REMOVED out."""
    removals = (ReplaceStep(path, _find_kind(top / path), None) for path in removed)
    writes = (
        ReplaceStep(path, _find_kind(top / path), rename.read_stamp(folder / "new" / path))
        for path in present
    )
    return ReplacePlan(
        top,
        folder,
        (*removals, *writes),
        tuple(dict.fromkeys(name for path in present for name in _list_missing(top, path))),
        tuple(dict(pair for path in removed for pair in _list_modes(top, path)).items()),
        os.getpid(),
    )


def _find_kind(path: Path) -> str:
    status = rename.lstat(path)
    if status is None:
        return "nothing"
    return "folder" if stat.S_ISDIR(status.st_mode) else "file"


def _list_missing(top: Path, path: str) -> list[str]:
    """List the parent folders of PATH that do not exist, outer ones first."""
    folders = [top / folder for folder in reversed((top / path).relative_to(top).parents)]
    return [f.relative_to(top).as_posix() for f in folders if _find_kind(f) != "folder"]


def _list_modes(top: Path, path: str) -> list[tuple[str, int]]:
    """List the parent folders of PATH with their modes."""
    modes = []
    for folder in (top / path).relative_to(top).parents:
        status = rename.lstat(top / folder)
        if status is not None:
            modes.append((folder.as_posix(), stat.S_IMODE(status.st_mode)))
    return modes
