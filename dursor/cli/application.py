"""How a command reaches the application."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dursor.errors import UsageError

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
    return cast("App", root.obj)


def _listen(app: App) -> None:
    """Write logs where `log_level` asks for them; the command itself tells of a broken value."""
    try:
        level = app.settings.get("log_level")
    except UsageError:
        return
    if level != "warning":
        from dursor.cli import logs

        logs.start(level)


def _open() -> App:
    from dursor.app import App
    from dursor.cli.terminal import is_terminal

    return App(os.environ, _here(), ask_passphrase=_ask if is_terminal(sys.stdin) else None)


def _ask(prompt: str) -> str:
    from dursor.cli.keyboard import hidden

    return hidden(prompt)


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the current folder no longer exists", hint="cd ~") from error
