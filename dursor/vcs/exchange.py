"""Put files into a working tree, all or none.

Everything is written beforehand, in a folder on the same file system; what remains is a rename a
file, so that a file is at every moment what it was or what it will be. A failure puts back what
was there; the folder keeps the old files until then.
"""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import signal
import stat
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Exchange:
    """New files for the working tree TOP, waiting in FOLDER under `new/`."""

    def __init__(self, top: Path, folder: Path) -> None:
        self.top = top
        self.new = folder / "new"
        self._old = folder / "old"
        self._here = _here()
        self._undo: list[Callable[[], object]] = []
        for part in (self.new, self._old):
            part.mkdir()
        self._began = self._old.stat().st_ctime_ns

    def check(self, added: Sequence[str], replaced: Sequence[str], removed: Sequence[str]) -> None:
        """Refuse what would lose something nobody recorded; ConflictError names it."""
        for path in (*added, *replaced, *removed):
            self._check_parents(path, removed)
        for path in (*replaced, *removed):
            status = _lstat(self.top / path)
            if status is not None and status.st_ctime_ns > self._began and os.name == "posix":
                raise ConflictError(f"{path} was changed in this moment", hint="git diff")
        leaving = {identity(self.top / path) for path in removed}
        for path in added:
            if not self._is_free(self.top / path, removed, leaving):
                raise ConflictError(f"an untracked file is in the way: {path}", hint=_away(path))

    def run(self, present: Sequence[str], removed: Sequence[str]) -> None:
        """Move the new files of PRESENT in and the REMOVED ones out."""
        with undisturbed():
            try:
                for path in removed:
                    self._take_out(path)
                for path in present:
                    self._put_in(path)
            except OSError as error:
                self.undo()
                raise InternalError(
                    f"could not write {error.filename}: {error.strerror}; nothing was changed"
                ) from error
            except BaseException:
                self.undo()
                raise

    def undo(self) -> None:
        """Put everything back as it was; what cannot be is kept, and the error says where."""
        failures = []
        with undisturbed():
            while self._undo:
                try:
                    self._undo.pop()()
                except OSError as error:
                    failures.append(error)
        if failures:
            kept = self._old.parent.with_name(f"{self._old.parent.name}-kept")
            self._old.rename(kept)
            raise InternalError(
                f"could not put back {failures[0].filename}: the old files are in {kept}"
            ) from failures[0]

    def _take_out(self, path: str) -> None:
        target, kept = self.top / path, self._kept()
        if _lstat(target) is None:
            return
        move(target, kept)
        self._undo.append(lambda: move(kept, target))
        for folder in target.parents:
            if folder in {self.top, self._here}:
                break
            try:
                folder.rmdir()
            except OSError:
                break
            self._undo.append(folder.mkdir)

    def _put_in(self, path: str) -> None:
        target = self.top / path
        if target.is_dir() and not target.is_symlink():
            target.rmdir()  # emptied by what was taken out
            self._undo.append(target.mkdir)
        self._make_parents(target)
        if _lstat(target) is None:
            self._undo.append(lambda: target.unlink(missing_ok=True))
        else:
            kept = self._kept()
            keep(target, kept)
            self._undo.append(lambda: move(kept, target))
        move(self.new / path, target)

    def _make_parents(self, target: Path) -> None:
        missing = [folder for folder in target.parents if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            self._undo.append(folder.rmdir)

    def _kept(self) -> Path:
        return self._old / str(len(self._undo))

    def _check_parents(self, path: str, removed: Sequence[str]) -> None:
        folder = self.top
        for part in Path(path).parts[:-1]:
            folder /= part
            status = _lstat(folder)
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
        status = _lstat(target)
        if status is None:
            return True
        if stat.S_ISDIR(status.st_mode):
            inside = (p for p in target.rglob("*") if p.is_symlink() or not p.is_dir())
            return all(p.relative_to(self.top).as_posix() in removed for p in inside)
        return identity(target) in leaving  # a rename that only changes the case of letters


def move(source: Path, target: Path) -> None:
    """Rename SOURCE over TARGET; across file systems, by way of a copy beside TARGET."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        shutil.copy2(source, beside, follow_symlinks=False)
        beside.replace(target)
        source.unlink()


def keep(source: Path, target: Path) -> None:
    """Make TARGET another name for the file SOURCE, or a copy where that cannot be."""
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(source, target, follow_symlinks=False)


def identity(path: Path) -> tuple[int, int] | None:
    """Tell files apart whatever their names."""
    status = _lstat(path)
    return None if status is None else (status.st_dev, status.st_ino)


def _away(path: str) -> str:
    return f"mv {shlex.quote(path)} {shlex.quote(path + '.mine')}"


def _here() -> Path | None:
    try:
        return Path.cwd()
    except OSError:
        return None


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


@contextmanager
def undisturbed() -> Iterator[list[int]]:
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
