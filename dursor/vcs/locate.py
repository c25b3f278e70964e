"""Find the working tree around a folder without loading GitPython."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

GITFILE_LIMIT = 1 << 16


def find_top(start: Path) -> Path | None:
    """Return the top of the working tree around START, symlinks resolved; None outside one."""
    try:
        here = start.resolve()
        return next((top for top in (here, *here.parents) if _has_git_dir(top)), None)
    except (OSError, RuntimeError, ValueError):  # a loop of links, no permission, an invalid name
        return None


def _has_git_dir(folder: Path) -> bool:
    marker = folder / ".git"
    if marker.is_dir():
        return is_git_dir(marker)
    if not marker.is_file():
        return False
    if _points_to_git_dir(marker):  # a linked worktree or a submodule
        return True
    raise ValueError(f"broken: {marker}")  # git stops searching here, too


def is_git_dir(folder: Path) -> bool:
    """Check whether git would take FOLDER for a git directory."""
    head = folder / "HEAD"
    if not (head.is_file() or head.is_symlink()):
        return False
    if (folder / "commondir").is_file():
        return True
    return (folder / "objects").is_dir() and (folder / "refs").is_dir()


def _points_to_git_dir(marker: Path) -> bool:
    with marker.open("rb") as file:
        text = file.read(GITFILE_LIMIT)
    if not text.startswith(b"gitdir: "):
        return False
    target = text.removeprefix(b"gitdir: ").rstrip(b"\r\n").decode("utf-8", "surrogateescape")
    return is_git_dir(marker.parent / target)
