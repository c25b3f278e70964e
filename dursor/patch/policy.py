"""The policy for resolved changes."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from dursor.errors import PolicyError
from dursor.patch.names import find_name_problem
from dursor.tree import EXECUTABLE, FILE, SUBMODULE, SYMLINK, Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dursor.patch.diff.resolution import Resolution
    from dursor.pathrules import PathRules

_SPECIAL = {SYMLINK: "a symbolic link", SUBMODULE: "a submodule"}


def check_policy(base: Tree, resolution: Resolution, rules: PathRules, max_files: int) -> None:
    """Raise PolicyError, with path and rule, unless everything in RESOLUTION is allowed."""
    _check_count(resolution, max_files)
    for path in sorted({*resolution.changes, *resolution.renames.values()}):
        if reason := rules.find_reason(path):
            hint = f"--allow-path {escape_path(path)}" if reason.startswith("it matches") else None
            raise PolicyError(f"{escape_path(path)} may not be changed: {reason}", hint=hint)
    _check_modes(base, resolution)
    _check_places(base, resolution)


def escape_path(path: str) -> str:
    """Return PATH in a form that is safe to print."""
    return path if path.isprintable() else ascii(path)


def _check_count(resolution: Resolution, max_files: int) -> None:
    count = len(resolution.changes.keys() - set(resolution.renames.values()))
    if count > max_files:
        raise PolicyError(
            f"the patch changes {count} files, more than {max_files}", hint=f"--max-files {count}"
        )


def _check_modes(base: Tree, resolution: Resolution) -> None:
    """Refuse to create, change or delete anything but ordinary files."""
    entries = base.entries()
    for path, state in resolution.changes.items():
        if path in entries and (kind := _SPECIAL.get(entries[path].mode)):
            raise PolicyError(f"{escape_path(path)}: the patch changes {kind}")
        if state is None:
            continue
        if kind := _SPECIAL.get(state.mode):
            raise PolicyError(f"{escape_path(path)}: the patch creates {kind}")
        if state.mode not in {FILE, EXECUTABLE}:
            raise PolicyError(f"{escape_path(path)}: the patch sets mode {state.mode}")


def _check_places(base: Tree, resolution: Resolution) -> None:
    """Refuse a new file with an unsafe name, or that collides with a file or folder."""
    entries = base.entries()
    new = [p for p, s in resolution.changes.items() if s is not None and p not in entries]
    if not new:
        return
    after = {p for p in entries if resolution.changes.get(p, ...) is not None}
    after.update(new)
    folders = {folder for path in after for folder in list_parents(path)}
    spellings = _group_spellings([*after, *folders])
    for path in new:
        if reason := find_name_problem(path):
            raise PolicyError(f"{escape_path(path)}: {reason}")
        if path in folders:
            raise PolicyError(f"{escape_path(path)}: a folder of that name exists")
        _check_above(path, after, base)
        _check_twins(path, spellings)


def _check_above(path: str, after: Iterable[str], base: Tree) -> None:
    entries = base.entries()
    for folder in list_parents(path):
        if folder in after:
            kind = _SPECIAL.get(entries[folder].mode, "a file") if folder in entries else "a file"
            raise PolicyError(
                f"{escape_path(path)} is below {escape_path(folder)}, which is {kind}"
            )


def _check_twins(path: str, spellings: dict[str, set[str]]) -> None:
    for part in (path, *list_parents(path)):
        twins = spellings[fold(part)] - {part}
        if twins:
            twin = escape_path(min(twins))
            raise PolicyError(f"{escape_path(path)} differs only in case or accents from {twin}")


def _group_spellings(paths: Iterable[str]) -> dict[str, set[str]]:
    spellings: dict[str, set[str]] = {}
    for path in paths:
        spellings.setdefault(fold(path), set()).add(path)
    return spellings


def list_parents(path: str) -> Iterator[str]:
    """Yield every folder above PATH, innermost first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def fold(path: str) -> str:
    """Return PATH as a case-insensitive, normalizing file system compares it."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
