"""Typer commands and groups whose modules are imported on first use."""

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


class HelpRequested(Exception):  # noqa: N818 - not an error
    """--help was parsed; carries the text of the help, whatever the other words are."""


def make_help_option(names: list[str]) -> TyperOption:
    """Make the option --help; the boundary prints the text, as JSON if requested."""

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


def make_json_option() -> TyperOption:
    """Make the option --json of every command; `printer.wants_json` reads it."""
    return TyperOption(
        param_decls=["--json"], is_flag=True, expose_value=False, help="Print one JSON object."
    )


class JsonCommand(TyperCommand):
    """A command that takes --json."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params.append(make_json_option())

    def get_help_option(self, ctx: Context) -> TyperOption | None:
        """Return the option whose text the boundary prints."""
        self._help_option = self._help_option or make_help_option(self.get_help_option_names(ctx))
        return self._help_option

    def invoke(self, ctx: Context) -> Any:
        """Run the command; from here on Ctrl-C raises KeyboardInterrupt."""
        interrupts.resume()
        return super().invoke(ctx)


class LazyGroup(TyperGroup):
    """A group whose commands are imported on first use."""

    def __init__(self, *, table: Commands, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.table = table
        self.params.append(make_json_option())

    get_help_option = JsonCommand.get_help_option

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002 - Typer's signature
        """List the names of the commands, in the table's order."""
        return [*self.table]

    def get_command(self, ctx: Context, cmd_name: str) -> AnyCommand | None:  # noqa: ARG002
        """Import the command called CMD_NAME, or return None when there is none."""
        if cmd_name not in self.commands and cmd_name in self.table:
            self.commands[cmd_name] = load(cmd_name, self.table[cmd_name])
        return self.commands.get(cmd_name)

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, AnyCommand | None, list[str]]:
        """Find the command that ARGS begin with; UsageError with a suggestion when none exists."""
        name, rest = args[0], args[1:]
        command = self.get_command(ctx, name)
        if command is None:
            raise unknown_command(ctx.command_path, name, self.table)
        return name, command, rest

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:  # noqa: ARG002
        """Write the help's list of commands."""
        write_commands(self.table, formatter)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name, or an option's once a dash is typed."""
        items = [
            CompletionItem(name, help=spec.help)
            for name, spec in self.table.items()
            if name.startswith(incomplete)
        ]
        return items + super(TyperGroup, self).shell_complete(ctx, incomplete)


def write_commands(table: Commands, formatter: HelpFormatter) -> None:
    """Write the help's list of commands."""
    with formatter.section("Commands"):
        formatter.write_dl([(name, spec.help) for name, spec in table.items()])


def load(name: str, spec: CommandSpec | GroupSpec) -> AnyCommand:
    """Make the command or group that SPEC describes."""
    if isinstance(spec, CommandSpec):
        return build(name, spec)
    kind = cast("type[LazyGroup]", import_target(spec.kind))
    return kind(name=name, table=spec.commands, help=spec.help, rich_markup_mode=None)


def build(name: str, spec: CommandSpec, kind: type[JsonCommand] = JsonCommand) -> AnyCommand:
    """Import SPEC's function and let Typer make a command of its signature and docstring."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name, cls=kind)(import_target(f"dursor.cli.commands.{spec.target}"))
    return typer.main.get_command(app)


def import_target(target: str) -> Any:
    """Import TARGET, `module:attribute`."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
