"""What a command gives to the printer: a value, and how it is to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dursor.domain import Run

Failure: TypeAlias = "Mapping[str, str | None]"  # code, message, hint, and a round's run_id


class RunView(NamedTuple):
    """A run, and which SECTIONS of it a person wants to see."""

    run: Run
    sections: frozenset[str]  # of "summary", "diff", "logs", "context"; empty: the usual ones


class Items(NamedTuple):
    """Values of one KIND, as a list's `items`; may be an iterator that waits for more."""

    kind: str
    values: Iterable[Any]
    empty: str = ""  # said on stderr when there are none


class PlainOutput(NamedTuple):
    """JSON data and lines that a command has made itself."""

    data: Mapping[str, Any]
    lines: Iterable[str]


class PatchOutput(NamedTuple):
    """A patch as its exact bytes, decoded as UTF-8 with surrogateescape."""

    text: str
    data: Mapping[str, Any]
    warnings: Sequence[str] = ()


class CommandResult(NamedTuple):
    """A value that may be partly an error; a command that simply succeeds returns the value."""

    value: Any
    status: str = "ok"  # "ok" | "partial" | "error"
    errors: Sequence[Failure] = ()
    exit_code: int = 0
    next: Sequence[str] = ()  # commands to type after this one
    warnings: Sequence[str] = ()
