"""Log records of dursor and its libraries, on stderr at `log_level`."""

from __future__ import annotations

import logging
import sys

from dursor.cli.output.crash import redact


class RedactingFormatter(logging.Formatter):
    """Removes every secret of this process, from tracebacks too."""

    def format(self, record: logging.LogRecord) -> str:
        """Format RECORD without secrets."""
        return redact(super().format(record))


def start_logging(level: str) -> None:
    """Log to stderr at LEVEL or above."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
