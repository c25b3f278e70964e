"""`dursor run list, show, diff, logs`: what the store knows; nothing heavy is imported here."""

from collections.abc import Iterator
from typing import Annotated

import typer

from dursor.cli.application import get_app
from dursor.cli.command_result import Items, PatchOutput, RunView
from dursor.cli.completion import completions
from dursor.cli.options import Everywhere, Limit, Repo, RunId
from dursor.domain import LogEntry, RunStatus
from dursor.errors import NotFoundError

OfTask = Annotated[
    str | None,
    typer.Option(
        "--task", metavar="TASK", autocompletion=completions.tasks, help="Of this task only."
    ),
]
Status = Annotated[RunStatus | None, typer.Option(help="With this status only.")]
Summary = Annotated[bool, typer.Option("--summary", help="What the model said it did.")]
Diff = Annotated[bool, typer.Option("--diff", help="The patch.")]
Logs = Annotated[bool, typer.Option("--logs", help="The log.")]
Context = Annotated[bool, typer.Option("--context", help="The files that were sent.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run is done.")]


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
) -> RunView:
    """Show a run: what it did, and why it failed."""
    asked = {"summary": summary, "diff": diff, "logs": logs, "context": context}
    wanted = frozenset(name for name, yes in asked.items() if yes)
    return RunView(get_app(ctx).runs.find(run), wanted)


def diff(ctx: typer.Context, run: RunId) -> PatchOutput:
    """Print a run's patch."""
    found = get_app(ctx).runs.find(run)
    if found.patch is None:
        raise NotFoundError(
            f"run {found.id[:8]} has no patch: it is {found.status}",
            hint=f"dursor run show {found.id[:8]} --logs",
        )
    return PatchOutput(found.patch, {})


def logs(ctx: typer.Context, run: RunId, follow: Follow = False) -> Items:
    """Print a run's log."""
    runs = get_app(ctx).runs
    entries: Iterator[LogEntry] = runs.follow(run) if follow else iter(runs.find(run).logs)
    return Items("log", entries)
