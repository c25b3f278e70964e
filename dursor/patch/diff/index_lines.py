"""The `index` lines from which git finds the blobs of a three-way merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.patch.diff.sections import split_patch
from dursor.patch.names import DEV_NULL

if TYPE_CHECKING:
    from collections.abc import Callable


def add_index_lines(patch_text: str, oid_of: Callable[[str], str]) -> str:
    """Return PATCH_TEXT with an `index` line for every file that has hunks.

    OID_OF returns the hexadecimal id of a path's old blob. The id of the new blob is zero.
    """
    out: list[str] = []
    for section in split_patch(patch_text):
        out += section.header
        if section.body:
            is_new = section.body[0].rstrip("\n") == f"--- {DEV_NULL}"
            old = "" if is_new else oid_of(section.paths[0])
            out.append(f"index {old or '0' * 40}..{'0' * (len(old) or 40)}\n")
        out += section.body
    return "".join(out)
