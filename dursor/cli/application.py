"""How a command reaches the application."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dursor.cli.output.terminal import is_terminal, one_line, tell
from dursor.errors import DursorError, UsageError

if TYPE_CHECKING:
    import typer

    from dursor.app import App


def get_app(ctx: typer.Context) -> App:
    """Return the application of this command, made when it is first asked for."""
    root = ctx.find_root()
    if root.obj is None:
        root.obj = _open()
        root.call_on_close(root.obj.close)
        _listen(root.obj)
        _recover(root.obj)
    return cast("App", root.obj)


def _listen(app: App) -> None:
    """Write logs where `log_level` asks for them; the command itself tells of a broken value."""
    try:
        level = app.settings.get("log_level")
    except UsageError:
        return
    if level != "warning":
        from dursor.cli.output import logs

        logs.start(level)


def _recover(app: App) -> None:
    """Bring back what a killed apply left half done, before anything looks at it."""
    if os.environ.get("_DURSOR_COMPLETE"):
        return  # nobody reads what is said while a word is completed
    try:
        for line in app.recover():
            tell(f"warning: {one_line(line)}")
    except DursorError:
        return  # the command itself tells of a broken value


def _open() -> App:
    from dursor.app import App

    return App(os.environ, _here(), ask_passphrase=_ask if is_terminal(sys.stdin) else None)


def _ask(prompt: str) -> str:
    from dursor.cli.input.key_input import hidden

    return hidden(prompt)


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the current folder no longer exists", hint="cd ~") from error
