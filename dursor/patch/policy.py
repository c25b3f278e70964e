"""What a resolved change may do to a repository."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from dursor.errors import PolicyError
from dursor.tree import EXECUTABLE, FILE, SUBMODULE, SYMLINK, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dursor.patch.resolve import Resolution
    from dursor.pathrules import PathRules

_SPECIAL = {SYMLINK: "a symbolic link", SUBMODULE: "a submodule"}


def check(base: Tree, resolution: Resolution, rules: PathRules, max_files: int) -> None:
    """Raise PolicyError, naming path and rule, unless everything in RESOLUTION is allowed."""
    moved = set(resolution.renames.values())
    count = len(resolution.changes) - len(moved & resolution.changes.keys())
    if count > max_files:
        raise PolicyError(
            f"the patch changes {count} files, more than {max_files}", hint="raise --max-files"
        )
    for path in sorted({*resolution.changes, *moved}):
        if reason := rules.reason(path):
            raise PolicyError(
                f"{shown(path)} may not be changed: {reason}", hint="see --allow-path"
            )
    _check_modes(base, resolution)
    _check_places(base, resolution)


def shown(path: str) -> str:
    """PATH, safe to print."""
    return path if path.isprintable() else ascii(path)


def _check_modes(base: Tree, resolution: Resolution) -> None:
    entries = base.entries()
    for path, state in resolution.changes.items():
        old = entries.get(path)
        for mode, doing in ((old and old.mode, "changes"), (state and state.mode, "makes")):
            if mode in _SPECIAL:
                raise PolicyError(f"{shown(path)}: the patch {doing} {_SPECIAL[mode]}")
        if state is not None and state.mode not in {FILE, EXECUTABLE}:
            raise PolicyError(f"{shown(path)}: the patch sets mode {state.mode}")


def _check_places(base: Tree, resolution: Resolution) -> None:
    """Refuse a file where a folder is, below a file or link, or beside its twin in other case."""
    entries = base.entries()
    after = {p for p in entries if resolution.changes.get(p, True) is not None}
    new = [p for p, s in resolution.changes.items() if s is not None and p not in entries]
    if not new:
        return
    after.update(new)
    folded: dict[str, str] = {}
    for path in after:
        for part in (path, *parents(path)):
            folded.setdefault(fold(part), part)
    folders = {parent for path in after for parent in parents(path)}
    for path in new:
        if path in folders:
            raise PolicyError(f"{shown(path)}: there is a folder of that name")
        for part in (path, *parents(path)):
            twin = folded[fold(part)]
            if twin != part or any(
                other != part and fold(other) == fold(part) for other in (twin,)
            ):
                raise PolicyError(f"{shown(path)} differs from {shown(twin)} only in case")
        for parent in parents(path):
            if parent in after:
                what = _SPECIAL.get(entries[parent].mode if parent in entries else "", "a file")
                raise PolicyError(f"{shown(path)} lies below {shown(parent)}, which is {what}")


def parents(path: str) -> Iterator[str]:
    """Every folder above PATH, innermost first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def fold(path: str) -> str:
    """PATH as a case-insensitive, normalising file system sees it."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
