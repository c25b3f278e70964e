"""A canonical patch split into files: names, modes and hunks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from dursor.errors import ConflictError
from dursor.patch.lines import split_lines
from dursor.patch.names import parse_git_names, unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from unidiff.patch import Hunk

_FILE = "diff --git "


@dataclass(frozen=True)
class PatchSection:
    """One file of a canonical patch."""

    header: Sequence[str]  # git's lines
    body: Sequence[str]  # from the `---` line on, empty without hunks

    def find(self, name: str) -> str | None:
        """Return the rest of the header line that begins with NAME."""
        lines = (line for line in self.header if line.startswith(f"{name} "))
        return next((line[len(name) + 1 : -1] for line in lines), None)

    @property
    def paths(self) -> tuple[str, str]:
        """The old and the new path."""
        old, new = self.find("rename from"), self.find("rename to")
        if old is not None and new is not None:
            return unquote(old), unquote(new)
        # unidiff takes the last " b/" for the border of two names, which a folder may contain.
        names = parse_git_names(self.header[0][len(_FILE) :].rstrip("\n")) or ("", "")
        return names[0][2:], names[1][2:]

    def parse_hunks(self) -> list[Hunk]:
        """Return the hunks; raises ConflictError when one is cut short."""
        from unidiff.errors import UnidiffParseError
        from unidiff.patch import PatchSet

        try:
            return [hunk for file in PatchSet(self.body) for hunk in file]
        except UnidiffParseError as error:
            raise ConflictError(f"{self.paths[0]}: the patch is cut short") from error


def split_patch(patch_text: str) -> Iterator[PatchSection]:
    """Yield the files of PATCH_TEXT; raises ConflictError when it is not a canonical patch."""
    lines = split_lines(patch_text)
    starts = [index for index, line in enumerate(lines) if line.startswith(_FILE)]
    if lines and starts[:1] != [0]:
        raise ConflictError(f"this is not a canonical patch: {lines[0].strip()[:80]!r}")
    for start, stop in pairwise([*starts, len(lines)]):
        section = lines[start:stop]
        header = list(takewhile(lambda line: not line.startswith("--- "), section))
        yield PatchSection(header, section[len(header) :])
