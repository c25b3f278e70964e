"""Environments of git processes, built from allow-lists."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dursor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Locations of programs, homes and temporary folders.
SYSTEM = (
    "PATH|HOME|USER|LOGNAME|LANG|TZ|TMPDIR|TEMP|TMP|XDG_CONFIG_HOME|LD_LIBRARY_PATH|SUDO_UID"
    "|USERPROFILE|HOMEDRIVE|HOMEPATH|APPDATA|LOCALAPPDATA|PROGRAMDATA|PROGRAMFILES|SYSTEMROOT"
    "|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT"
)
# Of all GIT_*, only the identity and the configuration files that the user chose.
GIT = (
    "GIT_AUTHOR_NAME|GIT_AUTHOR_EMAIL|GIT_AUTHOR_DATE|GIT_COMMITTER_NAME|GIT_COMMITTER_EMAIL"
    "|GIT_COMMITTER_DATE|EMAIL|GIT_CONFIG_GLOBAL|GIT_CONFIG_SYSTEM|GIT_CONFIG_NOSYSTEM"
)
# Only for a process that connects to another machine.
NETWORK = (
    "HTTP_PROXY|HTTPS_PROXY|ALL_PROXY|NO_PROXY|http_proxy|https_proxy|all_proxy|no_proxy"
    "|SSL_CERT_FILE|SSL_CERT_DIR|GIT_SSL_CAINFO|GIT_SSL_CAPATH|SSH_AUTH_SOCK"
    "|DBUS_SESSION_BUS_ADDRESS|XDG_RUNTIME_DIR"
)
# Only for a commit in the user's name: signing and hooks.
COMMIT = (
    "LC_ALL|LC_CTYPE|SSH_AUTH_SOCK|GNUPGHOME|GPG_TTY|TERM|SHELL|VIRTUAL_ENV|CONDA_PREFIX"
    "|XDG_CACHE_HOME|XDG_DATA_HOME|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS"
)

FIXED = {
    "LC_ALL": "C",
    "LANGUAGE": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GCM_INTERACTIVE": "Never",
    "GIT_OPTIONAL_LOCKS": "0",  # never refresh the user's index
    "GIT_ALLOW_PROTOCOL": "",  # reading a partial clone must not fetch
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # a commit is the same as everywhere else
    "GIT_PAGER": "cat",
    "GIT_EDITOR": ":",
}


def build_local_env() -> dict[str, str]:
    """Build the environment of a git process that stays on this machine."""
    path = {"PATH": build_search_path()}
    return _select(SYSTEM, GIT) | path | number_git_config(read_git_config()) | FIXED


def build_network_env(*protocols: str) -> dict[str, str]:
    """Build the additional environment of a git process that may use PROTOCOLS."""
    stalled = {"GIT_HTTP_LOW_SPEED_LIMIT": "1000", "GIT_HTTP_LOW_SPEED_TIME": "60"}
    return _select(NETWORK) | stalled | {"GIT_ALLOW_PROTOCOL": ":".join(protocols)}


def build_commit_env() -> dict[str, str]:
    """Build the environment of a commit in the user's name; its hooks may be any program."""
    fixed = {"PATH": build_search_path(), "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": ":"}
    variables = _select(SYSTEM, GIT, NETWORK, COMMIT)
    return variables | number_git_config(read_git_config()) | fixed


def _select(*patterns: str) -> dict[str, str]:
    allowed = re.compile("|".join(patterns))
    return {name: value for name, value in os.environ.items() if allowed.fullmatch(name)}


def build_search_path() -> str:
    """Return PATH without relative folders, which would run the repository's own files."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if Path(folder).is_absolute())


def find_git() -> str:
    """Return the path of git; UsageError if it is not installed."""
    if program := shutil.which("git", path=build_search_path()):
        return program
    hint = "xcode-select --install" if sys.platform == "darwin" else "install git: git-scm.com"
    raise UsageError("git is not installed, or not on PATH", hint=hint)


def read_git_config() -> list[tuple[str, str]]:
    """Read the settings in GIT_CONFIG_KEY_n except those that may hold a credential."""
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    pairs = [
        (os.environ.get(f"GIT_CONFIG_KEY_{n}", ""), os.environ.get(f"GIT_CONFIG_VALUE_{n}", ""))
        for n in range(min(int(count), 1000) if count.isdecimal() else 0)
    ]
    return [(k, v) for k, v in pairs if k and not k.lower().startswith(("http.", "credential."))]


def number_git_config(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Build the variables that pass PAIRS of settings to git."""
    result = {"GIT_CONFIG_COUNT": str(len(pairs))} if pairs else {}
    for n, (key, value) in enumerate(pairs):
        result |= {f"GIT_CONFIG_KEY_{n}": key, f"GIT_CONFIG_VALUE_{n}": value}
    return result
