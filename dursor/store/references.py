"""Abbreviated ids: the first digits of an id, four or more, as in git."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dursor.errors import NotFoundError, UsageError
from dursor.ids import short_id
from dursor.store import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHORTEST = {"runs": 4, "tasks": 4, "repos": 4, "prs": 8}
_NOUNS = {"runs": "run", "tasks": "task", "repos": "repository", "prs": "pull request"}
_LIST_COMMANDS = {"runs": "run list", "tasks": "task list", "repos": "repo list", "prs": "pr list"}
_SOURCES = {"runs": "runs JOIN rounds ON rounds.id = round_id"}
_LABELS = {
    "runs": "model, status, substr(rounds.instruction, 1, 60)",
    "tasks": "substr(title, 1, 60)",
    "repos": "name",
    "prs": "'#' || number, substr(title, 1, 60)",
}
_HEX = frozenset("0123456789abcdef")


def select_ids(table: str, prefix: str) -> tuple[str, list[Any]]:
    """Build the query for ids of TABLE that start with PREFIX, newest first, with a label."""
    order = f"ORDER BY {table}.created_at DESC, {table}.rowid DESC"
    sql = f"SELECT {table}.id, {_LABELS[table]} FROM {_SOURCES.get(table, table)}"
    prefix = prefix.lower()
    if not prefix:
        return f"{sql} {order}", []
    if not _HEX.issuperset(prefix):
        return f"{sql} WHERE 0", []
    # "g" follows "f": a range of the primary key
    return f"{sql} WHERE {table}.id >= ? AND {table}.id < ? {order}", [prefix, f"{prefix}g"]


def format_label(row: Sequence[Any]) -> str:
    """Join a row's label columns to one line of printable characters."""
    label = " ".join(str(rows.plain(value)) for value in row[1:])
    return " ".join("".join(char if char.isprintable() else " " for char in label).split())


def find_id(table: str, reference: str, ids: Callable[[str], Sequence[tuple[str, str]]]) -> str:
    """Find the whole id that REFERENCE abbreviates; UsageError or NotFoundError.

    IDS returns the ids that start with a prefix, each with its label.
    """
    prefix = reference.lower()
    noun, shortest = _NOUNS[table], SHORTEST[table]
    if _HEX.issuperset(prefix) and len(prefix) < shortest:
        raise UsageError(
            f"{reference!r} is too short for the id of a {noun}: "
            f"{shortest} digits or more are needed",
            hint=f"dursor {_LIST_COMMANDS[table]}",
        )
    matches = ids(prefix)
    if not matches:
        raise NotFoundError(f"no {noun} {reference!r}", hint=f"dursor {_LIST_COMMANDS[table]}")
    if len(matches) > 1:
        raise ambiguous(table, reference, matches)
    return matches[0][0]


def ambiguous(table: str, reference: str, matches: Sequence[tuple[str, str]]) -> UsageError:
    """Build the error that lists the ids and labels that REFERENCE may abbreviate."""
    length = _distinct_length([match_id for match_id, _ in matches])
    listed = "; ".join(f"{match_id[:length]} ({label})" for match_id, label in matches[:8])
    more = "; ..." if len(matches) > 8 else ""
    return UsageError(
        f"{reference!r} matches more than one {_NOUNS[table]}: {listed}{more}",
        hint=f"type more digits, such as {matches[0][0][:length]}",
    )


def _distinct_length(ids: Sequence[str]) -> int:
    """Count the digits that distinguish IDS, at least as many as are shown."""
    shown = len(short_id(ids[0]))
    return next(
        (length for length in range(shown, 33) if len({i[:length] for i in ids}) == len(ids)), 32
    )
