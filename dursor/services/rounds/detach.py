"""Hands a recorded round to a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Any

from dursor.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dursor.store.lease import Lease

SECRET_MARKS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "CREDENTIAL")


def spawn(spec: Mapping[str, Any], lease: Lease, env: Mapping[str, str], cwd: Path) -> None:
    """Start a worker with SPEC, keys included, over its standard input; returns once it has them.

    The worker inherits the lease, so that its runs have an owner from the first moment on.
    """
    orders = {**spec, "cwd": str(cwd), "lease_fd": lease.fileno()}
    process = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "dursor.worker",
        ],  # -P: the repository is no place to import from
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
    _hand(process.stdin, json.dumps(orders) + "\n")
    with process.stdout as answer:
        ready = answer.readline().strip() == b"ready"
    if not ready:
        raise InternalError(
            f"the worker process ended at once (exit {process.wait()})",
            hint="run the same without --detach to see why",
        )
    process.returncode = 0  # it lives on; nobody waits for it here


def _hand(stream: IO[bytes], text: str) -> None:
    try:
        with stream:
            stream.write(text.encode())
    except BrokenPipeError:
        return  # it ended before it read; its missing answer says so


def without_secrets(env: Mapping[str, str]) -> dict[str, str]:
    """ENV less everything whose name says that it holds a secret."""
    return {
        name: value
        for name, value in env.items()
        if not any(mark in name.upper() for mark in SECRET_MARKS)
    }
