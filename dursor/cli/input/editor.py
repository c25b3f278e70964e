"""Opens the user's editor for a text longer than a line."""

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


def edit(hint: str) -> str:
    """Open the editor on an empty file and return its text; UsageError with HINT on failure."""
    handle, name = mkstemp(prefix="dursor-", suffix=".md")
    os.close(handle)
    path = Path(name)
    try:
        _run([*_find_editor(hint), name], hint)
        return path.read_text(encoding="utf-8", errors="replace")
    finally:
        path.unlink(missing_ok=True)


def _find_editor(hint: str) -> list[str]:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if editor:
        return shlex.split(editor, posix=os.name != "nt")
    fallback = next(filter(shutil.which, FALLBACKS), None)
    if fallback is None:
        raise UsageError("no editor found: EDITOR is not set", hint=hint)
    return [fallback]


def _run(command: list[str], hint: str) -> None:
    editor = command[0]
    try:
        done = subprocess.run(command, env=without_secrets(os.environ), check=False)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"cannot start the editor {editor!r}: {reason}", hint=hint) from error
    if done.returncode != 0:
        raise UsageError(
            f"the editor {editor!r} failed with exit code {done.returncode}", hint=hint
        )
