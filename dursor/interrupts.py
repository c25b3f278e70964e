"""Handle Ctrl-C at any moment without raising KeyboardInterrupt during an import.

An exception during an import leaves half-loaded modules, or the import lock held forever. While
dursor starts, Ctrl-C is only recorded. From a round's first row to its last one it cancels the
runs.
"""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

RECHECK_SECONDS = 0.001  # until the next check whether an import has ended
REPEAT_SECONDS = 0.5  # in which a second Ctrl-C does not disturb the clean-up
_armed: list[bool] = []
_received: list[float] = []  # time.monotonic() of each Ctrl-C


def defer() -> None:
    """Only record Ctrl-C from now on, unless it is ignored (nohup, a shell's `&`)."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _record)


def resume() -> None:
    """Raise KeyboardInterrupt for Ctrl-C again, at once if one was recorded."""
    if signal.getsignal(signal.SIGINT) is _record:
        signal.signal(signal.SIGINT, _interrupt)
    check()


def check() -> None:
    """Raise KeyboardInterrupt if Ctrl-C was received: Python drops exceptions in some places."""
    if _received:
        raise KeyboardInterrupt


@contextmanager
def hold() -> Iterator[None]:
    """Record Ctrl-C during the block and forget it afterwards."""
    with _install(_record):
        yield


@contextmanager
def call_on_interrupt(act: Callable[[], object]) -> Iterator[None]:
    """Call ACT for every Ctrl-C during the block, and at once if one was recorded."""

    def handle(number: int, frame: FrameType | None) -> None:
        _record(number, frame)
        act()

    if _received:
        act()
    with _install(handle):
        yield


def ignore() -> None:
    """Ignore Ctrl-C: the output is complete and the process ends."""
    if signal.getsignal(signal.SIGINT) in {_record, _interrupt}:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if _armed:
        signal.setitimer(signal.ITIMER_REAL, 0)  # its handler is about to go


@contextmanager
def _install(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    before, known = signal.getsignal(signal.SIGINT), len(_received)
    is_ours = before not in {None, signal.SIG_IGN}  # None: not set by Python
    if not is_ours or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if before is not _record:
            del _received[known:]


def _record(number: int, frame: FrameType | None) -> None:
    del number, frame
    _received.append(time.monotonic())


def _interrupt(number: int, frame: FrameType | None) -> None:
    is_first = not _received or time.monotonic() - _received[-1] > REPEAT_SECONDS
    if is_first:
        _record(number, frame)
        _raise(frame)


def _interrupt_later(number: int, frame: FrameType | None) -> None:
    del number
    if _received and signal.getsignal(signal.SIGINT) is _interrupt:
        _raise(frame)


def _raise(frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, or if FRAME is in an import, retry later by a timer.

    On a platform without timers the next `check` raises it.
    """
    if not _is_importing(frame):
        raise KeyboardInterrupt
    if hasattr(signal, "setitimer"):
        _armed.append(True)
        signal.signal(signal.SIGALRM, _interrupt_later)
        signal.setitimer(signal.ITIMER_REAL, RECHECK_SECONDS)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
