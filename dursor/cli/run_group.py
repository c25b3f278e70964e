"""`dursor run`: an instruction, unless the first word names a subcommand."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from dursor.cli.command_tree import ROUND, RUN
from dursor.cli.lazy_commands import JsonCommand, LazyGroup, build, commands_section
from dursor.cli.usage_errors import nearest
from dursor.errors import UsageError

if TYPE_CHECKING:
    from typer._click.core import Command as AnyCommand
    from typer._click.core import Context
    from typer._click.formatting import HelpFormatter
    from typer._click.shell_completion import CompletionItem

LITERAL = "--"  # what follows is text, whatever it looks like
NEAR = 0.65  # likeness of a typo: `lst`, `ls`, `compere`, but not `refactor` for `retry`


class RoundCommand(JsonCommand):
    """`dursor run TEXT`, whose help speaks for the whole noun."""

    allow_extra_args = True  # to say better what is wrong with them

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parse ARGS; UsageError for a text that looks like a slip of the hand."""
        literal = LITERAL in args
        rest = super().parse_args(ctx, [*args])
        text = ctx.params.get("text")
        if ctx.resilient_parsing or text is None:
            return rest
        if not literal:
            refuse_typo(text)
        if rest:
            whole = shlex.join(["dursor", "run", " ".join([text, *rest])])
            raise UsageError("TEXT is one argument: quote it", hint=whole)
        return rest

    def format_usage(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write both forms."""
        super().format_usage(ctx, formatter)
        formatter.write_usage(ctx.command_path, "COMMAND [ARGS]...", prefix="       ")

    def format_options(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write this form's options, then the subcommands."""
        super().format_options(ctx, formatter)
        commands_section(RUN, formatter)


class RunGroup(LazyGroup):
    """The noun's group; whatever is no subcommand is a round."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Context | None = None, **extra: Any
    ) -> Context:
        """Make the context of the round's command unless ARGS begin with a subcommand."""
        completing_first_word = extra.get("resilient_parsing") and not args
        if completing_first_word or (args and args[0] in self.table):
            return super().make_context(info_name, args, parent, **extra)
        return self.round().make_context(info_name, args, parent, **extra)

    def round(self) -> AnyCommand:
        """Import the command of a round."""
        return build("run", ROUND, RoundCommand)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """Offer the subcommands, or a round's options once a dash is there."""
        if incomplete.startswith("-"):
            return self.round().shell_complete(ctx, incomplete)
        return super().shell_complete(ctx, incomplete)


def refuse_typo(text: str) -> None:
    """Raise UsageError when TEXT is one word that is, or nearly is, a subcommand's name.

    A typo must not cost money.
    """
    if len(text.split()) != 1:
        return
    meant = nearest(text.strip(), RUN, NEAR)
    if meant is not None:
        raise UsageError(
            f"{text!r} looks like the subcommand {meant!r}, so it was not sent to any model",
            hint=f"dursor run {meant} (or, to send the word: dursor run -- {shlex.quote(text)})",
        )
