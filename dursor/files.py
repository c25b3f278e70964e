"""Private folders, atomic file replacement and locks between processes."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dursor.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK_POLL = 0.02


def make_private_dir(path: Path) -> Path:
    """Create PATH and its missing parents, accessible to the owner only."""
    missing = [folder for folder in (path, *path.parents) if not folder.is_dir()]
    try:
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise InternalError(
            f"cannot create folder {path}: {error.strerror}", hint=f"ls -ld {path.parent}"
        ) from error
    return path


def replace_file(path: Path, data: bytes | bytearray, *, mode: int = 0o600) -> None:
    """Write DATA to PATH atomically and sync it to disk; a symlink stays a symlink."""
    target = Path(os.path.realpath(path))
    make_private_dir(target.parent)
    temporary = target.with_name(f".{target.name}.{os.urandom(8).hex()}")
    try:
        try:
            _write_new(temporary, data, mode)
            temporary.replace(target)
        except BaseException:  # also clean up for Ctrl-C
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
    except OSError as error:
        raise InternalError(
            f"cannot write {path}: {error.strerror}", hint=f"ls -ld {path} {path.parent}"
        ) from error


def _write_new(path: Path, data: bytes | bytearray, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int, *, shared: bool = False) -> bool:  # noqa: ARG001 - Windows has no shared locks
        """Lock an open file without waiting; False if another process holds it."""
        os.lseek(descriptor, 0, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(descriptor: int, *, shared: bool = False) -> bool:
        """Lock an open file without waiting; False if another process holds it."""
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextlib.contextmanager
def hold_lock(path: Path, *, timeout: float = 10.0) -> Iterator[None]:
    """Hold the lock file PATH, which is created and kept; InternalError after TIMEOUT seconds."""
    make_private_dir(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise InternalError(
            f"cannot open {path}: {error.strerror}", hint=f"ls -ld {path} {path.parent}"
        ) from error
    try:
        _wait_for(descriptor, path, time.monotonic() + timeout)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, path: Path, deadline: float) -> None:
    while not try_lock(descriptor):
        if time.monotonic() >= deadline:
            raise InternalError(
                f"another process holds {path}", hint="try again when it has finished"
            )
        time.sleep(LOCK_POLL)  # flock has no timeout
