"""Checks of a reply before it is applied, and of the secrets that its change moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.context.selection.selection import MIN_SECRET_CHARS
from dursor.errors import PolicyError
from dursor.patch.names import strip_prefix
from dursor.patch.policy import escape_path
from dursor.patch.resolve import list_edits
from dursor.tree import SUBMODULE, SYMLINK, read_or_empty

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dursor.patch.edits import FileEdit
    from dursor.patch.resolve import Resolution
    from dursor.pathrules import PathRules
    from dursor.tree import Tree

MOVED = "contains a secret from another file: check it before you push"
_SPECIAL = {SYMLINK: "a symbolic link", SUBMODULE: "a submodule"}


def refuse_forbidden(reply: str, tree: Tree, rules: PathRules, *, finished: bool = False) -> None:
    """Raise PolicyError when REPLY changes, copies or renames a forbidden file of TREE.

    A copy or a rename would move its text to a path that may be sent, and a repair quotes it.
    """
    entries = tree.entries()
    for path in _list_paths(list_edits(reply, finished=finished)):
        if path not in entries:
            continue
        if reason := rules.find_reason(path):
            raise PolicyError(
                f"{escape_path(path)} may not be touched: {reason}",
                hint="allow it with --allow-path GLOB",
            )
        if kind := _SPECIAL.get(entries[path].mode):
            raise PolicyError(f"{escape_path(path)} may not be touched: it is {kind}")


def find_moved_secrets(change: Resolution, tree: Tree, secrets: Mapping[str, str]) -> Iterator[str]:
    """Yield a warning for each file that CHANGE gives a secret of another file that stays.

    The text of a file can make a model copy a secret to where it is published.
    """
    entries = tree.entries()
    deleted = [path for path, state in change.changes.items() if state is None and path in entries]
    deleted_text = b"\n".join(map(tree.read, deleted))
    values = {secret.encode() for secret in secrets.values() if len(secret) >= MIN_SECRET_CHARS}
    for path, state in change.changes.items():
        data = b"" if state is None else state.data
        copied = [value for value in values if value in data and value not in deleted_text]
        before = read_or_empty(tree, path) if copied else b""
        if any(value not in before for value in copied):
            yield f"{escape_path(path)} {MOVED}"


def _list_paths(edits: Iterable[FileEdit]) -> Iterator[str]:
    """Yield every path that EDITS may name, as written and without a prefix such as a/."""
    for edit in edits:
        for name in filter(None, (edit.path, edit.new_path)):
            path = name.removeprefix("./")
            yield from (path, strip_prefix(path))
