"""The root command `dursor`."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from dursor import __version__
from dursor.cli import boundary
from dursor.cli.command_result import PlainOutput
from dursor.cli.command_tree import COMMANDS
from dursor.cli.lazy_commands import LazyGroup
from dursor.errors import UsageError

if TYPE_CHECKING:
    from typer._click.core import Context

CURRENT_SHELL = "this"
SHELL_OPTIONS = ("--install-completion", "--show-completion")


class Root(LazyGroup):
    """The root command, for `dursor` and for Typer's test runner."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(table=COMMANDS, **attributes)

    def run(self, words: Sequence[str], **extra: Any) -> int:
        """Run the command that WORDS name and return its exit code."""
        instruction = os.environ.get("_DURSOR_COMPLETE")
        if instruction:
            from dursor.cli.completion.complete import run_completion

            return run_completion(self, instruction, extra)
        return boundary.run(self, words, extra)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002 - Typer's signature
        complete_var: str | None = None,  # noqa: ARG002
        standalone_mode: bool = True,  # noqa: ARG002
        windows_expand_args: bool = True,  # noqa: ARG002
        **extra: Any,
    ) -> NoReturn:
        """Run ARGS and exit; Typer and its test runner call this."""
        sys.exit(self.run(sys.argv[1:] if args is None else args, **extra))

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        """Make the shell's name optional for the completion options."""
        words = list(args)
        if words and words[0] in SHELL_OPTIONS and all(word.startswith("-") for word in words[1:]):
            words.insert(1, CURRENT_SHELL)
        return super().parse_args(ctx, words)


app = typer.Typer(
    cls=Root,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog='Start with `dursor demo`, then `dursor run "Fix the failing test" -m gpt -m claude`.',
)


@app.callback()
def dursor(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    install_completion: Annotated[
        str | None,
        typer.Option(metavar="[SHELL]", help="Install completion for bash, zsh or fish."),
    ] = None,
    show_completion: Annotated[
        str | None, typer.Option(metavar="[SHELL]", help="Print the completion script.")
    ] = None,
) -> object:
    """Send one coding task to models of several vendors and keep the best answer."""
    if install_completion or show_completion:
        from dursor.cli.completion import shells

        act = shells.install if install_completion else shells.show_script
        name = install_completion or show_completion
        return act(None if name == CURRENT_SHELL else name)
    if ctx.invoked_subcommand is not None:
        if version:
            raise UsageError("--version cannot be combined with a command", hint="dursor --version")
        return None
    if version:
        return PlainOutput({"version": __version__}, [f"dursor {__version__}"])
    return PlainOutput({"help": ctx.get_help()}, [ctx.get_help()])


def make_command() -> Root:
    """Make the root command."""
    root = typer.main.get_command(app)
    assert isinstance(root, Root)  # noqa: S101 - `cls` is Root
    return root
