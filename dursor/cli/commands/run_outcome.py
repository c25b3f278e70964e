"""`dursor run compare, apply`."""

from typing import Annotated

import typer

from dursor.cli.application import get_app
from dursor.cli.options import RunId, RunIds
from dursor.errors import UsageError
from dursor.services.results import AppliedChange, Comparison

Branch = Annotated[str | None, typer.Option(metavar="NAME", help="On a new branch of this name.")]
Commit = Annotated[bool, typer.Option("--commit", help="Commit the change.")]
ThreeWay = Annotated[
    bool,
    typer.Option("--3way", help="Merge where the files have moved on; a conflict changes nothing."),
]


def compare(ctx: typer.Context, run: RunIds) -> Comparison:
    """Show side by side what runs changed."""
    if len(run) < 2:
        raise UsageError("it takes two runs to compare", hint=f"dursor run compare {run[0]} RUN")
    return get_app(ctx).runs.compare(run)


def apply(
    ctx: typer.Context,
    run: RunId,
    branch: Branch = None,
    commit: Commit = False,
    three_way: ThreeWay = False,
) -> AppliedChange:
    """Put a run's change into the working tree, all or nothing."""
    return get_app(ctx).runs.apply(run, branch=branch, commit=commit, three_way=three_way)
