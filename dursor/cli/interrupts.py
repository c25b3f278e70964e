"""Ctrl-C while dursor starts and while it ends, when there is nothing yet or no more to stop.

An exception in the middle of an import leaves modules half made, and Python loses some on the way.
So until a command begins Ctrl-C is only noted; it is over in a moment.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_came: list[int] = []


def defer() -> None:
    """Note Ctrl-C from now on; one that was to be ignored (nohup, a shell's `&`) stays so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _note)


def heed() -> None:
    """Hear Ctrl-C again: KeyboardInterrupt at once when it came, else as soon as it does."""
    if signal.getsignal(signal.SIGINT) is not _note:
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if _came:
        raise KeyboardInterrupt


@contextmanager
def held() -> Iterator[None]:
    """Hold Ctrl-C back until the block is through."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, _note)
    try:
        yield
    finally:
        if before is not None:  # None: whoever loaded Python set it
            signal.signal(signal.SIGINT, before)


def ignore() -> None:
    """Let Ctrl-C do nothing any more: all is said, and the process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _note(number: int, frame: FrameType | None) -> None:
    del frame
    _came.append(number)
