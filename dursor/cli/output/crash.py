"""What a user sees of a bug: one line, and what to type to see more."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

LONG = 120


def explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Stand in for `sys.excepthook`; the interpreter exits with 1 afterwards."""
    if os.environ.get("_DURSOR_COMPLETE"):
        return  # a shell waits for words, not for news
    from dursor.cli.output import printer as output

    if debugging():
        show_traceback(error.with_traceback(trace))
    said = clean(": ".join(filter(None, (kind.__name__, " ".join(str(error).split())))))
    failure = {"code": "internal", "message": f"internal error: {said}", "hint": _again()}
    try:
        output.fail(failure, as_json=output.asked_for_json(sys.argv[1:]))
    except (output.StdoutError, BrokenPipeError):
        output.mute()
        output.fail(failure, as_json=False)


def overlook(missed: sys.UnraisableHookArgs) -> None:
    """Stand in for `sys.unraisablehook`: what half-made things say as they go is no news."""
    if debugging() and missed.exc_value is not None:
        show_traceback(missed.exc_value)


def debugging() -> bool:
    """Whether DURSOR_DEBUG asks for tracebacks."""
    return os.environ.get("DURSOR_DEBUG", "") not in {"", "0"}


def show_traceback(error: BaseException) -> None:
    """Print ERROR's traceback on stderr, without secrets."""
    import traceback

    sys.stderr.write(clean("".join(traceback.format_exception(error))))


def clean(text: str) -> str:
    """Take out whatever this process may know as a secret."""
    from dursor.domain import Secret
    from dursor.secrets.redact import Redactor
    from dursor.services.rounds.detach import without_secrets

    secret = os.environ.keys() - without_secrets(os.environ).keys()
    return Redactor([Secret(os.environ[name]) for name in secret]).clean(text)


def _again() -> str:
    import shlex

    words = shlex.join(["dursor", *sys.argv[1:]])
    return f"DURSOR_DEBUG=1 {words if len(words) <= LONG else ' '.join(sys.argv[1:2])} shows more"
