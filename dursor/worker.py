"""The process that runs a detached round: `python -m dursor.worker`, its order on stdin."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dursor.app import App
from dursor.services.events import ignore_event
from dursor.services.rounds.detach import read_order
from dursor.store.lease import Lease


def main() -> int:
    """Read the order, acknowledge it, and run the round to its end."""
    order = read_order(sys.stdin.readline())
    app = App(os.environ, Path(order["cwd"]), keys=order["keys"])
    lease = Lease.adopt(app.leases, order["lease"], order["lease_fd"])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    devnull = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # their readers see the end
        os.dup2(devnull, stream)
    os.close(devnull)
    try:
        with app:
            app.rounds.adopt(order, ignore_event)
    finally:
        lease.release()
    return 0


if __name__ == "__main__":
    sys.exit(main())
