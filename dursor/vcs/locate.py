"""Find a working tree by looking at folders only, for the commands that must not load GitPython."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

GITFILE_LIMIT = 1 << 16


def find_top(start: Path) -> Path | None:
    """Find the top of the working tree around START, symlinks resolved; None outside one."""
    here = start.resolve()
    for folder in (here, *here.parents):
        marker = folder / ".git"
        if marker.is_dir():
            if is_git_dir(marker):
                return folder
        elif marker.is_file():  # a linked worktree or a submodule
            return folder if _leads_to_git_dir(marker) else None
    return None


def is_git_dir(folder: Path) -> bool:
    """Tell whether FOLDER looks like a git directory to git."""
    head = folder / "HEAD"
    if not (head.is_file() or head.is_symlink()):
        return False
    if (folder / "commondir").is_file():
        return True
    return (folder / "objects").is_dir() and (folder / "refs").is_dir()


def _leads_to_git_dir(marker: Path) -> bool:
    try:
        with marker.open("rb") as file:
            text = file.read(GITFILE_LIMIT)
    except OSError:
        return False
    if not text.startswith(b"gitdir: "):
        return False
    target = text.removeprefix(b"gitdir: ").rstrip(b"\r\n").decode("utf-8", "surrogateescape")
    return "\0" not in target and is_git_dir(marker.parent / target)
