"""Runs a command and prints its value or its error; the only place that does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from dursor import interrupts
from dursor.cli.command_result import PlainOutput
from dursor.cli.lazy_commands import HelpRequested
from dursor.cli.output import crash, printer
from dursor.cli.output.terminal import print_stderr
from dursor.errors import DursorError, describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typer._click.core import Command


def run(root: Command, words: Sequence[str], extra: Mapping[str, Any]) -> int:
    """Parse WORDS, run the command, print its result and return the exit code.

    Any exception other than DursorError is a bug and reaches `crash.report_crash`.
    """
    as_json = printer.wants_json(words)
    try:
        return _run(root, words, extra, as_json=as_json)
    except typer.Exit as request:
        return request.exit_code
    except printer.StdoutError as error:
        printer.discard_stdout()
        print_stderr(f"error: cannot write to stdout: {error}")
        return 1


def _run(root: Command, words: Sequence[str], extra: Mapping[str, Any], *, as_json: bool) -> int:
    try:
        with root.make_context("dursor", [*words], **extra) as ctx:
            value = root.invoke(ctx)
            interrupts.resume()
            return printer.print_result(value, as_json=as_json)
    except HelpRequested as request:
        output = PlainOutput({"help": str(request)}, [str(request)])
        return printer.print_result(output, as_json=as_json)
    except DursorError as error:
        return _fail(error, as_json=as_json)
    except typer.TyperException as error:
        from dursor.cli.usage_errors import translate

        return _fail(translate(error), as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        interrupts.ignore()
        printer.print_failure(printer.INTERRUPTION, as_json=as_json)
        return printer.INTERRUPTED
    except BrokenPipeError:
        printer.discard_stdout()
        return 1


def _fail(error: DursorError, *, as_json: bool) -> int:
    if crash.is_debugging():
        crash.print_traceback(error)
    printer.print_failure(describe(error), as_json=as_json)
    return error.exit_code
