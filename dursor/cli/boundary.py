"""The one place where a command ends: its value is printed, or its error is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from dursor import interrupts
from dursor.cli.command_result import PlainOutput
from dursor.cli.lazy_commands import HelpRequested
from dursor.cli.output import crash
from dursor.cli.output import printer as output
from dursor.cli.output.terminal import tell
from dursor.errors import DursorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typer._click.core import Command


def run(root: Command, words: Sequence[str], extra: Mapping[str, Any]) -> int:
    """Parse WORDS, run what they name, print what comes of it; returns the exit code.

    An exception that is no DursorError is a bug: it goes up, to `crash.explain`.
    """
    as_json = output.asked_for_json(words)
    try:
        return _run(root, words, extra, as_json=as_json)
    except typer.Exit as done:
        return done.exit_code
    except output.StdoutError as error:
        output.mute()
        tell(f"error: cannot write to stdout: {error}")
        return 1


def _run(root: Command, words: Sequence[str], extra: Mapping[str, Any], *, as_json: bool) -> int:
    try:
        with root.make_context("dursor", [*words], **extra) as ctx:
            value = root.invoke(ctx)
            interrupts.resume()
            return output.show(value, as_json=as_json)
    except HelpRequested as asked:
        return output.show(PlainOutput({"help": str(asked)}, [str(asked)]), as_json=as_json)
    except DursorError as error:
        return _fail(error, as_json=as_json)
    except typer.TyperException as error:
        from dursor.cli.usage_errors import translate

        return _fail(translate(error), as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        interrupts.ignore()
        output.fail(output.INTERRUPTION, as_json=as_json)
        return output.INTERRUPTED
    except BrokenPipeError:
        output.mute()
        return 1


def _fail(error: DursorError, *, as_json: bool) -> int:
    if crash.debugging():
        crash.show_traceback(error)
    output.fail({"code": error.code, "message": error.message, "hint": error.hint}, as_json=as_json)
    return error.exit_code
