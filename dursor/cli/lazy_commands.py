"""Typer commands that are imported when they are used, and not before."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import typer
from typer._click.shell_completion import CompletionItem  # Typer's own Click has no public name
from typer.core import TyperCommand, TyperGroup, TyperOption

from dursor import interrupts
from dursor.cli.command_tree import CommandSpec, GroupSpec
from dursor.cli.usage_errors import unknown_command

if TYPE_CHECKING:
    from typer._click.core import Command as AnyCommand
    from typer._click.core import Context
    from typer._click.formatting import HelpFormatter

    from dursor.cli.command_tree import Commands


class HelpRequested(Exception):  # noqa: N818 - it is no error
    """--help was met: its text is the answer, whatever else the words say."""


def help_option(names: list[str]) -> TyperOption:
    """Make the option that asks for help; the boundary prints it, as JSON where that was asked."""

    def show(ctx: Context, param: object, value: object) -> None:
        del param
        if value and not ctx.resilient_parsing:
            raise HelpRequested(ctx.get_help())

    return TyperOption(
        param_decls=names,
        is_flag=True,
        expose_value=False,
        is_eager=True,
        help="Show this message and exit.",
        callback=show,
        required=False,
    )


def json_option() -> TyperOption:
    """Make the option that every command takes; `output.asked_for_json` reads it."""
    return TyperOption(
        param_decls=["--json"], is_flag=True, expose_value=False, help="Print one JSON object."
    )


class JsonCommand(TyperCommand):
    """A command that takes --json."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params.append(json_option())

    def get_help_option(self, ctx: Context) -> TyperOption | None:
        """Give the option whose text the boundary prints."""
        self._help_option = self._help_option or help_option(self.get_help_option_names(ctx))
        return self._help_option

    def invoke(self, ctx: Context) -> Any:
        """Run it; from here on Ctrl-C is heard at once."""
        interrupts.resume()
        return super().invoke(ctx)


class LazyGroup(TyperGroup):
    """A noun; its commands are known by word and sentence until one of them is used."""

    def __init__(self, *, table: Commands, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.table = table
        self.params.append(json_option())

    def get_help_option(self, ctx: Context) -> TyperOption | None:
        """Give the option whose text the boundary prints."""
        self._help_option = self._help_option or help_option(self.get_help_option_names(ctx))
        return self._help_option

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002 - Typer's signature
        """Name the commands, in the table's order."""
        return [*self.table]

    def get_command(self, ctx: Context, cmd_name: str) -> AnyCommand | None:  # noqa: ARG002
        """Import the command called CMD_NAME, once; None when there is none."""
        if cmd_name not in self.commands and cmd_name in self.table:
            self.commands[cmd_name] = load(cmd_name, self.table[cmd_name])
        return self.commands.get(cmd_name)

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, AnyCommand | None, list[str]]:
        """Find the command that ARGS begin with; UsageError with near names when there is none."""
        name, rest = args[0], args[1:]
        found = self.get_command(ctx, name)
        if found is None:
            raise unknown_command(ctx.command_path, name, self.table)
        return name, found, rest

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands' words and sentences."""
        commands_section(self.table, formatter)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Offer the commands, or the options once a dash is there."""
        words = [
            CompletionItem(name, help=entry.help)
            for name, entry in self.table.items()
            if name.startswith(incomplete)
        ]
        return words + super(TyperGroup, self).shell_complete(ctx, incomplete)


def commands_section(table: Commands, formatter: HelpFormatter) -> None:
    """Write the help's list of commands."""
    with formatter.section("Commands"):
        formatter.write_dl([(name, entry.help) for name, entry in table.items()])


def load(name: str, entry: CommandSpec | GroupSpec) -> AnyCommand:
    """Make the command or group that a table's ENTRY describes."""
    if isinstance(entry, CommandSpec):
        return build(name, entry)
    kind = cast("type[LazyGroup]", find(entry.kind))
    return kind(name=name, table=entry.commands, help=entry.help, rich_markup_mode=None)


def build(name: str, leaf: CommandSpec, kind: type[JsonCommand] = JsonCommand) -> AnyCommand:
    """Import LEAF's function and let Typer make a command of its signature and docstring."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name, cls=kind)(find(f"dursor.cli.commands.{leaf.target}"))
    return typer.main.get_command(app)


def find(target: str) -> Any:
    """Import what TARGET, `module:attribute`, names."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
