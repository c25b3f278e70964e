"""`dursor run TEXT`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dursor.cli.application import get_app, get_listener
from dursor.cli.command_result import CommandResult
from dursor.cli.completion.completions import complete_models, complete_runs, complete_tasks
from dursor.cli.options import (
    AllowPath,
    Base,
    Budget,
    ContextBudget,
    Explore,
    Files,
    InstructionFile,
    MaxFiles,
    Repo,
    Text,
    Timeout,
    at_least_one,
)
from dursor.domain import Choices
from dursor.errors import UsageError

if TYPE_CHECKING:
    from dursor.services.request import ModelCount, RoundRequest

MAX_SAMPLES = 1000
MODELS_HINT = 'dursor run "Fix the failing test" -m gpt -m claude:2'

Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME[:N]",
        autocompletion=complete_models,
        help="Ask this model N times; repeatable. Default: `models` in the configuration.",
    ),
]
Dirty = Annotated[
    bool,
    typer.Option("--dirty", help="Start from the tracked files with their uncommitted changes."),
]
Task = Annotated[
    str | None,
    typer.Option(
        "--task",
        metavar="TASK",
        autocompletion=complete_tasks,
        help="Continue this task; default: a new one.",
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="RUN",
        autocompletion=complete_runs,
        help="Continue from this run's result.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(callback=at_least_one, metavar="N", help="Maximum number of parallel runs."),
]
Require = Annotated[
    Literal["any", "all"] | None,
    typer.Option(help="Runs that must succeed for exit code 0.  [default: any]"),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Show what would be sent and its maximum cost; send nothing."),
]
Detach = Annotated[bool, typer.Option("--detach", help="Run in the background and return at once.")]


def start(
    ctx: typer.Context,
    text: Text = None,
    *,
    model: Models = None,
    repo: Repo = None,
    base: Base = None,
    dirty: Dirty = False,
    task: Task = None,
    from_run: From = None,
    file: Files = None,
    instruction_file: InstructionFile = None,
    context_budget: ContextBudget = None,
    budget: Budget = None,
    max_files: MaxFiles = None,
    allow_path: AllowPath = None,
    timeout: Timeout = None,
    jobs: Jobs = None,
    require: Require = None,
    explore: Explore = None,
    dry_run: DryRun = False,
    detach: Detach = False,
) -> CommandResult:
    """Send one instruction to several models at once.

    Each answer becomes a patch that `dursor run apply` applies to your files. A single word that
    looks like a subcommand is refused; `dursor run -- WORD` sends it.
    """
    from dursor.cli.input.instruction_input import read_instruction
    from dursor.services.request import RoundRequest

    if dry_run and detach:
        raise UsageError("--dry-run cannot be combined with --detach", hint="dursor run --help")
    instruction = read_instruction(text, instruction_file, "dursor run")
    models = parse_model_counts(model or [])
    files, globs = tuple(file or ()), tuple(allow_path or ())
    choices = Choices(files, context_budget, budget, max_files, globs, timeout, explore)
    request = RoundRequest(
        instruction, models, repo, base, dirty, task, from_run, choices, jobs, require
    )
    return _start(ctx, request, dry_run=dry_run, detach=detach)


def _start(
    ctx: typer.Context, request: "RoundRequest", *, dry_run: bool, detach: bool
) -> CommandResult:
    from dursor.cli.output.progress import show_progress
    from dursor.cli.round_outcome import summarize_detached, summarize_round

    rounds = get_app(ctx).rounds
    if dry_run:
        plan = rounds.plan(request)
        return CommandResult(plan, warnings=plan.context.warnings)
    if detach:
        return summarize_detached(rounds.detach(request, get_listener()))
    with show_progress() as listener:
        result = rounds.start(request, listener)
    return summarize_round(result)


def parse_model_counts(names: Sequence[str]) -> "tuple[ModelCount, ...]":
    """Parse each `NAME[:N]`; a repeated name adds samples."""
    from dursor.services.request import ModelCount

    counts: dict[str, int] = {}
    for word in names:
        name, colon, number = word.partition(":")
        samples = int(number) if number.isascii() and number.isdecimal() else 0
        if not name or (colon and not samples):
            raise UsageError(f"--model {word!r} is not NAME or NAME:N", hint=MODELS_HINT)
        counts[name] = counts.get(name, 0) + (samples or 1)
        if counts[name] > MAX_SAMPLES:
            raise UsageError(
                f"--model {word!r} asks for more than {MAX_SAMPLES} samples of a model",
                hint=f"-m {name}:{MAX_SAMPLES}",
            )
    return tuple(ModelCount(name, samples) for name, samples in counts.items())
