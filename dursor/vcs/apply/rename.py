"""Rename files, or copy them where a file system cannot rename."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def move(source: Path, target: Path) -> None:
    """Rename SOURCE to TARGET; across file systems, copy it."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, target)
        source.unlink()


def build_copy_path(target: Path, pid: int) -> Path:
    """Return the path of the temporary copy that process PID makes for TARGET."""
    return target.with_name(f".{target.name}.{pid}.tmp")


def link(source: Path, target: Path) -> None:
    """Make TARGET a hard link to SOURCE, or a copy if links are not supported."""
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    """Copy SOURCE to TARGET atomically."""
    copy = build_copy_path(target, os.getpid())
    shutil.copy2(source, copy, follow_symlinks=False)
    copy.replace(target)


def lstat(path: Path) -> os.stat_result | None:
    """Return the status of PATH; None if it does not exist."""
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def identify(path: Path) -> tuple[int, int] | None:
    """Return device and inode, which identify a file under any name."""
    status = lstat(path)
    return None if status is None else (status.st_dev, status.st_ino)


def read_stamp(path: Path) -> tuple[int, int, int] | None:
    """Return mode, size and modification time, which change when a file is written."""
    status = lstat(path)
    return None if status is None else (status.st_mode, status.st_size, status.st_mtime_ns)
