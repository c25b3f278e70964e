"""GitHub's time, which may not be this machine's."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from dursor.github.transport import RestResponse


class Clock:
    """The clock of this machine, and how far GitHub's is ahead of it."""

    def __init__(self, read: Callable[[], float], skew: float = 0.0) -> None:
        self._read = read
        self.skew = skew

    def local(self) -> float:
        """Give the time here, in seconds since 1970."""
        return self._read()

    def server(self) -> float:
        """Give GitHub's time as far as it is known."""
        return self._read() + self.skew

    def at(self, reply: RestResponse) -> float:
        """Give GitHub's time when it answered REPLY; our guess when it does not say."""
        try:
            return parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
        except (ValueError, OverflowError):
            return self.server()

    def learn(self, reply: RestResponse) -> None:
        """Take GitHub's time from its answer."""
        self.skew = self.at(reply) - self._read()
