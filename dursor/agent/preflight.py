"""Which replies are refused before any of them is laid over the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.context.selection.selection import MIN_SECRET_CHARS
from dursor.errors import PolicyError
from dursor.patch.names import strip_prefix
from dursor.patch.policy import escape_path
from dursor.patch.resolve import list_edits
from dursor.tree import SUBMODULE, SYMLINK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dursor.patch.edits import FileEdit
    from dursor.patch.resolve import Resolution
    from dursor.pathrules import PathRules
    from dursor.tree import Tree

STRAYED = "holds a secret now that stood in another file: look before you push"
_SPECIAL = {SYMLINK: "a symbolic link", SUBMODULE: "a submodule"}


def refuse_forbidden(reply: str, tree: Tree, rules: PathRules, *, finished: bool = False) -> None:
    """Raise PolicyError when REPLY names a forbidden file of TREE, as what to change or to take.

    A copy or a rename would carry its text to a path that may be shown, and a repair shows it.
    """
    entries = tree.entries()
    for path in _named(list_edits(reply, finished=finished)):
        if path not in entries:
            continue
        if reason := rules.find_reason(path):
            raise PolicyError(
                f"{escape_path(path)} may not be touched: {reason}",
                hint="--allow-path GLOB, if it is meant",
            )
        if what := _SPECIAL.get(entries[path].mode):
            raise PolicyError(f"{escape_path(path)} may not be touched: it is {what}")


def strayed_secrets(change: Resolution, tree: Tree, secrets: Mapping[str, str]) -> Iterator[str]:
    """Warn of files that CHANGE gives a secret of other files of TREE that stay.

    A file can talk a model into copying one to where it is seen.
    """
    entries = tree.entries()
    moved = {path for path, state in change.changes.items() if state is None and path in entries}
    left = b"\n".join(map(tree.read, moved))
    known = [secret.encode() for secret in set(secrets.values()) if len(secret) >= MIN_SECRET_CHARS]
    for path, state in change.changes.items():
        data = b"" if state is None else state.data
        found = [secret for secret in known if secret in data and secret not in left]
        if found and any(secret not in _before(tree, path) for secret in found):
            yield f"{escape_path(path)} {STRAYED}"


def _before(tree: Tree, path: str) -> bytes:
    return tree.read(path) if path in tree.entries() else b""


def _named(edits: Iterable[FileEdit]) -> Iterator[str]:
    """Every path that EDITS may mean, as written and without a prefix such as a/."""
    for edit in edits:
        for name in filter(None, (edit.path, edit.new_path)):
            plain = name.removeprefix("./")
            yield from (plain, strip_prefix(plain))
