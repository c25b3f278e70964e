"""Make a small repository out of nothing, the same one on every machine."""

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
    """Make a repository in PATH (new or empty) with one commit that holds FILES.

    Author and dates are fixed and nothing of the user's git configuration, templates, hooks or
    ignore rules has a say, so that equal files make an equal commit. Lines end as FILES has them.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise ConflictError(f"not an empty folder: {path}", hint="name a new one")
        for name, text in files.items():
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise InternalError(f"cannot write {path}: {error.strerror}") from error
    command = GitCommand(path)
    command.update_environment(**_nobody(path))
    command.run("init", "--quiet", f"--initial-branch={BRANCH}", "--template=")
    command.run("add", "--all", "--force")
    command.run("commit", "--quiet", "--no-verify", f"--message={message}")
    return Repository.open(path)


def _nobody(path: Path) -> dict[str, str]:
    """Build the environment of a committer without a home."""
    who = {"NAME": "dursor", "EMAIL": "dursor@localhost", "DATE": DATE}
    identity = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()}
    return identity | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "0",
        "XDG_CONFIG_HOME": str(path / ".git" / "nobody"),  # where git looks for ignore rules
    }
