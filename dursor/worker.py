"""The process that goes on with a detached round: `python -m dursor.worker`, orders on stdin."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dursor.app import App
from dursor.services.events import ignore_event
from dursor.services.rounds.service import spec_of
from dursor.store.lease import Lease


def main() -> int:
    """Read the orders, say that they arrived, and run the round to its end."""
    spec = spec_of(sys.stdin.readline())
    app = App(os.environ, Path(spec["cwd"]), keys=spec["keys"])
    lease = Lease.adopt(app.leases, spec["lease"], spec["lease_fd"])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    _let_go_of_the_terminal()
    try:
        with app:
            app.rounds.adopt(spec, ignore_event)
    finally:
        lease.release()
    return 0


def _let_go_of_the_terminal() -> None:
    """Point the standard streams at nothing, so that whoever reads them sees their end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


if __name__ == "__main__":
    sys.exit(main())
