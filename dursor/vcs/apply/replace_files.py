"""Replace files of a working tree, all or none.

New files are first written to a folder on the same file system and then renamed, so that every
file is either old or new at any moment. The folder keeps the old files and a failure restores
them; a plan on disk allows this even after the process was killed.
"""

from __future__ import annotations

import os
import shlex
import signal
import stat
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, InternalError
from dursor.vcs.apply import rename
from dursor.vcs.apply.rename import identify, lstat
from dursor.vcs.apply.replace_plan import build_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dursor.vcs.apply.replace_plan import ReplacePlan, ReplaceStep


class FileReplacement:
    """Replaces files of the working tree TOP by those in `new/` of FOLDER.

    RECORD is called with the plan before the first change.
    """

    def __init__(
        self, top: Path, folder: Path, record: Callable[[ReplacePlan], None] = lambda _: None
    ) -> None:
        self.top = top
        self.folder = folder
        self.new = folder / "new"
        self._record = record
        self._cwd = _find_cwd()
        self._plan: ReplacePlan | None = None
        for part in (self.new, folder / "old"):
            part.mkdir()
        self._start = (folder / "old").stat().st_ctime_ns

    def check(self, added: Sequence[str], replaced: Sequence[str], removed: Sequence[str]) -> None:
        """Raise ConflictError if a change would lose an untracked or unsaved file."""
        for path in (*added, *replaced, *removed):
            self._check_parents(path, removed)
        for path in (*replaced, *removed):
            status = lstat(self.top / path)
            if status is not None and status.st_ctime_ns > self._start and os.name == "posix":
                raise ConflictError(f"{path} has just been changed", hint="git diff")
        removed_files = {identify(self.top / path) for path in removed}
        for path in added:
            if not self._is_free(self.top / path, removed, removed_files):
                raise ConflictError(
                    f"untracked file {path} would be overwritten", hint=_suggest_move(path)
                )

    def copy_modes(
        self, origins: Mapping[str, tuple[str, bool | None]], added: Sequence[str]
    ) -> None:
        """Copy owners and permissions from the old files in ORIGINS to the new ones.

        ORIGINS also states whether a file becomes executable (None: unchanged). ADDED files get the
        group of a set-group-ID folder.
        """
        for path, (origin, executable) in origins.items():
            old, new = lstat(self.top / origin), self.new / path
            if old is not None and stat.S_ISREG(old.st_mode) and not new.is_symlink():
                _copy_mode(new, old, executable=executable)
        for path in added:
            folder = next(filter(Path.is_dir, (self.top / path).parents)).stat()
            if folder.st_mode & stat.S_ISGID:
                _change_owner(self.new / path, -1, folder.st_gid)

    def run(self, present: Sequence[str], removed: Sequence[str]) -> None:
        """Move the new files of PRESENT in and the REMOVED files out."""
        with defer_signals():
            try:
                plan = build_plan(self.top, self.folder, present, removed)
                self._record(plan)
                self._plan = plan
                for number, step in enumerate(plan.steps):
                    self._run_step(plan.build_old_path(number), step)
            except OSError as error:
                self.undo()
                name = error.filename2 or error.filename  # a rename's target
                raise InternalError(
                    f"cannot write {name}: {error.strerror}; nothing was changed"
                ) from error
            except BaseException:  # also undo for Ctrl-C
                self.undo()
                raise

    def undo(self) -> None:
        """Restore everything; if a file cannot be restored, the error names its copy."""
        plan, self._plan = self._plan, None
        if plan is None:
            return
        with defer_signals():
            problems = plan.undo(force=True)
        if problems:
            kept = keep_old_files(self.folder)
            raise InternalError(f"cannot restore {problems[0]}; the old files are in {kept}")

    def _run_step(self, old: Path, step: ReplaceStep) -> None:
        target = self.top / step.path
        if step.new is None:
            self._remove(target, old)
            return
        if target.is_dir() and not target.is_symlink():
            target.rmdir()  # emptied by the removals
        target.parent.mkdir(parents=True, exist_ok=True)
        if lstat(target) is not None:
            rename.link(target, old)
        rename.move(self.new / step.path, target)

    def _remove(self, target: Path, old: Path) -> None:
        if lstat(target) is None:
            return
        rename.move(target, old)
        for folder in target.parents:
            if folder in {self.top, self._cwd}:
                break
            try:
                folder.rmdir()
            except OSError:
                break

    def _check_parents(self, path: str, removed: Sequence[str]) -> None:
        folder = self.top
        for part in Path(path).parts[:-1]:
            folder /= part
            status = lstat(folder)
            if status is None:
                return
            if not stat.S_ISDIR(status.st_mode):
                name = folder.relative_to(self.top).as_posix()
                if name in removed:
                    return
                raise ConflictError(
                    f"{name} would be overwritten by {path}", hint=_suggest_move(name)
                )

    def _is_free(
        self, target: Path, removed: Sequence[str], removed_files: set[tuple[int, int] | None]
    ) -> bool:
        status = lstat(target)
        if status is None:
            return True
        if stat.S_ISDIR(status.st_mode):
            inside = (p for p in target.rglob("*") if p.is_symlink() or not p.is_dir())
            return all(p.relative_to(self.top).as_posix() in removed for p in inside)
        return identify(target) in removed_files  # a rename that only changes the case of letters


def _copy_mode(new: Path, old: os.stat_result, *, executable: bool | None) -> None:
    mode = stat.S_IMODE(old.st_mode) & 0o777
    if executable is not None:
        mode = mode | (mode & 0o444) >> 2 if executable else mode & ~0o111
    made = new.stat()
    if (old.st_uid, old.st_gid) != (made.st_uid, made.st_gid):
        _change_owner(new, old.st_uid, old.st_gid)
    if mode != stat.S_IMODE(made.st_mode):
        with suppress(OSError):  # a file system without permissions
            new.chmod(mode)


def _change_owner(path: Path, user: int, group: int) -> None:
    with suppress(OSError, AttributeError):  # no permission, or no owners on this system
        os.chown(path, user, group, follow_symlinks=False)


def keep_old_files(folder: Path) -> Path:
    """Move the old files out of FOLDER, which will be deleted; return their new folder."""
    kept = folder.with_name(f"{folder.name}-kept")
    (folder / "old").rename(kept)
    return kept


def _suggest_move(path: str) -> str:
    return f"mv {shlex.quote(path)} {shlex.quote(path + '.mine')}"


def _find_cwd() -> Path | None:
    try:
        return Path.cwd()
    except OSError:
        return None


@contextmanager
def defer_signals() -> Iterator[list[int]]:
    """Defer Ctrl-C and termination signals until the block ends; yields those received."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda n, _: received.append(n)) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in before.items():
            with suppress(TypeError):  # a handler that was not set by Python cannot be restored
                signal.signal(number, handler)
        for number in received:
            signal.raise_signal(number)
