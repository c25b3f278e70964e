"""Folders that wait beside clones, to become one or to go, and never outlive their process long."""

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

COMING, GOING = ".clone-", ".removed-"
OWNER, LOCK = "owner.lock", ".waiting.lock"


@contextmanager
def waiting(parent: Path, kind: str) -> Iterator[Path]:
    """Give a new folder of KIND (COMING, GOING) in PARENT, made if missing, and delete it after.

    Folders whose owners were killed are deleted first.
    """
    with hold_lock(parent / LOCK):
        _sweep(parent)
        folder = TemporaryDirectory(prefix=kind, dir=parent)
        owner = os.open(Path(folder.name) / OWNER, os.O_RDWR | os.O_CREAT, 0o600)
        try_lock(owner)
    try:
        yield Path(folder.name)
    finally:
        os.close(owner)
        _make_deletable(Path(folder.name))
        folder.cleanup()


def _make_deletable(folder: Path) -> None:
    """Let go of the protection that git's object files have, where it keeps them from deletion."""
    if os.name == "nt":
        for item in folder.rglob("*"):
            item.chmod(0o700)


def _sweep(parent: Path) -> None:
    for folder in (*parent.glob(f"{COMING}*"), *parent.glob(f"{GOING}*")):
        if folder.is_dir() and not folder.is_symlink() and not _is_owned(folder):
            _make_deletable(folder)
            shutil.rmtree(folder, ignore_errors=True)


def _is_owned(folder: Path) -> bool:
    """Tell whether a process works in FOLDER; only one that died early left no lock in it."""
    try:
        owner = os.open(folder / OWNER, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # not ours to delete
    try:
        return not try_lock(owner)
    finally:
        os.close(owner)
