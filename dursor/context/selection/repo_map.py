"""A compact list of a repository's files, for a model that sees only some of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MAP_TOKENS = 1_500  # not part of the budget


def render_map(paths: Collection[str], limit: int = MAP_TOKENS * 4) -> str:
    """List PATHS by folder in at most LIMIT bytes; deep folders as counts if names do not fit."""
    if not paths:
        return ""
    best = ""
    for depth in range(max(path.count("/") for path in paths) + 1):
        longer = "\n".join(_list_folders(paths, depth))
        if len(longer.encode("utf-8", "surrogateescape")) > limit:
            return best or _cut(longer, limit)
        best = longer
    return best


def _list_folders(paths: Iterable[str], depth: int) -> list[str]:
    """Return one line for each folder down to DEPTH: its files, or their count if deeper."""
    files: dict[str, list[str]] = {}
    deeper: Counter[str] = Counter()
    for path in paths:
        folder, _, name = path.rpartition("/")
        steps = folder.split("/") if folder else []
        if len(steps) <= depth:
            files.setdefault(folder, []).append(name)
        else:
            deeper["/".join(steps[: depth + 1])] += 1
    lines = {folder: f"{folder}/: {' '.join(names)}" for folder, names in files.items()}
    if "" in lines:
        lines[""] = " ".join(files[""])
    lines.update({folder: f"{folder}/ ({n} files)" for folder, n in deeper.items()})
    return [lines[folder] for folder in sorted(lines)]


def _cut(text: str, limit: int) -> str:
    kept: list[str] = []
    room = limit - len("... and 1000000 more lines")
    lines = text.split("\n")
    for line in lines:
        room -= len(line.encode("utf-8", "surrogateescape")) + 1
        if room < 0:
            return "\n".join([*kept, f"... and {len(lines) - len(kept)} more"])
        kept.append(line)
    return text
