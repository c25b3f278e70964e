"""`dursor run TEXT`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dursor.cli.application import get_app
from dursor.cli.command_result import CommandResult
from dursor.cli.completion import completions
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

MOST_SAMPLES = 1000
MODELS_HINT = 'dursor run "Fix the failing test" -m gpt -m claude:2'

Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME[:N]",
        autocompletion=completions.models,
        help="Ask this model, N times over; repeatable. Default: `models` in the configuration.",
    ),
]
Dirty = Annotated[
    bool, typer.Option("--dirty", help="Start from the tracked files as they are now.")
]
Task = Annotated[
    str | None,
    typer.Option(
        "--task",
        metavar="TASK",
        autocompletion=completions.tasks,
        help="Go on with this task; default: a new one.",
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="RUN", autocompletion=completions.runs, help="Go on from this answer."
    ),
]
Jobs = Annotated[
    int | None, typer.Option(callback=at_least_one, metavar="N", help="At most N runs at a time.")
]
Require = Annotated[
    Literal["any", "all"] | None,
    typer.Option(help="How many runs must succeed for exit code 0.  [default: any]"),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be sent and its price; send nothing.")
]
Detach = Annotated[
    bool, typer.Option("--detach", help="Return at once; a process of its own goes on.")
]


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
) -> object:
    """Send one instruction to several models at once.

    Each answer becomes a checked patch that `dursor run apply` puts into your files. A text of one
    word that looks like a subcommand is refused; `dursor run -- WORD` sends it all the same.
    """
    from dursor.cli.input.instruction_input import instruction
    from dursor.services.request import RoundRequest

    if dry_run and detach:
        raise UsageError("--dry-run and --detach exclude each other", hint="dursor run --help")
    words, models = instruction(text, instruction_file, "dursor run"), model_counts(model or [])
    always, allowed = tuple(file or ()), tuple(allow_path or ())
    said = Choices(always, context_budget, budget, max_files, allowed, timeout, explore)
    request = RoundRequest(words, models, repo, base, dirty, task, from_run, said, jobs, require)
    if dry_run:
        return _plan(ctx, request)
    return _detach(ctx, request) if detach else _run(ctx, request)


def _plan(ctx: typer.Context, request: "RoundRequest") -> CommandResult:
    plan = get_app(ctx).rounds.plan(request)
    return CommandResult(plan, warnings=plan.context.warnings)


def _run(ctx: typer.Context, request: "RoundRequest") -> CommandResult:
    from dursor.cli import round_outcome as rounds
    from dursor.cli.output import progress

    with progress.shown() as listener:
        done = get_app(ctx).rounds.start(request, listener)
    return rounds.finished(done)


def _detach(ctx: typer.Context, request: "RoundRequest") -> CommandResult:
    from dursor.cli import round_outcome as rounds
    from dursor.cli.output import progress

    return rounds.under_way(get_app(ctx).rounds.detach(request, progress.StageLog().hear))


def model_counts(names: Sequence[str]) -> "tuple[ModelCount, ...]":
    """Read `NAME[:N]`; the same name twice is one model with more samples."""
    from dursor.services.request import ModelCount

    counts: dict[str, int] = {}
    for word in names:
        name, colon, number = word.partition(":")
        samples = int(number) if number.isascii() and number.isdecimal() else 0
        if not name or (colon and not samples):
            raise UsageError(f"--model {word!r} is not NAME or NAME:N", hint=MODELS_HINT)
        counts[name] = counts.get(name, 0) + (samples or 1)
        if counts[name] > MOST_SAMPLES:
            raise UsageError(
                f"--model {word!r}: more than {MOST_SAMPLES} samples of a model in one round",
                hint=f"-m {name}:{MOST_SAMPLES}",
            )
    return tuple(ModelCount(name, samples) for name, samples in counts.items())
