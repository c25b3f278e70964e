"""A bug's exception becomes one line, and a hint that shows the traceback."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

MAX_COMMAND = 120  # characters of a hint


def report_crash(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print an internal error; a `sys.excepthook`, after which the interpreter exits with 1."""
    if os.environ.get("_DURSOR_COMPLETE"):
        return  # the shell reads completions from this process
    from dursor.cli.output import printer

    if is_debugging():
        print_traceback(error.with_traceback(trace))
    text = redact(": ".join(filter(None, (kind.__name__, " ".join(str(error).split())))))
    failure = {"code": "internal", "message": f"internal error: {text}", "hint": _hint()}
    try:
        printer.print_failure(failure, as_json=printer.wants_json(sys.argv[1:]))
    except (printer.StdoutError, BrokenPipeError):
        printer.discard_stdout()
        printer.print_failure(failure, as_json=False)


def ignore_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Print nothing for an exception in a destructor; a `sys.unraisablehook`."""
    if is_debugging() and unraisable.exc_value is not None:
        print_traceback(unraisable.exc_value)


def is_debugging() -> bool:
    """Whether DURSOR_DEBUG requests tracebacks."""
    return os.environ.get("DURSOR_DEBUG", "") not in {"", "0"}


def print_traceback(error: BaseException) -> None:
    """Print ERROR's traceback on stderr, without secrets."""
    import traceback

    sys.stderr.write(redact("".join(traceback.format_exception(error))))


def redact(text: str) -> str:
    """Remove every secret of the environment from TEXT, and whatever looks like one."""
    from dursor.domain import Secret
    from dursor.secrets.redact import Redactor
    from dursor.services.rounds.detach import without_secrets

    names = os.environ.keys() - without_secrets(os.environ).keys()
    return Redactor([Secret(os.environ[name]) for name in names]).clean(text)


def _hint() -> str:
    import shlex

    command = shlex.join(["dursor", *sys.argv[1:]])
    if len(command) > MAX_COMMAND:
        command = shlex.join(["dursor", *sys.argv[1:2], "..."])
    return f"DURSOR_DEBUG=1 {command}"
