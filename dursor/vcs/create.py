"""Create a small repository that is the same on every machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, InternalError
from dursor.vcs.command import GitCommand
from dursor.vcs.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BRANCH = "main"
DATE = "2026-11-22T09:00:00Z"


def create(path: Path, files: Mapping[str, str], message: str) -> Repository:
    """Create a repository in PATH (new or empty) with one commit that contains FILES.

    Author and dates are fixed and the user's git configuration, templates, hooks and ignore rules
    have no effect, so that equal files make an equal commit. Line endings are kept.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise ConflictError(f"{path} is not an empty folder", hint="use a new folder")
        for name, text in files.items():
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise InternalError(f"cannot write {path}: {error.strerror}") from error
    command = GitCommand(path)
    command.update_environment(**_build_env(path))
    command.run("init", "--quiet", f"--initial-branch={BRANCH}", "--template=")
    command.run("add", "--all", "--force")
    command.run("commit", "--quiet", "--no-verify", f"--message={message}")
    return Repository.open(path)


def _build_env(path: Path) -> dict[str, str]:
    """Build an environment without the user's identity and configuration."""
    who = {"NAME": "dursor", "EMAIL": "dursor@localhost", "DATE": DATE}
    identity = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()}
    return identity | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "0",
        "XDG_CONFIG_HOME": str(path / ".git" / "nobody"),  # of ignore rules
    }
