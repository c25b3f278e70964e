"""`dursor run`: a round, unless the first word is a subcommand."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from dursor.cli.command_tree import ROUND, RUN
from dursor.cli.lazy_commands import JsonCommand, LazyGroup, build, write_commands
from dursor.cli.usage_errors import find_nearest
from dursor.errors import UsageError

if TYPE_CHECKING:
    from typer._click.core import Command as AnyCommand
    from typer._click.core import Context
    from typer._click.formatting import HelpFormatter
    from typer._click.shell_completion import CompletionItem

TYPO_CUTOFF = 0.65  # similarity of a typo: `lst`, `ls`, `compere`, but not `refactor` for `retry`


class RoundCommand(JsonCommand):
    """`dursor run TEXT`, whose help covers the whole group."""

    allow_extra_args = True  # so that parse_args can report them with a better hint

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parse ARGS; UsageError for a text that looks like a typo."""
        is_literal = "--" in args
        rest = super().parse_args(ctx, [*args])
        text = ctx.params.get("text")
        if ctx.resilient_parsing or text is None:
            return rest
        if not is_literal:
            refuse_typo(text)
        if rest:
            command = shlex.join(["dursor", "run", " ".join([text, *rest])])
            raise UsageError("TEXT must be one argument: quote it", hint=command)
        return rest

    def format_usage(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write both forms."""
        super().format_usage(ctx, formatter)
        formatter.write_usage(ctx.command_path, "COMMAND [ARGS]...", prefix="       ")

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write this form's options, then the subcommands."""
        super().format_options(ctx, formatter)
        write_commands(RUN, formatter)


class RunGroup(LazyGroup):
    """The group `run`; anything but a subcommand is a round."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Context | None = None, **extra: Any
    ) -> Context:
        """Make the context of a round unless ARGS begin with a subcommand."""
        completing_first_word = extra.get("resilient_parsing") and not args
        if completing_first_word or (args and args[0] in self.table):
            return super().make_context(info_name, args, parent, **extra)
        return self.build_round().make_context(info_name, args, parent, **extra)

    def build_round(self) -> AnyCommand:
        """Import the command that starts a round."""
        return build("run", ROUND, RoundCommand)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Complete a subcommand, or a round's options once a dash is typed."""
        if incomplete.startswith("-"):
            return self.build_round().shell_complete(ctx, incomplete)
        return super().shell_complete(ctx, incomplete)


def refuse_typo(text: str) -> None:
    """Raise UsageError when TEXT is one word that resembles a subcommand: it would cost money."""
    if len(text.split()) != 1:
        return
    match = find_nearest(text.strip(), RUN, TYPO_CUTOFF)
    if match is not None:
        raise UsageError(
            f"{text!r} looks like the subcommand {match!r} and was not sent to any model",
            hint=f"dursor run {match} (to send the word: dursor run -- {shlex.quote(text)})",
        )
