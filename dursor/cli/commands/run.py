"""`dursor run watch, cancel, retry`."""

import typer

from dursor.cli import round_outcome as rounds
from dursor.cli.application import get_app
from dursor.cli.command_result import CommandResult
from dursor.cli.options import (
    AllowPath,
    Budget,
    Explore,
    MaxFiles,
    RunId,
    RunIds,
    Timeout,
)
from dursor.cli.output import progress
from dursor.domain import Choices


def watch(ctx: typer.Context, run: RunIds) -> CommandResult:
    """Follow runs of another process until they are done."""
    with progress.shown() as listener:
        done = get_app(ctx).rounds.watch(run, listener)
    return rounds.finished(done)


def cancel(ctx: typer.Context, run: RunIds) -> CommandResult:
    """Stop runs, also those of another process."""
    return rounds.stopped(get_app(ctx).runs.cancel(run))


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
    """Run the same model, base and instruction once more.

    What else was asked of that round holds again; an option said here takes the place of its own,
    and one more --allow-path joins those there were.
    """
    allowed = tuple(allow_path or ())
    also = Choices((), None, budget, max_files, allowed, timeout, explore)
    with progress.shown() as listener:
        done = get_app(ctx).rounds.retry(run, also, listener)
    return rounds.finished(done)
