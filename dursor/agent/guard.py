"""Which replies are refused before any of them is laid over the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.errors import PolicyError
from dursor.patch.extract import extract
from dursor.patch.names import bare
from dursor.patch.policy import shown

if TYPE_CHECKING:
    from dursor.pathrules import PathRules
    from dursor.tree import Tree


def refuse_forbidden(reply: str, tree: Tree, rules: PathRules) -> None:
    """Raise PolicyError when REPLY names a forbidden file of TREE, as what to change or to take.

    A copy or a rename would carry its text to a path that may be shown, and a repair shows it.
    """
    entries = tree.entries()
    for edit in extract(reply).edits:
        for name in filter(None, (edit.path, edit.new_path)):
            plain = name.removeprefix("./")
            for path in (plain, bare(plain)):
                if path in entries and (reason := rules.reason(path)):
                    raise PolicyError(
                        f"{shown(path)} may not be touched: {reason}",
                        hint="--allow-path GLOB, if it is meant",
                    )
