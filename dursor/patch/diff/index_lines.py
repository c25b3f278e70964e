"""A canonical patch that names the blobs it was made from, for git to merge from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.patch.lines import split_lines
from dursor.patch.names import DEV_NULL, parse_git_names, unquote

if TYPE_CHECKING:
    from collections.abc import Callable

_FILE, _FROM, _OLD = "diff --git ", "rename from ", "--- "


def add_index_lines(patch_text: str, oid_of: Callable[[str], str]) -> str:
    """Return PATCH_TEXT with an `index` line for every file that has hunks.

    OID_OF gives the id in hex of what a path held; what it comes to hold is left open.
    """
    out: list[str] = []
    path, in_header = "", False
    for line in split_lines(patch_text):
        if line.startswith(_FILE):
            names = parse_git_names(line[len(_FILE) :].rstrip("\n"))
            path, in_header = names[0][2:] if names else "", True
        elif line.startswith("@@ "):
            in_header = False
        elif in_header and line.startswith(_FROM):
            path = unquote(line[len(_FROM) :].rstrip("\n"))
        elif in_header and line.startswith(_OLD):
            old = oid_of(path) if line.rstrip("\n") != _OLD + DEV_NULL else ""
            out.append(f"index {old or '0' * 40}..{'0' * (len(old) or 40)}\n")
        out.append(line)
    return "".join(out)
