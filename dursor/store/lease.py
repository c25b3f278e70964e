"""Ownership of runs: a process holds a lock file until it ends, in whatever way."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from dursor.errors import InternalError
from dursor.files import make_private_dir, try_lock
from dursor.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Lease(NamedTuple):
    """A lock held by this process; the store names its `id` for each run that it owns."""

    id: str
    path: Path
    descriptor: int

    @classmethod
    def acquire(cls, folder: Path) -> Lease:
        """Take a new lease in FOLDER, and delete those of dead processes."""
        make_private_dir(folder)
        sweep(folder)
        while True:
            lease_id = new_id()
            path = folder / f"{lease_id}.lock"
            descriptor = _open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            if try_lock(descriptor) and _is_at(descriptor, path):
                return cls(lease_id, path, descriptor)
            os.close(descriptor)  # another process deleted it between creation and lock

    @classmethod
    def adopt(cls, folder: Path, lease_id: str, descriptor: int) -> Lease:
        """Take over a lease whose descriptor was inherited from the parent process."""
        return cls(lease_id, _path(folder, lease_id), descriptor)

    def fileno(self) -> int:
        """Return the locked descriptor; a child that inherits it holds the lease too."""
        return self.descriptor

    def hand_over(self) -> None:
        """Close the descriptor without ending the lease: a child holds the same lock."""
        os.close(self.descriptor)

    def release(self) -> None:
        with contextlib.suppress(OSError):  # Windows does not delete open files; a sweep will
            self.path.unlink(missing_ok=True)
        os.close(self.descriptor)


def is_alive(folder: Path, lease_id: str) -> bool:
    """Return whether some process holds the lease."""
    path = _path(folder, lease_id)
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise InternalError(f"cannot open {path}: {error.strerror}") from error
    try:
        return not try_lock(descriptor, shared=True)
    finally:
        os.close(descriptor)


def find_dead(folder: Path, leases: Iterable[str | None]) -> set[str | None]:
    """Return those of LEASES that no process holds; None is always one of them."""
    return {lease for lease in leases if lease is None or not is_alive(folder, lease)}


def sweep(folder: Path) -> None:
    """Delete the lock files that no process holds."""
    for path in folder.glob("*.lock"):
        with contextlib.suppress(OSError):  # already deleted, or owned by another user
            descriptor = os.open(path, os.O_RDWR)
            try:
                if try_lock(descriptor):
                    path.unlink(missing_ok=True)
            finally:
                os.close(descriptor)


def _path(folder: Path, lease_id: str) -> Path:
    if not lease_id.isalnum():
        raise InternalError(f"{lease_id!r} is not a lease id")
    return folder / f"{lease_id}.lock"


def _open(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags, 0o600)
    except OSError as error:
        raise InternalError(f"cannot open {path}: {error.strerror}") from error


def _is_at(descriptor: int, path: Path) -> bool:
    """Return whether PATH still names the open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
