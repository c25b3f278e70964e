"""Renames, and what stands in for them where a file system has none."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def move(source: Path, target: Path) -> None:
    """Rename SOURCE over TARGET; across file systems, by way of a copy beside TARGET."""
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, target)
        source.unlink()


def copy_beside(target: Path, pid: int) -> Path:
    """Name the copy that process PID makes on its way to TARGET."""
    return target.with_name(f".{target.name}.{pid}.tmp")


def keep(source: Path, target: Path) -> None:
    """Make TARGET another name for the file SOURCE, or a copy where that cannot be."""
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    """Copy SOURCE to TARGET, whole or not at all."""
    beside = copy_beside(target, os.getpid())
    shutil.copy2(source, beside, follow_symlinks=False)
    beside.replace(target)


def lstat(path: Path) -> os.stat_result | None:
    """Look at PATH itself; None where nothing is."""
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def identity(path: Path) -> tuple[int, int] | None:
    """Tell files apart whatever their names."""
    status = lstat(path)
    return None if status is None else (status.st_dev, status.st_ino)


def mark(path: Path) -> tuple[int, int, int] | None:
    """Tell a file from one that was written since: mode, size and time of writing."""
    status = lstat(path)
    return None if status is None else (status.st_mode, status.st_size, status.st_mtime_ns)
