"""Opens a page in the user's browser, without secrets in its environment."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys

from dursor.cli.output.terminal import print_stderr
from dursor.services.rounds.detach import without_secrets

PROGRAMS = ("xdg-open", "wslview", "gio open", "sensible-browser", "x-www-browser")


def open_page(url: str) -> None:
    """Open URL in the browser, or print it if no browser can be opened."""
    command = _find_command(url)
    if command is None or not _start(command):
        print_stderr(f"open {url}")


def _find_command(url: str) -> list[str] | None:
    browser = os.environ.get("BROWSER", "").split(os.pathsep)[0]
    if browser:
        words = shlex.split(browser, posix=os.name != "nt")
        return [word.replace("%s", url) for word in words] if "%s" in browser else [*words, url]
    if sys.platform == "darwin":
        return ["open", url]
    if sys.platform == "win32":
        return ["rundll32", "url.dll,FileProtocolHandler", url]
    program = next((name for name in PROGRAMS if shutil.which(name.split()[0])), None)
    return None if program is None else [*program.split(), url]


def _start(command: list[str]) -> bool:
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
    process.returncode = 0  # the browser outlives this process; suppresses the ResourceWarning
    return True
