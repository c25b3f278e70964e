"""`dursor repo`."""

from typing import Annotated

import typer

from dursor.cli.application import get_app
from dursor.cli.command_result import Items
from dursor.cli.completion import completions
from dursor.cli.options import Limit, RepoName
from dursor.domain import Repo

Source = Annotated[
    str,
    typer.Argument(
        metavar="PATH|URL|OWNER/NAME",
        autocompletion=completions.files,
        help="A folder, or what to clone.",
    ),
]
Name = Annotated[str | None, typer.Option(metavar="N", help="What you will call it.")]


def add(ctx: typer.Context, source: Source, name: Name = None) -> Repo:
    """Register a folder, or clone a URL or OWNER/NAME."""
    from dursor.cli.output.progress import StageLog

    return get_app(ctx).repos.add(source, name, StageLog().hear)


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
    """Forget a repository; never deletes your folder."""
    return get_app(ctx).repos.remove(repo)
