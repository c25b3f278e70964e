"""Arguments and options that several commands share, and their checks."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from dursor.cli.completion.completions import (
    complete_files,
    complete_models,
    complete_repos,
    complete_runs,
    complete_tasks,
)

MAX_NUMBER = 10**12  # databases and vendors accept it; anything larger is a typo


def check_range(min_: int, *, exclusive: bool = False) -> Callable[[Any], Any]:
    """Make a callback that refuses numbers below MIN_, absurdly large ones and NaN."""

    def check(value: Any) -> Any:
        if value is None or (min_ <= value <= MAX_NUMBER and not (exclusive and value == min_)):
            return value
        if value > MAX_NUMBER:
            raise typer.BadParameter(f"must be at most {MAX_NUMBER}, not {value}.")
        limit = "above" if exclusive else "at least"
        raise typer.BadParameter(f"must be {limit} {min_}, not {value:g}.")

    return check


at_least_zero = check_range(0)
at_least_one = check_range(1)
above_zero = check_range(0, exclusive=True)

RunId = Annotated[
    str, typer.Argument(metavar="RUN", autocompletion=complete_runs, help="A run's id.")
]
RunIds = Annotated[
    list[str], typer.Argument(metavar="RUN...", autocompletion=complete_runs, help="Run ids.")
]
TaskId = Annotated[
    str, typer.Argument(metavar="TASK", autocompletion=complete_tasks, help="A task's id.")
]
RepoName = Annotated[
    str,
    typer.Argument(
        metavar="REPO",
        autocompletion=complete_repos,
        help="A repository's path, name, id or OWNER/NAME.",
    ),
]
ModelName = Annotated[
    str, typer.Argument(metavar="NAME", autocompletion=complete_models, help="A model's name.")
]
Repo = Annotated[
    str | None,
    typer.Option(
        "--repo",  # explicit, since Typer 0.27 derives --REPO from the metavar
        metavar="REPO",
        autocompletion=complete_repos,
        help="Path, name, id or OWNER/NAME; default: the current repository.",
    ),
]
Everywhere = Annotated[bool, typer.Option("--all", help="Include all repositories.")]
Limit = Annotated[
    int, typer.Option(callback=at_least_one, metavar="N", help="Maximum number to list.")
]
Base = Annotated[
    str | None, typer.Option(metavar="REF", help="Commit, branch or tag to start from.")
]
Text = Annotated[
    str | None, typer.Argument(metavar="TEXT", help="The instruction, one argument; - reads stdin.")
]
InstructionFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", autocompletion=complete_files, help="Read the instruction from FILE."
    ),
]
Files = Annotated[
    list[str] | None,
    typer.Option(
        "--file",
        metavar="PATH",
        autocompletion=complete_files,
        help="Always send this file; repeatable.",
    ),
]
ContextBudget = Annotated[
    int | None,
    typer.Option(
        callback=at_least_zero, metavar="TOKENS", help="Tokens of repository files to send."
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(
        metavar="USD", callback=at_least_zero, help="Refuse or stop a round that costs more."
    ),
]
MaxFiles = Annotated[
    int | None,
    typer.Option(
        callback=at_least_one, metavar="N", help="Refuse a change of more files.  [default: 50]"
    ),
]
AllowPath = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", help="Allow paths that are otherwise forbidden; repeatable."),
]
Timeout = Annotated[
    float | None,
    typer.Option(metavar="S", callback=above_zero, help="Time limit of a run in seconds."),
]
Explore = Annotated[
    bool | None,
    typer.Option(
        "--explore/--no-explore",
        help="Let models read and search the repository before they answer."
        "  [default: on, except for models with --base-url]",
    ),
]
