"""What an exchange of files will do, known before it begins, so that any part of it can be undone.

Whether a step was taken is read off the files themselves: a plan undoes what a process left that
was killed between two renames, as well as its own.
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

Mark = tuple[int, int, int]


class ReplaceStep(NamedTuple):
    """One path: what is there before (a folder that is empty by then), and what is to come."""

    path: str
    had: str  # "nothing", "file" or "folder"
    comes: Mark | None  # None: the path goes


@dataclass(frozen=True)
class ReplacePlan:
    """The steps of a replacement in TOP; FOLDER keeps new files (`new/`) and old ones (`old/`)."""

    top: Path
    folder: Path
    steps: tuple[ReplaceStep, ...]
    made: tuple[str, ...]  # folders to be made, outer ones first
    modes: tuple[tuple[str, int], ...]  # of folders that may go when they become empty
    pid: int  # of the process that takes the steps

    def kept(self, number: int) -> Path:
        """Name the old file of step NUMBER."""
        return self.folder / "old" / str(number)

    def undo(self, *, force: bool) -> list[str]:
        """Put everything back as it was; returns what could not be, and why.

        What was written to a path since goes by FORCE, and else is left as it is.
        """
        problems: list[str] = []
        steps = [*reversed([*enumerate(self.steps)])]
        for number, step in steps:
            if step.comes is None:
                continue
            with _noting(problems, step.path):
                self._take_back(number, step, step.comes, force=force)
        for folder in reversed(self.made):
            with suppress(OSError):  # not made yet, or somebody's file is in it by now
                (self.top / folder).rmdir()
        for number, step in steps:
            if step.comes is None and rename.lstat(self.kept(number)) is not None:
                with _noting(problems, step.path):
                    self._bring_back(number, step, force=force)
        return problems

    def _take_back(self, number: int, step: ReplaceStep, comes: Mark, *, force: bool) -> None:
        """Undo a step that put a file in."""
        target, kept = self._target(step.path), self.kept(number)
        with suppress(OSError):
            rename.copy_beside(target, self.pid).unlink()
        now, old = rename.mark(target), rename.mark(kept)
        if old is not None and (force or now == comes):
            rename.move(kept, target)
        elif old is not None and now != old:
            raise _ChangedError
        elif old is None and now and (now == comes or (force and step.had == "nothing")):
            target.unlink()
        if step.had == "folder":
            target.mkdir(exist_ok=True)

    def _bring_back(self, number: int, step: ReplaceStep, *, force: bool) -> None:
        """Undo a step that took a file out."""
        target, kept = self._target(step.path), self.kept(number)
        if (now := rename.mark(target)) is not None and not force:
            if now != rename.mark(kept):  # equal: a copy was made, and the file not yet unlinked
                raise _ChangedError
            return
        modes = dict(self.modes)
        for folder in reversed(target.relative_to(self.top).parents):
            if rename.lstat(self.top / folder) is None:
                (self.top / folder).mkdir()
                (self.top / folder).chmod(modes.get(folder.as_posix(), 0o755))
        rename.move(kept, target)

    def _target(self, path: str) -> Path:
        target = self.top / path
        folders = [*target.relative_to(self.top).parents][:-1]
        if any((self.top / folder).is_symlink() for folder in folders):
            raise _ChangedError  # it leads elsewhere by now
        return target


class _ChangedError(OSError):
    """Somebody has written the path since."""

    def __init__(self) -> None:
        super().__init__(0, "it was changed meanwhile")


@contextmanager
def _noting(problems: list[str], path: str) -> Iterator[None]:
    """Note an OSError in PROBLEMS and go on."""
    try:
        yield
    except OSError as error:
        problems.append(f"{path}: {error.strerror}")


def plan(top: Path, folder: Path, present: Sequence[str], removed: Sequence[str]) -> ReplacePlan:
    """Plan to move PRESENT from `new/` of FOLDER into TOP, and REMOVED out."""
    out = (ReplaceStep(path, _what_is_at(top / path), None) for path in removed)
    put = (
        ReplaceStep(path, _what_is_at(top / path), rename.mark(folder / "new" / path))
        for path in present
    )
    return ReplacePlan(
        top,
        folder,
        (*out, *put),
        tuple(dict.fromkeys(name for path in present for name in _missing(top, path))),
        tuple(dict(pair for path in removed for pair in _folders(top, path)).items()),
        os.getpid(),
    )


def _what_is_at(path: Path) -> str:
    status = rename.lstat(path)
    if status is None:
        return "nothing"
    return "folder" if stat.S_ISDIR(status.st_mode) else "file"


def _missing(top: Path, path: str) -> list[str]:
    """Name the folders above PATH that are none yet, outer ones first."""
    folders = [top / folder for folder in reversed((top / path).relative_to(top).parents)]
    return [f.relative_to(top).as_posix() for f in folders if _what_is_at(f) != "folder"]


def _folders(top: Path, path: str) -> list[tuple[str, int]]:
    """Give the folders above PATH with their modes."""
    found = []
    for folder in (top / path).relative_to(top).parents:
        status = rename.lstat(top / folder)
        if status is not None:
            found.append((folder.as_posix(), stat.S_IMODE(status.st_mode)))
    return found
