"""Asking the user's own programs, which may know what is set up on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SECONDS = 5.0
# Where programs find what belongs to the user; of secrets, none.
PLACES = (
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "SYSTEMROOT",
)


def ask(
    words: Sequence[str], env: Mapping[str, str], variables: Sequence[str] = (), **more: str
) -> str | None:
    """Run the program WORDS and give what it prints; None when it is absent, late or fails.

    Of ENV it sees PATH without relative folders, where the user's things are, and VARIABLES.
    """
    folders = [one for one in env.get("PATH", "").split(os.pathsep) if Path(one).is_absolute()]
    path = os.pathsep.join(folders)
    program = shutil.which(words[0], path=path) if path else None
    if program is None:
        return None
    seen = {name: env[name] for name in (*PLACES, *variables) if name in env}
    try:
        done = subprocess.run(
            [program, *words[1:]],
            env={**seen, "PATH": path, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None
