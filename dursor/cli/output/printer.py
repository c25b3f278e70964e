"""Prints a command's value: as lines for people or as one JSON object for programs."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dursor import interrupts
from dursor.cli.command_result import CommandResult, PatchOutput
from dursor.cli.output.terminal import is_terminal, print_stderr, to_one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dursor.cli.command_result import Failure

ENVELOPE = 1
INTERRUPTED = 130

INTERRUPTION: Failure = {"code": "interrupted", "message": "interrupted", "hint": None}


class StdoutError(Exception):
    """Stdout cannot be written: the disk is full, or the stream is read-only."""


def wants_json(words: Sequence[str]) -> bool:
    """Whether WORDS hold --json; decided here because it must be known when parsing fails."""
    options = words[: words.index("--")] if "--" in words else words
    return "--json" in options


def print_result(value: Any, *, as_json: bool) -> int:
    """Print a command's VALUE and return the exit code."""
    result = value if isinstance(value, CommandResult) else CommandResult(value)
    try:
        if as_json:
            _print_json(result)
        else:
            _print_human(result)
    except BrokenPipeError:
        discard_stdout()  # the reader, such as `head`, has stopped reading
    return result.exit_code


def print_failure(failure: Failure, *, as_json: bool) -> None:
    """Print the error of a command that has no result."""
    if as_json:
        _write_json("error", None, [failure])
    else:
        _print_error(failure)


def discard_stdout() -> None:
    """Redirect stdout to the null device."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StdoutError(error.strerror or str(error)) from error


def _print_json(result: CommandResult) -> None:
    from dursor.cli.output.json_views import to_json

    _write_json(result.status, to_json(result.value), result.errors)
    _print_warnings(result.warnings)


def _write_json(status: str, data: Any, errors: Sequence[Failure]) -> None:
    import json

    envelope = {"version": ENVELOPE, "status": status, "data": data, "errors": [*errors]}
    text = json.dumps(envelope) + "\n"
    interrupts.ignore()  # one object, not two
    with _writing():
        sys.stdout.write(text)
        sys.stdout.flush()


def _print_human(result: CommandResult) -> None:
    from dursor.cli.output import human_views

    if isinstance(result.value, PatchOutput):
        _print_patch(result.value)
    else:
        _print_lines(human_views.render(result.value))
    _print_warnings(result.warnings)
    for failure in result.errors:
        _print_error(failure)
    if result.next:
        print_stderr("next: " + " · ".join(result.next))


def _print_lines(lines: Iterable[str]) -> None:
    on_terminal = is_terminal(sys.stdout)
    for line in lines:
        with _writing():
            sys.stdout.write(line + "\n")
            if on_terminal:
                sys.stdout.flush()
    with _writing():
        sys.stdout.flush()


def _print_patch(patch: PatchOutput) -> None:
    if is_terminal(sys.stdout):
        from dursor.cli.output.human_views import render_patch

        _print_lines(render_patch(patch.text))
    else:
        with _writing():
            sys.stdout.buffer.write(patch.text.encode("utf-8", "surrogateescape"))
            sys.stdout.buffer.flush()
    _print_warnings(patch.warnings)


def _print_warnings(warnings: Iterable[str]) -> None:
    for warning in warnings:
        print_stderr(f"warning: {to_one_line(warning)}")


def _print_error(failure: Failure) -> None:
    from dursor.ids import short_id

    run_id = failure.get("run_id")
    prefix = f"run {short_id(run_id)}: " if run_id else ""
    print_stderr(f"error: {prefix}{to_one_line(failure['message'] or '')}")
    if failure["hint"]:
        print_stderr(f"hint: {to_one_line(failure['hint'])}")
