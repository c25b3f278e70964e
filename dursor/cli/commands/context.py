"""`dursor context`."""

import typer

from dursor.cli.application import get_app
from dursor.cli.command_result import CommandResult
from dursor.cli.input.instruction_input import read_instruction
from dursor.cli.options import Base, ContextBudget, Files, InstructionFile, Repo, Text
from dursor.services.request import ContextRequest


def context(
    ctx: typer.Context,
    text: Text = None,
    *,
    repo: Repo = None,
    base: Base = None,
    context_budget: ContextBudget = None,
    instruction_file: InstructionFile = None,
    file: Files = None,
) -> CommandResult:
    """Show what would be sent, file by file."""
    request = ContextRequest(
        instruction=read_instruction(text, instruction_file, "dursor context"),
        repo=repo,
        base=base,
        files=tuple(file or ()),
        context_budget=context_budget,
    )
    plan = get_app(ctx).rounds.context(request)
    return CommandResult(plan, warnings=plan.warnings)
