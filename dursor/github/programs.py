"""The user's own programs, `gh` and `ssh`, which know how this machine is set up."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SECONDS = 5.0
# Where programs find the user's files. None of these holds a secret.
LOCATIONS = (
    *("HOME", "USER", "LOGNAME", "TMPDIR", "USERPROFILE", "APPDATA", "LOCALAPPDATA"),
    "SYSTEMROOT",
)
ALIAS = r"([A-Za-z0-9_][A-Za-z0-9._-]+)"  # one letter is a drive
SSH_URL = re.compile(
    rf"(?:(?:git\+)?ssh://(?:[^@/]*@)?{ALIAS}(?::\d+)?/|(?:[^@/:\s]+@)?{ALIAS}:(?!//)/?)(\S+)"
)
HOSTNAME = re.compile(r"^hostname (\S+)$", re.MULTILINE)


def run_program(
    command: Sequence[str], env: Mapping[str, str], variables: Sequence[str] = (), **extra: str
) -> str | None:
    """Run COMMAND and return its output; None if it is missing, fails or takes too long.

    Of ENV, only VARIABLES, the LOCATIONS and PATH without relative folders are passed on.
    """
    path = os.pathsep.join(
        folder for folder in env.get("PATH", "").split(os.pathsep) if Path(folder).is_absolute()
    )
    program = shutil.which(command[0], path=path) if path else None
    if program is None:
        return None
    passed = {name: env[name] for name in (*LOCATIONS, *variables) if name in env}
    try:
        process = subprocess.run(
            [program, *command[1:]],
            env={**passed, "PATH": path, **extra},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if process.returncode else process.stdout.decode("utf-8", "replace").strip()


def resolve_ssh_alias(url: str, env: Mapping[str, str]) -> str:
    """Replace an ssh alias in URL by its host, as `ssh -G` reads it from the configuration."""
    match = SSH_URL.fullmatch(url)
    if match is None:
        return url
    alias = match[1] or match[2]
    hostname = HOSTNAME.search(run_program(["ssh", "-G", "--", alias], env) or "")
    if hostname is None or hostname[1] == alias:
        return url
    return f"ssh://{hostname[1]}/{match[3]}"
