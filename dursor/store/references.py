"""What people type for an id: its first digits, four or more, like git."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dursor.errors import NotFoundError, UsageError
from dursor.store import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHORTEST = {"runs": 4, "tasks": 4, "repos": 4, "prs": 8}
_NOUNS = {"runs": "run", "tasks": "task", "repos": "repository", "prs": "pull request"}
_LIST_COMMANDS = {"runs": "run list", "tasks": "task list", "repos": "repo list", "prs": "pr list"}
_LABELS = {
    "runs": "model, status, substr(instruction, 1, 60)",
    "tasks": "substr(title, 1, 60)",
    "repos": "name",
    "prs": "'#' || number, substr(title, 1, 60)",
}
_HEX = frozenset("0123456789abcdef")
SHOWN = 8


def by_id(table: str, prefix: str) -> tuple[str, list[Any]]:
    """Ask for ids of TABLE that start with PREFIX, newest first, with columns of a label."""
    sql = f"SELECT id, {_LABELS[table]} FROM {table}"
    prefix = prefix.lower()
    if not prefix:
        return f"{sql} ORDER BY created_at DESC, rowid DESC", []
    if not _HEX.issuperset(prefix):
        return f"{sql} WHERE 0", []
    # "g" follows "f": a range of the primary key
    return f"{sql} WHERE id >= ? AND id < ? ORDER BY created_at DESC, rowid DESC", [
        prefix,
        f"{prefix}g",
    ]


def label_of(row: Sequence[Any]) -> str:
    """Say a few words about a row, in one line of plain characters."""
    said = " ".join(str(rows.plain(value)) for value in row[1:])
    return " ".join("".join(char if char.isprintable() else " " for char in said).split())


def find_id(table: str, reference: str, ids: Callable[[str], Sequence[tuple[str, str]]]) -> str:
    """Find the whole id that REFERENCE means; UsageError or NotFoundError.

    IDS gives the ids that start with a prefix, each with its label.
    """
    prefix = reference.lower()
    noun, shortest = _NOUNS[table], SHORTEST[table]
    if _HEX.issuperset(prefix) and len(prefix) < shortest:
        raise UsageError(
            f"{reference!r} is too short for the id of a {noun}: "
            f"{shortest} digits or more are needed",
            hint=f"dursor {_LIST_COMMANDS[table]}",
        )
    found = ids(prefix)
    if not found:
        raise NotFoundError(f"no {noun} {reference!r}", hint=f"dursor {_LIST_COMMANDS[table]}")
    if len(found) > 1:
        raise ambiguous(table, reference, found)
    return found[0][0]


def ambiguous(table: str, reference: str, found: Sequence[tuple[str, str]]) -> UsageError:
    """List what REFERENCE may mean: whole ids and labels."""
    length = _telling_length([found_id for found_id, _ in found])
    listed = "; ".join(f"{found_id[:length]} ({label})" for found_id, label in found[:8])
    more = "; ..." if len(found) > 8 else ""
    return UsageError(
        f"{reference!r} means more than one {_NOUNS[table]}: {listed}{more}",
        hint=f"type more digits, such as {found[0][0][:length]}",
    )


def _telling_length(ids: Sequence[str]) -> int:
    """Count the digits that tell IDS apart, at least as many as are shown."""
    return next(
        (length for length in range(SHOWN, 33) if len({one[:length] for one in ids}) == len(ids)),
        32,
    )
