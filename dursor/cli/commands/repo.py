"""`dursor repo`."""

from typing import Annotated

import typer

from dursor.cli.application import get_app, get_listener
from dursor.cli.command_result import Items
from dursor.cli.completion.completions import complete_files
from dursor.cli.options import Limit, RepoName
from dursor.domain import Repo

Source = Annotated[
    str,
    typer.Argument(
        metavar="PATH|URL|OWNER/NAME",
        autocompletion=complete_files,
        help="A folder, or a repository to clone.",
    ),
]
Name = Annotated[str | None, typer.Option(metavar="N", help="A name of your choice.")]


def add(ctx: typer.Context, source: Source, name: Name = None) -> Repo:
    """Register a folder, or clone a URL or OWNER/NAME."""
    return get_app(ctx).repos.add(source, name, get_listener())


def list_(ctx: typer.Context, limit: Limit = 20) -> Items:
    """List the registered repositories."""
    return Items("repo", get_app(ctx).repos.list(limit), "no repositories: dursor repo add PATH")


def show(ctx: typer.Context, repo: RepoName) -> Repo:
    """Show one repository."""
    return get_app(ctx).repos.find(repo)


def branches(ctx: typer.Context, repo: RepoName) -> Items:
    """List a repository's branches."""
    return Items("branch", get_app(ctx).repos.branches(repo))


def remove(ctx: typer.Context, repo: RepoName) -> Repo:
    """Unregister a repository; your folder is kept."""
    return get_app(ctx).repos.remove(repo)
