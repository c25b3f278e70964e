"""Words and options that several commands share, and what is checked of them at once."""

import math
from pathlib import Path
from typing import Annotated

import typer

from dursor.cli.completion import completions

LARGEST = 10**12  # what databases and vendors still take; more is a slip of the hand


def amount(value: float | None) -> float | None:
    """Refuse what is below zero, and what is a number only to a computer."""
    if value is not None and not (value >= 0 and math.isfinite(value)):
        raise typer.BadParameter(f"{value:g} is not a number from 0 up.")
    return value


def above_zero(value: float | None) -> float | None:
    """Refuse zero besides."""
    if value == 0:
        raise typer.BadParameter("0 is not above 0.")
    return amount(value)


def whole_amount(value: int | None) -> int | None:
    """Refuse what is below zero, or absurdly large."""
    return _between(0, value)


def at_least_one(value: int | None) -> int | None:
    """Refuse zero besides."""
    return _between(1, value)


def _between(least: int, value: int | None) -> int | None:
    if value is not None and value < least:
        raise typer.BadParameter(f"{value} is not a number from {least} up.")
    if value is not None and value > LARGEST:
        raise typer.BadParameter(f"{LARGEST} is the largest number that it takes.")
    return value


RunId = Annotated[
    str, typer.Argument(metavar="RUN", autocompletion=completions.runs, help="A run's id.")
]
RunIds = Annotated[
    list[str], typer.Argument(metavar="RUN...", autocompletion=completions.runs, help="Runs' ids.")
]
TaskId = Annotated[
    str, typer.Argument(metavar="TASK", autocompletion=completions.tasks, help="A task's id.")
]
RepoName = Annotated[
    str,
    typer.Argument(
        metavar="REPO",
        autocompletion=completions.repos,
        help="A repository's path, name, id or OWNER/NAME.",
    ),
]
ModelName = Annotated[
    str, typer.Argument(metavar="NAME", autocompletion=completions.models, help="A model's name.")
]
Repo = Annotated[
    str | None,
    typer.Option(
        "--repo",  # said, since Typer 0.27 makes --REPO of the metavar
        metavar="REPO",
        autocompletion=completions.repos,
        help="Path, name, id or OWNER/NAME; default: the repository you stand in.",
    ),
]
Everywhere = Annotated[bool, typer.Option("--all", help="Of all repositories.")]
Limit = Annotated[int, typer.Option(callback=at_least_one, metavar="N", help="At most this many.")]
Base = Annotated[
    str | None, typer.Option(metavar="REF", help="Commit, branch or tag to start from.")
]
Text = Annotated[
    str | None,
    typer.Argument(metavar="TEXT", help="The instruction, one argument; - reads it from stdin."),
]
InstructionFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", autocompletion=completions.files, help="Read the instruction from FILE."
    ),
]
Files = Annotated[
    list[str] | None,
    typer.Option(
        "--file",
        metavar="PATH",
        autocompletion=completions.files,
        help="Always send this file; repeatable.",
    ),
]
ContextBudget = Annotated[
    int | None,
    typer.Option(
        callback=whole_amount, metavar="TOKENS", help="How much of the repository to send."
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(metavar="USD", callback=amount, help="Refuse or cut a round that costs more."),
]
MaxFiles = Annotated[
    int | None,
    typer.Option(
        callback=at_least_one, metavar="N", help="Refuse a change of more files.  [default: 50]"
    ),
]
AllowPath = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", help="Allow a path that is forbidden otherwise; repeatable."),
]
Timeout = Annotated[
    float | None,
    typer.Option(metavar="S", callback=above_zero, help="Seconds a run may take in all."),
]
Explore = Annotated[
    bool | None,
    typer.Option(
        "--explore/--no-explore",
        help="Let models read and search the repository before they answer."
        "  [default: on, save on servers of your own]",
    ),
]
