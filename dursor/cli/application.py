"""The application that a command works with."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dursor.cli.output.terminal import is_terminal, print_stderr, to_one_line
from dursor.errors import DursorError, UsageError

if TYPE_CHECKING:
    import typer

    from dursor.app import App
    from dursor.services.events import Listener


def get_app(ctx: typer.Context) -> App:
    """Return the application of this process, created on first use."""
    root = ctx.find_root()
    if root.obj is None:
        from dursor.app import App

        ask = _ask if is_terminal(sys.stdin) else None
        root.obj = App(os.environ, _find_cwd(), ask_passphrase=ask)
        root.call_on_close(root.obj.close)
        _start_logging(root.obj)
        _recover(root.obj)
    return cast("App", root.obj)


def get_listener() -> Listener:
    """Return a listener that prints a line on stderr for each event."""
    from dursor.cli.output.progress import StageLog

    return StageLog().handle


def _start_logging(app: App) -> None:
    """Start logging at `log_level`; the command itself reports an invalid value."""
    try:
        level = app.settings.get("log_level")
    except UsageError:
        return
    if level != "warning":
        from dursor.cli.output import logs

        logs.start_logging(level)


def _recover(app: App) -> None:
    """Undo the half-done apply of a killed process before a command reads the files."""
    if os.environ.get("_DURSOR_COMPLETE"):
        return  # a completion has nowhere to print the messages
    try:
        for line in app.recover():
            print_stderr(f"warning: {to_one_line(line)}")
    except DursorError:
        return  # the command itself reports an invalid setting


def _ask(prompt: str) -> str:
    from dursor.cli.input.key_input import ask_hidden

    return ask_hidden(prompt)


def _find_cwd() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the current folder no longer exists", hint="cd ~") from error
