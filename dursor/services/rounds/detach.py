"""Hands a stored round to a worker process."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dursor.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dursor.store.lease import Lease

SECRET_MARKS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "CREDENTIAL")


def spawn(order: Mapping[str, Any], lease: Lease, env: Mapping[str, str], cwd: Path) -> None:
    """Start a worker and send it ORDER, keys included, over its standard input.

    Returns when the worker has it. The worker inherits the lease, so that its runs have an owner
    from the first moment on.
    """
    order = {**order, "cwd": str(cwd), "lease_fd": lease.fileno()}
    process = subprocess.Popen(
        # -P: nothing is imported from the repository
        [sys.executable, "-P", "-m", "dursor.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=without_secrets(env),
        cwd=cwd,
        pass_fds=(lease.fileno(),) if sys.platform != "win32" else (),
        start_new_session=True,
    )
    if process.stdin is None or process.stdout is None:
        raise AssertionError
    # a worker that ended before it read gives no answer
    with suppress(BrokenPipeError), process.stdin as stdin:
        stdin.write(f"{json.dumps(order)}\n".encode())
    with process.stdout as stdout:
        is_ready = stdout.readline().strip() == b"ready"
    if not is_ready:
        raise InternalError(
            f"the worker process ended at once (exit code {process.wait()})",
            hint="run the same command without --detach to see why",
        )
    process.returncode = 0  # it outlives this process, which never waits for it


def read_order(text: str) -> dict[str, Any]:
    """Parse the order that `spawn` sent."""
    try:
        order: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise InternalError("the worker was started without an order") from error
    return order


def without_secrets(env: Mapping[str, str]) -> dict[str, str]:
    """Return ENV without the variables whose name suggests a secret."""
    return {
        name: value
        for name, value in env.items()
        if not any(mark in name.upper() for mark in SECRET_MARKS)
    }
