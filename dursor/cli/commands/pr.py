"""`dursor pr`."""

from typing import Annotated

import typer

from dursor.cli.application import get_app
from dursor.cli.command_result import CommandResult, Items
from dursor.cli.completion import completions
from dursor.cli.input.instruction_input import said
from dursor.cli.options import Everywhere, Limit, Repo
from dursor.cli.output.formats import short
from dursor.domain import PullRequest

HELP = "dursor pr create --help"
Pull = Annotated[
    str,
    typer.Argument(
        metavar="PR",
        autocompletion=completions.pulls,
        help="A pull request's number on GitHub, its page or its id.",
    ),
]
FromRun = Annotated[
    str,
    typer.Option(
        "--run", metavar="RUN", autocompletion=completions.runs, help="The run whose change it is."
    ),
]
Title = Annotated[
    str | None, typer.Option("--title", metavar="S", help="Default: what was asked first.")
]
Body = Annotated[
    str | None,
    typer.Option(
        "--body",
        metavar="S",
        help="Its text; - reads it from stdin. Default: the run's, in the repository's template.",
    ),
]
Draft = Annotated[bool, typer.Option("--draft", help="Not yet ready for review.")]
Base = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="B",
        help="Branch to merge into; default: the one the run started from. OWNER:B in a fork.",
    ),
]
Branch = Annotated[
    str | None, typer.Option("--branch", metavar="B", help="Default: dursor/ and the run's id.")
]
Web = Annotated[bool, typer.Option("--web", help="Open its page in a browser.")]


def create(
    ctx: typer.Context,
    *,
    run: FromRun,
    title: Title = None,
    body: Body = None,
    draft: Draft = False,
    base: Base = None,
    branch: Branch = None,
    web: Web = False,
) -> CommandResult:
    """Open a pull request with a run's change."""
    from dursor.cli.output.progress import StageLog
    from dursor.services.request import NewPull

    wish = NewPull(
        run,
        None if title is None else " ".join(said(title, "the title", HELP).split()),
        None if body is None else said(body, "the body", HELP),
        draft,
        base,
        branch,
    )
    pr = get_app(ctx).pulls.create(wish, StageLog().hear)
    if web:
        from dursor.cli.output.browser import show_page

        show_page(pr.url)
    return CommandResult(pr, next=[f"dursor pr sync {pr.number}"])


def update(ctx: typer.Context, pr: Pull, run: FromRun) -> PullRequest:
    """Put a run's change on a pull request's branch, as one more commit."""
    from dursor.cli.output.progress import StageLog

    return get_app(ctx).pulls.update(pr, run, StageLog().hear)


def list_(
    ctx: typer.Context, repo: Repo = None, everywhere: Everywhere = False, limit: Limit = 20
) -> Items:
    """List pull requests that grew from runs, newest first."""
    pulls = get_app(ctx).pulls.list(repo, everywhere=everywhere, limit=limit)
    return Items("pr", pulls, "no pull requests: dursor pr create --run RUN")


def show(ctx: typer.Context, pr: Pull) -> PullRequest:
    """Show a pull request as it is now."""
    from dursor.cli.output.progress import StageLog

    return get_app(ctx).pulls.show(pr, StageLog().hear)


def sync(ctx: typer.Context, pr: Pull) -> CommandResult:
    """Bring a pull request's state and review into its task."""
    from dursor.cli.output.progress import StageLog

    news = get_app(ctx).pulls.sync(pr, StageLog().hear)
    go_on = f'dursor run "Address the review" --task {short(news.pr.task_id)}'
    return CommandResult(news, next=[go_on] if news.messages and news.pr.is_live else [])
