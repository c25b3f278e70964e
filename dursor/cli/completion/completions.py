"""What a shell offers for a word: names and ids from the store; in case of doubt, nothing."""

from collections.abc import Callable
from contextlib import suppress

import typer

from dursor.cli.application import get_app
from dursor.cli.output.formats import SHORT, short
from dursor.cli.output.terminal import one_line
from dursor.errors import DursorError

MOST = 50

FILES = "<files>"  # as a description: what stands here is a file, which the shell knows best

Offer = list[tuple[str, str]]  # word, description


def ids(table: str) -> Callable[[typer.Context, str], Offer]:
    """Make the candidates for an id of TABLE: "runs", "tasks" or "repos"."""

    def offer(ctx: typer.Context, incomplete: str) -> Offer:
        cut = short if len(incomplete) <= SHORT else str
        with suppress(DursorError, OSError):
            found = get_app(ctx).reader.ids(table, incomplete, limit=MOST)
            return [(cut(id_), one_line(label)) for id_, label in found]
        return []

    return offer


def models(ctx: typer.Context, incomplete: str) -> Offer:
    """Offer the models' names."""
    with suppress(DursorError, OSError):
        return [
            (name, "") for name in get_app(ctx).models.list_names() if name.startswith(incomplete)
        ]
    return []


def repos(ctx: typer.Context, incomplete: str) -> Offer:
    """Offer the registered repositories, by name, or folders where none begins so."""
    with suppress(DursorError, OSError):
        found = get_app(ctx).repos.list(MOST)
        named = [(one.name, one.path) for one in found if one.name.startswith(incomplete)]
        return named or files(ctx, incomplete)
    return []


def files(ctx: typer.Context, incomplete: str) -> Offer:
    """Leave it to the shell."""
    del ctx
    return [(incomplete, FILES)]


def pulls(ctx: typer.Context, incomplete: str) -> Offer:
    """Offer the numbers of this repository's pull requests, or ids where none begins so."""
    with suppress(DursorError, OSError):
        app = get_app(ctx)
        here = app.repos.here()
        found = app.reader.prs(repo_id=here.id if here else None, limit=MOST)
        numbered = [(str(one.number), one_line(one.title)) for one in found]
        offered = [one for one in numbered if one[0].startswith(incomplete)]
        return offered or ids("prs")(ctx, incomplete)
    return []


def settings(ctx: typer.Context, incomplete: str) -> Offer:
    """Offer the names of settings, and what each takes."""
    del ctx
    from dursor.config.options import OPTIONS

    return [(name, key.accepts) for name, key in OPTIONS.items() if name.startswith(incomplete)]


runs = ids("runs")
tasks = ids("tasks")
