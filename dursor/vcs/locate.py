"""Find a working tree by looking at folders only, for the commands that must not load GitPython."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

GITFILE_LIMIT = 1 << 16


def find_top(start: Path) -> Path | None:
    """Find the top of the working tree around START, symlinks resolved; None outside one."""
    try:
        here = start.resolve()
        return next((top for top in (here, *here.parents) if _is_marked(top)), None)
    except (OSError, RuntimeError, ValueError):  # a loop of links, no permission, no name at all
        return None


def _is_marked(folder: Path) -> bool:
    marker = folder / ".git"
    if marker.is_dir():
        return is_git_dir(marker)
    if not marker.is_file():
        return False
    if _leads_to_git_dir(marker):  # a linked worktree or a submodule
        return True
    raise ValueError(f"broken: {marker}")  # git does not look further up either


def is_git_dir(folder: Path) -> bool:
    """Tell whether FOLDER looks like a git directory to git."""
    head = folder / "HEAD"
    if not (head.is_file() or head.is_symlink()):
        return False
    if (folder / "commondir").is_file():
        return True
    return (folder / "objects").is_dir() and (folder / "refs").is_dir()


def _leads_to_git_dir(marker: Path) -> bool:
    with marker.open("rb") as file:
        text = file.read(GITFILE_LIMIT)
    if not text.startswith(b"gitdir: "):
        return False
    target = text.removeprefix(b"gitdir: ").rstrip(b"\r\n").decode("utf-8", "surrogateescape")
    return is_git_dir(marker.parent / target)
