"""Pass a token to one git process through its environment, never by arguments or files.

The settings are limited to one URL in git's most specific form, so that they override the user's
configuration (a helper that would store the token, a header, a rewritten URL). A repository's own
configuration could override them: an authenticated process only runs where `check_private` finds
only settings that dursor wrote.
"""

from __future__ import annotations

import base64
import os
import re
import sys
from typing import TYPE_CHECKING

from dursor.errors import PolicyError, UsageError
from dursor.hosts import is_loopback
from dursor.vcs.command import GitCommand, decode
from dursor.vcs.environment import build_network_env, number_git_config, read_git_config
from dursor.vcs.urls import check_url

if TYPE_CHECKING:
    from pathlib import Path

    from dursor.domain import Secret

USER = "x-access-token"
# The complete configuration of a private repository. The last two settings ignore index files in
# the alternates, which may contradict the objects.
BARE = b"""[core]
\trepositoryformatversion = 0
\tbare = true
\tlogAllRefUpdates = false
\tcommitGraph = false
\tmultiPackIndex = false
"""
# All settings of the repositories that dursor creates, on any system. None of them names a program,
# a host or a proxy. The remote's URL is not used: an authenticated process gets the URL.
OWN_SETTINGS = re.compile(
    r"core\.(repositoryformatversion|filemode|bare|ignorecase|precomposeunicode|symlinks"
    r"|logallrefupdates|commitgraph|multipackindex)"
    r"|extensions\.(objectformat|refstorage|compatobjectformat)"
    r"|remote\.origin\.(url|fetch|tagopt)"
)
# A trace enabled by the user's configuration could contain the environment.
QUIET = {"GIT_TRACE2": "0", "GIT_TRACE2_EVENT": "0", "GIT_TRACE2_PERF": "0"}


def build_authenticated_env(url: str, secret: Secret) -> dict[str, str]:
    """Build the environment of a git process that sends SECRET to URL and nowhere else."""
    parts = check_url(url)
    if parts.scheme == "file":
        raise UsageError(f"{url} needs no token", hint="remove the token")
    encoded = base64.b64encode(f"{USER}:{secret.reveal()}".encode()).decode()
    settings = [
        *read_git_config(),
        ("credential.helper", ""),  # the user's helpers neither supply nor store it
        ("core.alternateRefsCommand", ":"),  # otherwise git runs a command in the alternates
        (f"http.{url}.extraHeader", ""),
        (f"http.{url}.extraHeader", f"Authorization: Basic {encoded}"),
        (f"http.{url}.followRedirects", "false"),
        (f"http.{url}.sslVerify", "true"),
        (f"url.{url}.insteadOf", url),
        (f"url.{url}.pushInsteadOf", url),
    ]
    if is_loopback(parts.hostname or ""):
        settings.append((f"http.{url}.proxy", ""))
    return (
        build_network_env(parts.scheme) | QUIET | _list_authorities() | number_git_config(settings)
    )


def check_private(folder: Path) -> None:
    """Check that the bare repository FOLDER is private and has only dursor's settings."""
    _restrict(folder)
    file = folder / "config"
    if file.is_file() and file.read_bytes() == BARE:
        return
    listing = GitCommand(folder).run(
        *("config", "--file", str(file), "--no-includes", "--list", "--name-only"), "-z"
    )
    names = decode(listing.out).split("\0")[:-1]
    foreign = [name for name in names if not OWN_SETTINGS.fullmatch(name)]
    if foreign:
        raise PolicyError(
            f"cannot use a token in {folder}: dursor did not write its setting {foreign[0][:60]}",
            hint=f"git config --file {file} --list",
        )


def _restrict(folder: Path) -> None:
    if sys.platform == "win32":
        return
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.geteuid():
        raise PolicyError(
            f"cannot use a token in {folder}: it is a link or another user's folder",
            hint=f"ls -ld {folder}",
        )
    if status.st_mode & 0o077:
        folder.chmod(0o700)


def _list_authorities() -> dict[str, str]:
    """Let git trust the same certificate authorities as Python."""
    file = os.environ.get("SSL_CERT_FILE")
    return {"GIT_SSL_CAINFO": file} if file and "GIT_SSL_CAINFO" not in os.environ else {}
