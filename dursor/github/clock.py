"""GitHub's clock, which may differ from the one of this machine."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from dursor.github.transport import RestResponse


class Clock:
    """The local clock and GitHub's offset from it, in seconds since 1970."""

    def __init__(self, read: Callable[[], float]) -> None:
        self.read_local = read
        self.skew = 0.0

    def read_server(self) -> float:
        """Estimate GitHub's time."""
        return self.read_local() + self.skew

    def read_date(self, response: RestResponse) -> float:
        """Return the date of RESPONSE by GitHub's clock, estimated if the header is missing."""
        try:
            return parsedate_to_datetime(response.headers.get("date", "")).timestamp()
        except (ValueError, OverflowError):
            return self.read_server()

    def synchronize(self, response: RestResponse) -> None:
        """Set the offset from the date of RESPONSE."""
        self.skew = self.read_date(response) - self.read_local()
