"""`dursor config`."""

from typing import Annotated

import typer

from dursor.cli.application import get_app
from dursor.cli.command_result import Items, PlainOutput
from dursor.cli.completion.completions import complete_settings
from dursor.config import Setting

Key = Annotated[
    str,
    typer.Argument(
        metavar="KEY",
        autocompletion=complete_settings,
        help="A setting's name; `dursor config list` shows all.",
    ),
]
Value = Annotated[str, typer.Argument(metavar="VALUE", help="The new value.")]


def get(ctx: typer.Context, key: Key) -> Setting:
    """Print one setting."""
    return get_app(ctx).configuration.get(key)


def set_(ctx: typer.Context, key: Key, value: Value) -> Setting:
    """Change one setting in the user's configuration file."""
    return get_app(ctx).configuration.set(key, value)


def list_(ctx: typer.Context) -> Items:
    """List every setting, its value and its source."""
    return Items("setting", get_app(ctx).configuration.list())


def path(ctx: typer.Context) -> PlainOutput:
    """Print the path of the configuration file."""
    file = str(get_app(ctx).configuration.path)
    return PlainOutput({"path": file}, [file])
