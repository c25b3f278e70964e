"""A token for one git process, by its environment: not in its arguments, nor in any file.

The settings hold for the one URL, in git's most specific form, so that nothing in the user's own
configuration (a helper that would store the token, a header, another address for the URL) has the
last word. What a repository's own configuration says is another matter: an authenticated process
runs only where `check_private` finds nothing but what dursor wrote.
"""

from __future__ import annotations

import base64
import os
import re
import sys
from typing import TYPE_CHECKING

from dursor.errors import PolicyError, UsageError
from dursor.vcs.command import GitCommand, decode
from dursor.vcs.environment import build_network_env, copy_git_config
from dursor.vcs.urls import check, is_loopback

if TYPE_CHECKING:
    from pathlib import Path

    from dursor.domain import Secret

USER = "x-access-token"
# The whole configuration of a private repository. Its last two settings: indexes of objects that
# are alternates may say what the objects do not.
BARE = b"""[core]
\trepositoryformatversion = 0
\tbare = true
\tlogAllRefUpdates = false
\tcommitGraph = false
\tmultiPackIndex = false
"""
# All that our own repositories' configuration holds, on any system; none of it names a program,
# a host or a proxy. The remote's URL stays unused: an authenticated process is given the URL.
OWN_SETTINGS = re.compile(
    r"core\.(repositoryformatversion|filemode|bare|ignorecase|precomposeunicode|symlinks"
    r"|logallrefupdates|commitgraph|multipackindex)"
    r"|extensions\.(objectformat|refstorage|compatobjectformat)"
    r"|remote\.origin\.(url|fetch|tagopt)"
)
# A trace that the user's configuration asks for could hold the environment.
QUIET = {"GIT_TRACE2": "0", "GIT_TRACE2_EVENT": "0", "GIT_TRACE2_PERF": "0"}


def build_authenticated_env(url: str, secret: Secret) -> dict[str, str]:
    """Build what a git process needs that shows SECRET to URL, and to nothing else."""
    parts = check(url)
    if parts.scheme == "file":
        raise UsageError(f"no token is needed for {url}", hint="leave it away")
    encoded = base64.b64encode(f"{USER}:{secret.reveal()}".encode()).decode()
    settings = [
        ("credential.helper", ""),  # none of the user's would be asked, or told
        ("core.alternateRefsCommand", ":"),  # else git would run in the alternates
        (f"http.{url}.extraHeader", ""),
        (f"http.{url}.extraHeader", f"Authorization: Basic {encoded}"),
        (f"http.{url}.followRedirects", "false"),
        (f"http.{url}.sslVerify", "true"),
        (f"url.{url}.insteadOf", url),
        (f"url.{url}.pushInsteadOf", url),
    ]
    if is_loopback(parts.hostname or ""):
        settings.append((f"http.{url}.proxy", ""))
    return build_network_env(parts.scheme) | QUIET | _trust() | _settings(settings)


def check_private(folder: Path) -> None:
    """Make sure that the bare repository FOLDER is ours alone, and holds only our settings."""
    _close(folder)
    file = folder / "config"
    if file.is_file() and file.read_bytes() == BARE:
        return
    listing = GitCommand(folder).run(
        *("config", "--file", str(file), "--no-includes", "--list", "--name-only"),
        "-z",
    )
    names = decode(listing.out).split("\0")[:-1]
    foreign = [name for name in names if not OWN_SETTINGS.fullmatch(name)]
    if foreign:
        raise PolicyError(
            f"{folder} has settings that dursor did not write ({foreign[0][:60]}): "
            "no token is used there",
            hint=f"git config --file {file} --list",
        )


def _close(folder: Path) -> None:
    if sys.platform == "win32":
        return
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.geteuid():
        raise PolicyError(
            f"{folder} is not this user's own folder: no token is used there",
            hint=f"ls -ld {folder}",
        )
    if status.st_mode & 0o077:
        folder.chmod(0o700)


def _trust() -> dict[str, str]:
    """Name the same authorities to git that Python was told to trust."""
    file = os.environ.get("SSL_CERT_FILE")
    return {"GIT_SSL_CAINFO": file} if file and "GIT_SSL_CAINFO" not in os.environ else {}


def _settings(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Write settings as git reads them from its environment, after those that are there."""
    before = copy_git_config()
    first = int(before.get("GIT_CONFIG_COUNT", "0"))
    result = {"GIT_CONFIG_COUNT": str(first + len(pairs))}
    for n, (key, value) in enumerate(pairs, first):
        result |= {f"GIT_CONFIG_KEY_{n}": key, f"GIT_CONFIG_VALUE_{n}": value}
    return result
