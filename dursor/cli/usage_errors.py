"""Errors of the words themselves: Typer's made ours, near misses suggested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import typer


def unknown_command(path: str, name: str, known: Iterable[str]) -> UsageError:
    """Say that PATH (`dursor models`) has no command NAME, and which one is near."""
    match = nearest(name, known)
    hint = f"{path} {match}" if match else f"{path} --help"
    return UsageError(f"{path} has no command {name!r}", hint=hint)


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Find the known word that WORD was probably meant to be."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.casefold(), known, n=1, cutoff=cutoff)), None)


def translate(error: typer.TyperException) -> UsageError:
    """Turn an error of Typer's parser into one of ours."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "dursor"
    possible = getattr(error, "possibilities", None)
    if possible:
        return UsageError(_sentence(error.message), hint=f"{path} {possible[0]}")
    return UsageError(_sentence(error.format_message()), hint=f"{path} --help")


def _sentence(message: str) -> str:
    line = " ".join(message.split()).rstrip(".")
    return line[:1].lower() + line[1:]
