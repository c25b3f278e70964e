"""`dursor run watch, cancel, retry`."""

import typer

from dursor.cli import progress, rounds
from dursor.cli.answers import Answer
from dursor.cli.application import get_app
from dursor.cli.options import RunId, RunIds


def watch(ctx: typer.Context, run: RunIds) -> Answer:
    """Follow runs of another process until they are done."""
    with progress.shown() as listener:
        done = get_app(ctx).rounds.watch(run, listener)
    return rounds.finished(done)


def cancel(ctx: typer.Context, run: RunIds) -> Answer:
    """Stop runs, also those of another process."""
    return rounds.stopped(get_app(ctx).runs.cancel(run))


def retry(ctx: typer.Context, run: RunId) -> Answer:
    """Run the same model, base and instruction once more."""
    with progress.shown() as listener:
        done = get_app(ctx).rounds.retry(run, listener)
    return rounds.finished(done)
