"""The user's editor, for an instruction longer than a line."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from tempfile import mkstemp

from dursor.errors import UsageError
from dursor.services.rounds.detach import without_secrets

FALLBACKS = ("nano", "vi", "notepad")


def edit(instead: str) -> str:
    """Open the editor on an empty file and return what was written there.

    UsageError when it cannot be used, with INSTEAD as the hint.
    """
    handle, name = mkstemp(prefix="dursor-", suffix=".md")
    os.close(handle)
    path = Path(name)
    try:
        _run([*_command(instead), name], instead)
        return path.read_text(encoding="utf-8", errors="replace")
    finally:
        path.unlink(missing_ok=True)


def _command(instead: str) -> list[str]:
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if named:
        return shlex.split(named, posix=os.name != "nt")
    found = next(filter(shutil.which, FALLBACKS), None)
    if found is None:
        raise UsageError("there is no editor: EDITOR is not set", hint=instead)
    return [found]


def _run(command: list[str], instead: str) -> None:
    editor = command[0]
    try:
        done = subprocess.run(command, env=without_secrets(os.environ), check=False)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"cannot start the editor {editor!r}: {reason}", hint=instead) from error
    if done.returncode != 0:
        raise UsageError(f"the editor {editor!r} failed: exit {done.returncode}", hint=instead)
