"""The user's browser; it is told the address of a page and nothing else."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys

from dursor.cli.output.terminal import tell
from dursor.services.rounds.detach import without_secrets

PROGRAMS = ("xdg-open", "wslview", "gio open", "sensible-browser", "x-www-browser")


def show_page(url: str) -> None:
    """Open URL; where there is no browser, say what to open."""
    command = _command(url)
    if command is None or not _started(command):
        tell(f"open {url}")


def _command(url: str) -> list[str] | None:
    named = os.environ.get("BROWSER", "").split(os.pathsep)[0]
    if named:
        words = shlex.split(named, posix=os.name != "nt")
        return [word.replace("%s", url) for word in words] if "%s" in named else [*words, url]
    if sys.platform == "darwin":
        return ["open", url]
    if sys.platform == "win32":
        return ["rundll32", "url.dll,FileProtocolHandler", url]
    found = next((one for one in PROGRAMS if shutil.which(one.split()[0])), None)
    return None if found is None else [*found.split(), url]


def _started(command: list[str]) -> bool:
    try:
        process = subprocess.Popen(
            command,
            env=without_secrets(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    process.returncode = 0  # it lives as long as the user likes; nobody waits for it here
    return True
