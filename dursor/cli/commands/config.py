"""`dursor config`."""

from typing import Annotated

import typer

from dursor.cli.application import get_app
from dursor.cli.command_result import Items, PlainOutput
from dursor.cli.completion import completions
from dursor.config import Setting

Key = Annotated[
    str,
    typer.Argument(
        metavar="KEY",
        autocompletion=completions.settings,
        help="A setting's name; see config list.",
    ),
]
Value = Annotated[str, typer.Argument(metavar="VALUE", help="Its new value.")]


def get(ctx: typer.Context, key: Key) -> Setting:
    """Print one setting."""
    return get_app(ctx).configuration.get(key)


def set_(ctx: typer.Context, key: Key, value: Value) -> Setting:
    """Set one setting in the user's configuration file."""
    return get_app(ctx).configuration.set(key, value)


def list_(ctx: typer.Context) -> Items:
    """List every setting and where its value comes from."""
    return Items("setting", get_app(ctx).configuration.list())


def path(ctx: typer.Context) -> PlainOutput:
    """Print where the configuration file lies."""
    found = str(get_app(ctx).configuration.path)
    return PlainOutput({"path": found}, [found])
