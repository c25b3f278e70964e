"""A sandbox that isolates nothing."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from dursor.services.ports import SandboxResult

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Variables that programs need to start. The user's other variables, keys among them, are dropped.
ENVIRONMENT = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH")


class DirectProcess:
    """Runs a command as a process of this user, with few variables and no input."""

    def run(self, command: Sequence[str], folder: Path, timeout: float) -> SandboxResult:
        try:
            process = subprocess.run(
                command,
                check=False,
                cwd=folder,
                env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            return SandboxResult(None, "")
        return SandboxResult(process.returncode, process.stdout)
