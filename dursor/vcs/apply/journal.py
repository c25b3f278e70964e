"""Record an apply on disk, so that a later command can undo it if the process is killed.

Each working tree has one file, in dursor's data folder, since its contents are trusted. The process
holds a lock on it until it ends.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dursor.errors import ConflictError, InternalError
from dursor.files import LOCK_POLL, make_private_dir, try_lock
from dursor.vcs.apply.replace_plan import ReplacePlan, ReplaceStep

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 10.0  # seconds to wait for another apply


@dataclass(frozen=True)
class ApplyIntent:
    """A planned apply."""

    plan: ReplacePlan  # without steps during preparation
    head: str  # the commit before the apply
    before: str | None  # the branch before the apply; None when detached
    branch: str | None  # the new branch
    subject: str | None  # of the new commit


class ApplyJournal:
    """An open and locked journal; it is empty until there is something to undo."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def write(self, intent: ApplyIntent) -> None:
        """Replace the contents by INTENT and sync them to disk."""
        data = memoryview(json.dumps(asdict(intent), default=str).encode("ascii"))
        try:
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            while data:
                data = data[os.write(self._descriptor, data) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise InternalError(
                f"cannot write {self.path}: {error.strerror}", hint=f"df {self.path.parent}"
            ) from error

    def mark_done(self, idle: ApplyIntent) -> None:
        """Record that only the folder remains to be removed."""
        with contextlib.suppress(InternalError):  # the file was truncated in any case
            self.write(idle)

    def read(self) -> ApplyIntent | None:
        """Read the intent to undo; None if there is none, or it is incomplete."""
        with open(self._descriptor, "rb", closefd=False) as stream:
            stream.seek(0)
            text = stream.read()
        try:
            return _parse_intent(json.loads(text))
        except (ValueError, KeyError, TypeError):
            return None

    def close(self) -> None:
        """Delete the journal and unlock it."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            self.path.unlink(missing_ok=True)  # Windows cannot delete an open file
        self.release()

    def release(self) -> None:
        """Unlock the journal and keep its contents."""
        os.close(self._descriptor)


@contextlib.contextmanager
def open_journal(folder: Path, top: Path) -> Iterator[ApplyJournal]:
    """Open TOP's journal in FOLDER; ConflictError while another process holds it."""
    make_private_dir(folder)
    name = hashlib.sha256(os.fsencode(os.path.realpath(top))).hexdigest()[:32]
    journal = _wait_for(folder / f"{name}.json", top)
    if journal.read() is not None:
        journal.release()
        raise ConflictError(
            f"an apply in {top} was interrupted", hint="run the same command again to undo it first"
        )
    try:
        yield journal
    finally:
        journal.close()


def read_abandoned(folder: Path) -> Iterator[ApplyIntent]:
    """Yield the intents of dead processes in FOLDER; each journal is deleted afterwards."""
    for path in [*folder.glob("*.json")] if folder.is_dir() else []:
        journal = _open(path, create=False)
        if journal is None:
            continue
        try:
            intent = journal.read()
            if intent is not None:
                yield intent
        finally:
            journal.close()


def remove_folder(plan: ReplacePlan) -> None:
    """Remove the plan's folder of new and old files."""
    if plan.folder.name.startswith("dursor-"):
        shutil.rmtree(plan.folder, ignore_errors=True)


def _wait_for(path: Path, top: Path) -> ApplyJournal:
    deadline = time.monotonic() + PATIENCE
    while (journal := _open(path, create=True)) is None:
        if time.monotonic() >= deadline:
            raise ConflictError(
                f"another dursor process is changing {top}", hint="try again when it has finished"
            )
        time.sleep(LOCK_POLL)  # locks have no timeout
    return journal


def _open(path: Path, *, create: bool) -> ApplyJournal | None:
    """Open and lock PATH; None if another process holds it or has just deleted it."""
    try:
        descriptor = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InternalError(f"cannot open {path}: {error.strerror}") from error
    with contextlib.suppress(OSError):
        if try_lock(descriptor) and os.path.samestat(os.fstat(descriptor), path.stat()):
            return ApplyJournal(path, descriptor)
    os.close(descriptor)
    return None


def _parse_intent(content: dict[str, Any]) -> ApplyIntent:
    plan = content.pop("plan")
    steps = (ReplaceStep(path, old, new and tuple(new)) for path, old, new in plan.pop("steps"))
    return ApplyIntent(
        ReplacePlan(
            top=Path(plan["top"]),
            folder=Path(plan["folder"]),
            steps=tuple(steps),
            made=tuple(plan["made"]),
            modes=tuple(map(tuple, plan["modes"])),
            pid=plan["pid"],
        ),
        **content,
    )
