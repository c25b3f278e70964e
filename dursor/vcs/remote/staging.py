"""Temporary folders beside clones, for a clone that is being created or deleted."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dursor.files import hold_lock, try_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW, REMOVED = ".clone-", ".removed-"
OWNER, LOCK = "owner.lock", ".waiting.lock"


@contextmanager
def open_staging(parent: Path, prefix: str) -> Iterator[Path]:
    """Create a folder with PREFIX (NEW, REMOVED) in PARENT and delete it afterwards.

    Folders of killed processes are deleted first.
    """
    with hold_lock(parent / LOCK):
        _delete_abandoned(parent)
        folder = TemporaryDirectory(prefix=prefix, dir=parent)
        owner = os.open(Path(folder.name) / OWNER, os.O_RDWR | os.O_CREAT, 0o600)
        try_lock(owner)
    try:
        yield Path(folder.name)
    finally:
        os.close(owner)
        _make_deletable(Path(folder.name))
        folder.cleanup()


def _make_deletable(folder: Path) -> None:
    """Make git's read-only object files writable on Windows, which cannot delete them otherwise."""
    if os.name == "nt":
        for item in folder.rglob("*"):
            item.chmod(0o700)


def _delete_abandoned(parent: Path) -> None:
    for folder in (*parent.glob(f"{NEW}*"), *parent.glob(f"{REMOVED}*")):
        if folder.is_dir() and not folder.is_symlink() and not _is_owned(folder):
            _make_deletable(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _is_owned(folder: Path) -> bool:
    """Check whether a running process owns FOLDER; one that was killed early has no lock file."""
    try:
        owner = os.open(folder / OWNER, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # of another user
    try:
        return not try_lock(owner)
    finally:
        os.close(owner)
