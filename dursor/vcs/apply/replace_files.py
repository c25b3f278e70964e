"""Put files into a working tree, all or none.

Everything is written beforehand, in a folder on the same file system; what remains is a rename a
file, so that a file is at every moment what it was or what it will be. A failure puts back what
was there; the folder keeps the old files until then, and a plan on disk says how, should the
process be killed.
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
from dursor.vcs.apply.rename import identity, lstat
from dursor.vcs.apply.replace_plan import plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dursor.vcs.apply.replace_plan import ReplacePlan, ReplaceStep


class FileReplacement:
    """New files for the working tree TOP, waiting in FOLDER under `new/`.

    RECORD is told what will be done, before any of it is.
    """

    def __init__(
        self, top: Path, folder: Path, record: Callable[[ReplacePlan], None] = lambda _: None
    ) -> None:
        self.top = top
        self.folder = folder
        self.new = folder / "new"
        self._record = record
        self._here = _here()
        self._plan: ReplacePlan | None = None
        for part in (self.new, folder / "old"):
            part.mkdir()
        self._began = (folder / "old").stat().st_ctime_ns

    def check(self, added: Sequence[str], replaced: Sequence[str], removed: Sequence[str]) -> None:
        """Refuse what would lose something nobody recorded; ConflictError names it."""
        for path in (*added, *replaced, *removed):
            self._check_parents(path, removed)
        for path in (*replaced, *removed):
            status = lstat(self.top / path)
            if status is not None and status.st_ctime_ns > self._began and os.name == "posix":
                raise ConflictError(f"{path} was changed in this moment", hint="git diff")
        leaving = {identity(self.top / path) for path in removed}
        for path in added:
            if not self._is_free(self.top / path, removed, leaving):
                raise ConflictError(f"an untracked file is in the way: {path}", hint=_away(path))

    def take_modes(
        self, origins: Mapping[str, tuple[str, bool | None]], added: Sequence[str]
    ) -> None:
        """Give new files the owners and permissions of the old ones that ORIGINS names.

        True and False: it becomes executable, or no longer is. Those ADDED get the group that
        their folder gives to what is made in it.
        """
        for path, (origin, executable) in origins.items():
            old, new = lstat(self.top / origin), self.new / path
            if old is not None and stat.S_ISREG(old.st_mode) and not new.is_symlink():
                _dress(new, old, executable=executable)
        for path in added:
            folder = next(filter(Path.is_dir, (self.top / path).parents)).stat()
            if folder.st_mode & stat.S_ISGID:
                _give(self.new / path, -1, folder.st_gid)

    def run(self, present: Sequence[str], removed: Sequence[str]) -> None:
        """Move the new files of PRESENT in and the REMOVED ones out."""
        with defer_signals():
            try:
                planned = plan(self.top, self.folder, present, removed)
                self._record(planned)
                self._plan = planned
                for number, step in enumerate(planned.steps):
                    self._take(planned, number, step)
            except OSError as error:
                self.undo()
                name = error.filename2 or error.filename  # of a rename, where it was to go
                raise InternalError(
                    f"could not write {name}: {error.strerror}; nothing was changed"
                ) from error
            except BaseException:  # Ctrl-C, too, changes all of it or nothing
                self.undo()
                raise

    def undo(self) -> None:
        """Put everything back as it was; what cannot be is kept, and the error says where."""
        planned, self._plan = self._plan, None
        if planned is None:
            return
        with defer_signals():
            problems = planned.undo(force=True)
        if problems:
            kept = keep_old_files(self.folder)
            raise InternalError(f"could not put back {problems[0]}; the old files are in {kept}")

    def _take(self, planned: ReplacePlan, number: int, step: ReplaceStep) -> None:
        target, kept = self.top / step.path, planned.kept(number)
        if step.comes is None:
            self._take_out(target, kept)
            return
        if target.is_dir() and not target.is_symlink():
            target.rmdir()  # emptied by what was taken out
        target.parent.mkdir(parents=True, exist_ok=True)
        if lstat(target) is not None:
            rename.keep(target, kept)
        rename.move(self.new / step.path, target)

    def _take_out(self, target: Path, kept: Path) -> None:
        if lstat(target) is None:
            return
        rename.move(target, kept)
        for folder in target.parents:
            if folder in {self.top, self._here}:
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
                raise ConflictError(f"{name} is in the way of {path}", hint=_away(name))

    def _is_free(
        self, target: Path, removed: Sequence[str], leaving: set[tuple[int, int] | None]
    ) -> bool:
        status = lstat(target)
        if status is None:
            return True
        if stat.S_ISDIR(status.st_mode):
            inside = (p for p in target.rglob("*") if p.is_symlink() or not p.is_dir())
            return all(p.relative_to(self.top).as_posix() in removed for p in inside)
        return identity(target) in leaving  # a rename that only changes the case of letters


def _dress(new: Path, old: os.stat_result, *, executable: bool | None) -> None:
    mode = stat.S_IMODE(old.st_mode) & 0o777
    if executable is not None:
        mode = mode | (mode & 0o444) >> 2 if executable else mode & ~0o111
    made = new.stat()
    if (old.st_uid, old.st_gid) != (made.st_uid, made.st_gid):
        _give(new, old.st_uid, old.st_gid)
    if mode != stat.S_IMODE(made.st_mode):
        with suppress(OSError):  # a file system without permissions
            new.chmod(mode)


def _give(path: Path, user: int, group: int) -> None:
    with suppress(OSError, AttributeError):  # only some may, and only some systems have owners
        os.chown(path, user, group, follow_symlinks=False)


def keep_old_files(folder: Path) -> Path:
    """Let what FOLDER keeps outlive it; returns where it is then."""
    kept = folder.with_name(f"{folder.name}-kept")
    (folder / "old").rename(kept)
    return kept


def _away(path: str) -> str:
    return f"mv {shlex.quote(path)} {shlex.quote(path + '.mine')}"


def _here() -> Path | None:
    try:
        return Path.cwd()
    except OSError:
        return None


@contextmanager
def defer_signals() -> Iterator[list[int]]:
    """Hold back Ctrl-C and requests to end until the block is through; it sees which came."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda n, _: came.append(n)) for number in numbers}
    try:
        yield came
    finally:
        for number, handler in before.items():
            with suppress(TypeError):  # a handler that Python did not set cannot be set again
                signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)
