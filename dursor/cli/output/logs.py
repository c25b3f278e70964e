"""What the libraries and git have to say, on stderr, for those who set `log_level`."""

from __future__ import annotations

import logging
import sys

from dursor.cli.output.crash import clean


class Clean(logging.Formatter):
    """Takes out whatever this process may know as a secret, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line of RECORD."""
        return clean(super().format(record))


def start(level: str) -> None:
    """Write what is logged at LEVEL or above to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Clean("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
