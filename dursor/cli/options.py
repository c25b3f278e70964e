"""Arguments and options that several commands share, and their checks."""

import math
from pathlib import Path
from typing import Annotated

import typer

from dursor.cli.completion import completions

MAX_NUMBER = 10**12  # accepted by databases and vendors; anything larger is a typo


def check_amount(value: float | None) -> float | None:
    """Refuse negative and infinite numbers."""
    if value is not None and not (value >= 0 and math.isfinite(value)):
        raise typer.BadParameter(f"must be at least 0, not {value:g}.")
    return value


def check_positive(value: float | None) -> float | None:
    """Refuse zero, negative and infinite numbers."""
    if value == 0:
        raise typer.BadParameter("must be above 0.")
    return check_amount(value)


def check_whole_amount(value: int | None) -> int | None:
    """Refuse negative and absurdly large numbers."""
    return _check_range(0, value)


def check_at_least_one(value: int | None) -> int | None:
    """Refuse zero, negative and absurdly large numbers."""
    return _check_range(1, value)


def _check_range(min_: int, value: int | None) -> int | None:
    if value is not None and value < min_:
        raise typer.BadParameter(f"must be at least {min_}, not {value}.")
    if value is not None and value > MAX_NUMBER:
        raise typer.BadParameter(f"must be at most {MAX_NUMBER}, not {value}.")
    return value


RunId = Annotated[
    str,
    typer.Argument(metavar="RUN", autocompletion=completions.complete_runs, help="A run's id."),
]
RunIds = Annotated[
    list[str],
    typer.Argument(metavar="RUN...", autocompletion=completions.complete_runs, help="Run ids."),
]
TaskId = Annotated[
    str,
    typer.Argument(metavar="TASK", autocompletion=completions.complete_tasks, help="A task's id."),
]
RepoName = Annotated[
    str,
    typer.Argument(
        metavar="REPO",
        autocompletion=completions.complete_repos,
        help="A repository's path, name, id or OWNER/NAME.",
    ),
]
ModelName = Annotated[
    str,
    typer.Argument(
        metavar="NAME", autocompletion=completions.complete_models, help="A model's name."
    ),
]
Repo = Annotated[
    str | None,
    typer.Option(
        "--repo",  # explicit, since Typer 0.27 derives --REPO from the metavar
        metavar="REPO",
        autocompletion=completions.complete_repos,
        help="Path, name, id or OWNER/NAME; default: the current repository.",
    ),
]
Everywhere = Annotated[bool, typer.Option("--all", help="Include all repositories.")]
Limit = Annotated[
    int, typer.Option(callback=check_at_least_one, metavar="N", help="Maximum number to list.")
]
Base = Annotated[
    str | None, typer.Option(metavar="REF", help="Commit, branch or tag to start from.")
]
Text = Annotated[
    str | None,
    typer.Argument(metavar="TEXT", help="The instruction, one argument; - reads stdin."),
]
InstructionFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        autocompletion=completions.complete_files,
        help="Read the instruction from FILE.",
    ),
]
Files = Annotated[
    list[str] | None,
    typer.Option(
        "--file",
        metavar="PATH",
        autocompletion=completions.complete_files,
        help="Always send this file; repeatable.",
    ),
]
ContextBudget = Annotated[
    int | None,
    typer.Option(
        callback=check_whole_amount, metavar="TOKENS", help="Tokens of repository files to send."
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(
        metavar="USD", callback=check_amount, help="Refuse or stop a round that costs more."
    ),
]
MaxFiles = Annotated[
    int | None,
    typer.Option(
        callback=check_at_least_one,
        metavar="N",
        help="Refuse a change of more files.  [default: 50]",
    ),
]
AllowPath = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", help="Allow paths that are otherwise forbidden; repeatable."),
]
Timeout = Annotated[
    float | None,
    typer.Option(metavar="S", callback=check_positive, help="Time limit of a run in seconds."),
]
Explore = Annotated[
    bool | None,
    typer.Option(
        "--explore/--no-explore",
        help="Let models read and search the repository before they answer."
        "  [default: on, except for models with --base-url]",
    ),
]
