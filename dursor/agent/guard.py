"""Which replies are refused before any of them is laid over the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.errors import PolicyError
from dursor.patch.extract import extract
from dursor.patch.names import bare
from dursor.patch.policy import shown
from dursor.tree import SUBMODULE, SYMLINK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dursor.pathrules import PathRules
    from dursor.tree import Tree

_SPECIAL = {SYMLINK: "a symbolic link", SUBMODULE: "a submodule"}


def refuse_forbidden(reply: str, tree: Tree, rules: PathRules) -> None:
    """Raise PolicyError when REPLY names a forbidden file of TREE, as what to change or to take.

    A copy or a rename would carry its text to a path that may be shown, and a repair shows it.
    """
    entries = tree.entries()
    for path in _named(reply):
        if path not in entries:
            continue
        if reason := rules.reason(path):
            raise PolicyError(
                f"{shown(path)} may not be touched: {reason}",
                hint="--allow-path GLOB, if it is meant",
            )
        if what := _SPECIAL.get(entries[path].mode):
            raise PolicyError(f"{shown(path)} may not be touched: it is {what}")


def _named(reply: str) -> Iterator[str]:
    """Every path that REPLY may mean, as written and without a prefix such as a/."""
    for edit in extract(reply).edits:
        for name in filter(None, (edit.path, edit.new_path)):
            plain = name.removeprefix("./")
            yield from (plain, bare(plain))
