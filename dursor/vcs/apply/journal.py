"""What an apply is about to do, written down, so that a later command can undo one that was killed.

One file a working tree, in a folder of our own, never in the repository: what stands there is
carried out. Its owner holds a lock on it for as long as it lives.
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

PATIENCE = 10.0  # seconds for another apply to end


@dataclass(frozen=True)
class ApplyIntent:
    """An apply on its way."""

    plan: ReplacePlan  # without steps while it is prepared
    head: str  # the commit it began on
    before: str | None  # the branch it began on; None when detached
    branch: str | None  # the one to be made
    subject: str | None  # of the commit to be made


class ApplyJournal:
    """An open and locked journal, empty until there is something to undo."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def write(self, intent: ApplyIntent) -> None:
        """Put INTENT on the disk, in place of what was written before."""
        plan = intent.plan
        told = {**asdict(intent), "plan": {**asdict(plan), "top": str(plan.top)}}
        told["plan"]["folder"] = str(plan.folder)
        data = memoryview(json.dumps(told).encode("ascii"))
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

    def settle(self, idle: ApplyIntent) -> None:
        """Say that nothing is to be undone any more, only cleaned up."""
        with contextlib.suppress(InternalError):  # what was written before is gone all the same
            self.write(idle)

    def read(self) -> ApplyIntent | None:
        """Read what is to be undone; None when there is nothing, or it was not written whole."""
        with open(self._descriptor, "rb", closefd=False) as stream:
            stream.seek(0)
            text = stream.read()
        try:
            return _intent(json.loads(text))
        except (ValueError, KeyError, TypeError):
            return None

    def close(self) -> None:
        """Forget what was written, and unlock."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            self.path.unlink(missing_ok=True)  # Windows does not delete what is open
        self.let_go()

    def let_go(self) -> None:
        """Unlock, and leave what was written."""
        os.close(self._descriptor)


@contextlib.contextmanager
def journal(folder: Path, top: Path) -> Iterator[ApplyJournal]:
    """Open the journal in FOLDER of the working tree TOP; ConflictError while another holds it."""
    make_private_dir(folder)
    name = hashlib.sha256(os.fsencode(os.path.realpath(top))).hexdigest()[:32]
    opened = _wait_for(folder / f"{name}.json", top)
    if opened.read() is not None:
        opened.let_go()
        raise ConflictError(
            f"an apply was killed in {top} just now", hint="the same again, which undoes it first"
        )
    try:
        yield opened
    finally:
        opened.close()


def left_behind(folder: Path) -> Iterator[ApplyIntent]:
    """Give what dead processes left in FOLDER; each is forgotten after its turn."""
    for path in [*folder.glob("*.json")] if folder.is_dir() else []:
        opened = _open(path, create=False)
        if opened is None:
            continue
        try:
            intent = opened.read()
            if intent is not None:
                yield intent
        finally:
            opened.close()


def discard(plan: ReplacePlan) -> None:
    """Remove the folder that kept new and old files."""
    if plan.folder.name.startswith("dursor-"):
        shutil.rmtree(plan.folder, ignore_errors=True)


def _wait_for(path: Path, top: Path) -> ApplyJournal:
    deadline = time.monotonic() + PATIENCE
    while (opened := _open(path, create=True)) is None:
        if time.monotonic() >= deadline:
            raise ConflictError(
                f"another dursor is changing {top}", hint="try again when it is done"
            )
        time.sleep(LOCK_POLL)  # a lock has no wait with a limit
    return opened


def _open(path: Path, *, create: bool) -> ApplyJournal | None:
    """Open and lock PATH; None when another holds it, or has just taken it away."""
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


def _intent(told: dict[str, Any]) -> ApplyIntent:
    plan = told.pop("plan")
    steps = tuple(
        ReplaceStep(path, had, None if comes is None else (comes[0], comes[1], comes[2]))
        for path, had, comes in plan["steps"]
    )
    return ApplyIntent(
        ReplacePlan(
            Path(plan["top"]),
            Path(plan["folder"]),
            steps,
            tuple(plan["made"]),
            tuple((name, mode) for name, mode in plan["modes"]),
            plan["pid"],
        ),
        **told,
    )
