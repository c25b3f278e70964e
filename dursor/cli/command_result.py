"""The values that commands return to the printer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dursor.domain import Run

Failure: TypeAlias = "Mapping[str, str | None]"  # code, message, hint, and a round's run_id


class RunView(NamedTuple):
    """A run and the sections of it to print; JSON always has all of them."""

    run: Run
    sections: frozenset[str]  # keys of human_views.SECTIONS; empty: the usual ones


class Items(NamedTuple):
    """Values of one KIND, a key of columns.COLUMNS; may be an iterator that waits for more."""

    kind: str
    values: Iterable[Any]
    empty: str = ""  # printed on stderr when there are none
    name: str = "items"  # in JSON


class PlainOutput(NamedTuple):
    """JSON data and lines that a command has made itself."""

    data: Mapping[str, Any]
    lines: Iterable[str]


class PatchOutput(NamedTuple):
    """A patch, its bytes decoded as UTF-8 with surrogateescape."""

    text: str
    data: Mapping[str, Any]
    warnings: Sequence[str] = ()


class CommandResult(NamedTuple):
    """A value with errors, warnings or an exit code; a plain success is the value alone."""

    value: Any
    status: str = "ok"  # "ok" | "partial" | "error"
    errors: Sequence[Failure] = ()
    exit_code: int = 0
    next: Sequence[str] = ()  # commands to type after this one
    warnings: Sequence[str] = ()
