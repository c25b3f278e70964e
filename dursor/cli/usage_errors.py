"""Usage errors: Typer's translated into ours, close misspellings suggested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import typer


def unknown_command(path: str, name: str, known: Iterable[str]) -> UsageError:
    """Make the error for a command NAME that PATH (`dursor models`) does not have."""
    match = find_nearest(name, known)
    hint = f"{path} {match}" if match else f"{path} --help"
    return UsageError(f"{path} has no command {name!r}", hint=hint)


def find_nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Find the known word that WORD probably misspells."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.casefold(), known, n=1, cutoff=cutoff)), None)


def translate(error: typer.TyperException) -> UsageError:
    """Turn an error of Typer's parser into a UsageError."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "dursor"
    possible = getattr(error, "possibilities", None)
    message = error.message if possible else error.format_message()
    line = " ".join(message.split()).rstrip(".")
    hint = f"{path} {possible[0] if possible else '--help'}"
    return UsageError(line[:1].lower() + line[1:], hint=hint)
