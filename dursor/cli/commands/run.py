"""`dursor run list, show, diff, logs, watch, cancel, retry, compare, apply`."""

from typing import Annotated

import typer

from dursor.cli.application import get_app
from dursor.cli.command_result import CommandResult, Items, PatchOutput, RunView
from dursor.cli.completion.completions import complete_tasks
from dursor.cli.options import (
    AllowPath,
    Budget,
    Everywhere,
    Explore,
    Limit,
    MaxFiles,
    Repo,
    RunId,
    RunIds,
    Timeout,
)
from dursor.domain import Choices, RunStatus
from dursor.errors import NotFoundError, UsageError
from dursor.ids import short_id

OfTask = Annotated[
    str | None,
    typer.Option(
        "--task", metavar="TASK", autocompletion=complete_tasks, help="Only runs of this task."
    ),
]
Status = Annotated[RunStatus | None, typer.Option(help="Only runs with this status.")]
Summary = Annotated[bool, typer.Option("--summary", help="Show the model's summary.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show the patch.")]
Logs = Annotated[bool, typer.Option("--logs", help="Show the log.")]
Context = Annotated[bool, typer.Option("--context", help="Show the files that were sent.")]
Reply = Annotated[bool, typer.Option("--reply", help="Show the model's replies.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Follow until the run finishes.")]
Branch = Annotated[
    str | None, typer.Option(metavar="NAME", help="Create this branch and apply there.")
]
Commit = Annotated[bool, typer.Option("--commit", help="Commit the change.")]
ThreeWay = Annotated[
    bool,
    typer.Option("--3way", help="Merge into files that have changed; a conflict changes nothing."),
]


def list_(
    ctx: typer.Context,
    *,
    repo: Repo = None,
    everywhere: Everywhere = False,
    task: OfTask = None,
    status: Status = None,
    limit: Limit = 20,
) -> Items:
    """List runs, newest first."""
    runs = get_app(ctx).runs.list(
        repo, everywhere=everywhere, task=task, status=status, limit=limit
    )
    return Items("run", runs, 'no runs: dursor run "Fix the failing test" -m gpt -m claude')


def show(
    ctx: typer.Context,
    run: RunId,
    *,
    summary: Summary = False,
    diff: Diff = False,
    logs: Logs = False,
    context: Context = False,
    reply: Reply = False,
) -> RunView:
    """Show a run: its summary, changed files and error."""
    names = ("summary", "diff", "logs", "context", "reply")
    flags = (summary, diff, logs, context, reply)
    sections = frozenset(name for name, is_set in zip(names, flags, strict=True) if is_set)
    return RunView(get_app(ctx).runs.find(run), sections)


def diff(ctx: typer.Context, run: RunId) -> PatchOutput:
    """Print a run's patch."""
    row = get_app(ctx).runs.find(run)
    if row.patch is None:
        raise NotFoundError(
            f"run {short_id(row.id)} has no patch: its status is {row.status}",
            hint=f"dursor run show {short_id(row.id)} --logs",
        )
    return PatchOutput(row.patch, {})


def logs(ctx: typer.Context, run: RunId, follow: Follow = False) -> Items:
    """Print a run's log."""
    runs = get_app(ctx).runs
    return Items("log", runs.follow(run) if follow else runs.find(run).full_log)


def watch(ctx: typer.Context, run: RunIds) -> CommandResult:
    """Follow runs of another process until they finish."""
    from dursor.cli.output.progress import show_progress
    from dursor.cli.round_outcome import summarize_round

    with show_progress() as listener:
        result = get_app(ctx).rounds.watch(run, listener)
    return summarize_round(result)


def cancel(ctx: typer.Context, run: RunIds) -> CommandResult:
    """Cancel runs, also those of another process."""
    from dursor.cli.round_outcome import summarize_canceled

    return summarize_canceled(get_app(ctx).runs.cancel(run))


def retry(
    ctx: typer.Context,
    run: RunId,
    *,
    budget: Budget = None,
    max_files: MaxFiles = None,
    allow_path: AllowPath = None,
    timeout: Timeout = None,
    explore: Explore = None,
) -> CommandResult:
    """Rerun a run with the same model, base and instruction.

    The round's other options are kept; limits can be overridden, and --allow-path adds to them.
    """
    from dursor.cli.output.progress import show_progress
    from dursor.cli.round_outcome import summarize_round

    allowed = tuple(allow_path or ())
    overrides = Choices((), None, budget, max_files, allowed, timeout, explore)
    with show_progress() as listener:
        result = get_app(ctx).rounds.retry(run, overrides, listener)
    return summarize_round(result)


def compare(ctx: typer.Context, run: RunIds) -> CommandResult:
    """Compare the changes of several runs."""
    if len(run) < 2:
        raise UsageError("compare needs two runs", hint=f"dursor run compare {run[0]} RUN")
    return CommandResult(get_app(ctx).runs.compare(run))


def apply(
    ctx: typer.Context,
    run: RunId,
    branch: Branch = None,
    commit: Commit = False,
    three_way: ThreeWay = False,
) -> CommandResult:
    """Apply a run's change to the working tree, all or nothing."""
    change = get_app(ctx).runs.apply(run, branch=branch, commit=commit, three_way=three_way)
    return CommandResult(change)
