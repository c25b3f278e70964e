"""Who owns a run: a process that holds a lock file for as long as it lives, however it ends."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from dursor.domain import Run, new_id
from dursor.errors import InternalError
from dursor.files import make_private_dir, try_lock

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Lease(NamedTuple):
    """A lock held by this process; `id` stands in the rows of the runs it owns."""

    id: str
    path: Path
    descriptor: int

    @classmethod
    def acquire(cls, folder: Path) -> Lease:
        """Take a new lease in FOLDER, and clear away what dead processes left there."""
        make_private_dir(folder)
        sweep(folder)
        while True:
            lease_id = new_id()
            path = folder / f"{lease_id}.lock"
            descriptor = _open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            if try_lock(descriptor) and _is_at(descriptor, path):
                return cls(lease_id, path, descriptor)
            os.close(descriptor)  # another process swept it away between making and locking

    @classmethod
    def adopt(cls, folder: Path, lease_id: str, descriptor: int) -> Lease:
        """Take over the lease that a parent process handed down as an inherited descriptor."""
        return cls(lease_id, _path(folder, lease_id), descriptor)

    def fileno(self) -> int:
        """Give the locked descriptor; a child that inherits it (`pass_fds`) holds the lease too."""
        return self.descriptor

    def hand_over(self) -> None:
        """Let go of the lease without ending it: a child holds the same lock."""
        os.close(self.descriptor)

    def release(self) -> None:
        """End the lease."""
        with contextlib.suppress(OSError):  # Windows does not delete what is open; a sweep will
            self.path.unlink(missing_ok=True)
        os.close(self.descriptor)


def is_alive(folder: Path, lease_id: str) -> bool:
    """Tell whether some process holds the lease."""
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


def dead(folder: Path, runs: Iterable[Run]) -> list[Run]:
    """Pick those of the active RUNS whose owner is gone."""
    alive: dict[str | None, bool] = {None: False}
    found = []
    for run in runs:
        if run.lease not in alive:
            alive[run.lease] = is_alive(folder, run.lease or "")
        if not alive[run.lease]:
            found.append(run)
    return found


def sweep(folder: Path) -> None:
    """Delete the lock files that no process holds."""
    for path in folder.glob("*.lock"):
        with contextlib.suppress(OSError):  # gone already, or not ours to delete
            descriptor = os.open(path, os.O_RDWR)
            try:
                if try_lock(descriptor):
                    path.unlink(missing_ok=True)
            finally:
                os.close(descriptor)


def _path(folder: Path, lease_id: str) -> Path:
    if not lease_id.isalnum():
        raise InternalError(f"{lease_id!r} names no lease")
    return folder / f"{lease_id}.lock"


def _open(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags, 0o600)
    except OSError as error:
        raise InternalError(f"cannot open {path}: {error.strerror}") from error


def _is_at(descriptor: int, path: Path) -> bool:
    """Tell whether PATH still names the open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
