"""The one printer: a command's value becomes lines for people or one JSON object for programs."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dursor import interrupts
from dursor.cli.command_result import CommandResult, PatchOutput
from dursor.cli.output.terminal import is_terminal, one_line, tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dursor.cli.command_result import Failure

ENVELOPE = 1
INTERRUPTED = 130

INTERRUPTION: Failure = {"code": "interrupted", "message": "interrupted", "hint": None}


class StdoutError(Exception):
    """Stdout cannot be written: the disk is full, or it is open for reading alone."""


def asked_for_json(words: Sequence[str]) -> bool:
    """Whether WORDS hold --json; read here, since it must be known even where parsing fails."""
    options = words[: words.index("--")] if "--" in words else words
    return "--json" in options


def show(value: Any, *, as_json: bool) -> int:
    """Print a command's VALUE and return the exit code."""
    answer = value if isinstance(value, CommandResult) else CommandResult(value)
    try:
        if as_json:
            _print_json(answer)
        else:
            _print_lines(answer)
    except BrokenPipeError:
        mute()  # whoever read has seen enough
    return answer.exit_code


def fail(failure: Failure, *, as_json: bool) -> None:
    """Print one error that leaves nothing else to show."""
    if as_json:
        _write_json({"version": ENVELOPE, "status": "error", "data": None, "errors": [failure]})
    else:
        _print_failure(failure)


def mute() -> None:
    """Send whatever is still buffered for stdout nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StdoutError(error.strerror or str(error)) from error


def _print_json(answer: CommandResult) -> None:
    from dursor.cli.output.json_views import to_json

    _write_json(
        {
            "version": ENVELOPE,
            "status": answer.status,
            "data": to_json(answer.value),
            "errors": [*answer.errors],
        }
    )
    _warn(answer.warnings)


def _write_json(envelope: Mapping[str, Any]) -> None:
    import json

    text = json.dumps(envelope) + "\n"
    interrupts.ignore()  # one object, not two
    with _writing():
        sys.stdout.write(text)
        sys.stdout.flush()


def _print_lines(answer: CommandResult) -> None:
    from dursor.cli.output import human_views as lines

    if isinstance(answer.value, PatchOutput):
        _print_patch(answer.value)
    else:
        _print_each(lines.of(answer.value))
    _warn(answer.warnings)
    for failure in answer.errors:
        _print_failure(failure)
    if answer.next:
        tell("next: " + " · ".join(answer.next))


def _print_each(shown: Iterable[str]) -> None:
    watched = is_terminal(sys.stdout)
    for line in shown:
        with _writing():
            sys.stdout.write(line + "\n")
            if watched:
                sys.stdout.flush()
    with _writing():
        sys.stdout.flush()


def _print_patch(patch: PatchOutput) -> None:
    if is_terminal(sys.stdout):
        from dursor.cli.output.human_views import patch_lines

        _print_each(patch_lines(patch.text))
    else:
        with _writing():
            sys.stdout.buffer.write(patch.text.encode("utf-8", "surrogateescape"))
            sys.stdout.buffer.flush()
    _warn(patch.warnings)


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        tell(f"warning: {one_line(warning)}")


def _print_failure(failure: Failure) -> None:
    run = failure.get("run_id")
    which = f"run {run[:8]}: " if run else ""
    tell(f"error: {which}{one_line(failure['message'] or '')}")
    if failure["hint"]:
        tell(f"hint: {one_line(failure['hint'])}")
