"""Ctrl-C: heard at every moment, lost at none, and never raised in the middle of an import.

An exception there leaves modules half made, or the lock of all imports taken for good, and then
other threads wait for it for ever. While dursor starts, Ctrl-C is only noted; it is over in a
moment. From a round's first row to its last one it cancels what runs.
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

SOON = 0.001  # seconds until an import is looked at again
ONE_PRESS = 0.5  # seconds in which what is undone after one Ctrl-C is spared the next
_armed: list[bool] = []
_came: list[float] = []  # when, time.monotonic()


def defer() -> None:
    """Note Ctrl-C from now on; one that was to be ignored (nohup, a shell's `&`) stays so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _note)


def resume() -> None:
    """Hear Ctrl-C again: KeyboardInterrupt at once when it came, else as soon as it does."""
    if signal.getsignal(signal.SIGINT) is _note:
        signal.signal(signal.SIGINT, _strike)
    check()


def check() -> None:
    """Raise KeyboardInterrupt if Ctrl-C came: Python drops exceptions in some places."""
    if _came:
        raise KeyboardInterrupt


@contextmanager
def hold() -> Iterator[None]:
    """Hold Ctrl-C back until the block is through, and forget it then."""
    with _handled(_note):
        yield


@contextmanager
def call_on_interrupt(act: Callable[[], object]) -> Iterator[None]:
    """Call ACT for every Ctrl-C; at once for one that is being held back."""

    def tell(number: int, frame: FrameType | None) -> None:
        _note(number, frame)
        act()

    if _came:
        act()
    with _handled(tell):
        yield


def ignore() -> None:
    """Let Ctrl-C do nothing any more: all is said, and the process ends."""
    if signal.getsignal(signal.SIGINT) in {_note, _strike}:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if _armed:
        signal.setitimer(signal.ITIMER_REAL, 0)  # it must not ring when nobody listens any more


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    before, known = signal.getsignal(signal.SIGINT), len(_came)
    is_ours = before not in {None, signal.SIG_IGN}  # None: whoever loaded Python set it
    if not is_ours or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if before is not _note:
            del _came[known:]


def _note(number: int, frame: FrameType | None) -> None:
    del number, frame
    _came.append(time.monotonic())


def _strike(number: int, frame: FrameType | None) -> None:
    is_first = not _came or time.monotonic() - _came[-1] > ONE_PRESS
    if is_first:
        _note(number, frame)
        _raise(frame)


def _strike_later(number: int, frame: FrameType | None) -> None:
    del number
    if _came and signal.getsignal(signal.SIGINT) is _strike:
        _raise(frame)


def _raise(frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt; after the import that FRAME is in, where the platform has a timer.

    Elsewhere the next `check` raises it.
    """
    if not _is_importing(frame):
        raise KeyboardInterrupt
    if hasattr(signal, "setitimer"):
        _armed.append(True)
        signal.signal(signal.SIGALRM, _strike_later)
        signal.setitimer(signal.ITIMER_REAL, SOON)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
