"""Completions for a word: names and ids from the store; none when the store is unreadable."""

from collections.abc import Callable
from contextlib import suppress

import typer

from dursor.cli.application import get_app
from dursor.cli.output.terminal import to_one_line
from dursor.errors import DursorError
from dursor.ids import SHORT, short_id

LIMIT = 50

FILES = "<files>"  # a description that makes the shell complete file names

Completions = list[tuple[str, str]]  # word, description


def complete_ids(table: str) -> Callable[[typer.Context, str], Completions]:
    """Make a function that completes ids of TABLE: "runs", "tasks" or "prs"."""

    def complete(ctx: typer.Context, incomplete: str) -> Completions:
        shorten = short_id if len(incomplete) <= SHORT else str
        with suppress(DursorError, OSError):
            rows = get_app(ctx).reader.ids(table, incomplete, limit=LIMIT)
            return [(shorten(id_), to_one_line(label)) for id_, label in rows]
        return []

    return complete


def complete_models(ctx: typer.Context, incomplete: str) -> Completions:
    """Complete the name of a model."""
    with suppress(DursorError, OSError):
        return [
            (name, "") for name in get_app(ctx).models.list_names() if name.startswith(incomplete)
        ]
    return []


def complete_repos(ctx: typer.Context, incomplete: str) -> Completions:
    """Complete the name of a registered repository, or a folder when no name matches."""
    with suppress(DursorError, OSError):
        repos = get_app(ctx).repos.list(LIMIT)
        matches = [(repo.name, repo.path) for repo in repos if repo.name.startswith(incomplete)]
        return matches or complete_files(ctx, incomplete)
    return []


def complete_files(ctx: typer.Context, incomplete: str) -> Completions:
    """Leave the completion of file names to the shell."""
    del ctx
    return [(incomplete, FILES)]


def complete_pulls(ctx: typer.Context, incomplete: str) -> Completions:
    """Complete the number of a pull request of this repository, or an id when none matches."""
    with suppress(DursorError, OSError):
        app = get_app(ctx)
        here = app.repos.find_current()
        pulls = app.reader.prs(repo_id=here.id if here else None, limit=LIMIT)
        numbers = [(str(pull.number), to_one_line(pull.title)) for pull in pulls]
        matches = [number for number in numbers if number[0].startswith(incomplete)]
        return matches or complete_ids("prs")(ctx, incomplete)
    return []


def complete_settings(ctx: typer.Context, incomplete: str) -> Completions:
    """Complete the name of a setting; the description is its type of value."""
    del ctx
    from dursor.config.options import OPTIONS

    return [(name, key.accepts) for name, key in OPTIONS.items() if name.startswith(incomplete)]


complete_runs = complete_ids("runs")
complete_tasks = complete_ids("tasks")
