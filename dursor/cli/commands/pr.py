"""`dursor pr`."""

from typing import Annotated

import typer

from dursor.cli.application import get_app, get_listener
from dursor.cli.command_result import CommandResult, Items
from dursor.cli.completion.completions import complete_pulls, complete_runs
from dursor.cli.input.instruction_input import read_argument
from dursor.cli.options import Everywhere, Limit, Repo
from dursor.domain import PullRequest
from dursor.ids import short_id

HELP = "dursor pr create --help"
Pull = Annotated[
    str,
    typer.Argument(
        metavar="PR", autocompletion=complete_pulls, help="A pull request's number, URL or id."
    ),
]
FromRun = Annotated[
    str,
    typer.Option(
        "--run", metavar="RUN", autocompletion=complete_runs, help="The run whose change to use."
    ),
]
Title = Annotated[
    str | None,
    typer.Option("--title", metavar="S", help="Title; default: the task's first instruction."),
]
Body = Annotated[
    str | None,
    typer.Option(
        "--body",
        metavar="S",
        help="Body; - reads stdin. Default: the run's summary, in the repository's template.",
    ),
]
Draft = Annotated[bool, typer.Option("--draft", help="Open it as a draft.")]
Base = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="B",
        help="Branch to merge into; default: the run's base. OWNER:B for a fork's parent.",
    ),
]
Branch = Annotated[
    str | None,
    typer.Option(
        "--branch", metavar="B", help="Branch to push; default: dursor/ and the run's id."
    ),
]
Web = Annotated[bool, typer.Option("--web", help="Open the pull request in a browser.")]


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
    from dursor.services.request import NewPull

    request = NewPull(
        run,
        None if title is None else " ".join(read_argument(title, "the title", HELP).split()),
        None if body is None else read_argument(body, "the body", HELP),
        draft,
        base,
        branch,
    )
    pr = get_app(ctx).pulls.create(request, get_listener())
    if web:
        from dursor.cli.output.browser import open_page

        open_page(pr.url)
    return CommandResult(pr, next=[f"dursor pr sync {pr.number}"])


def update(ctx: typer.Context, pr: Pull, run: FromRun) -> PullRequest:
    """Add a run's change to a pull request, as one commit."""
    return get_app(ctx).pulls.update(pr, run, get_listener())


def list_(
    ctx: typer.Context, repo: Repo = None, everywhere: Everywhere = False, limit: Limit = 20
) -> Items:
    """List the pull requests that were created from runs."""
    pulls = get_app(ctx).pulls.list(repo, everywhere=everywhere, limit=limit)
    return Items("pr", pulls, "no pull requests: dursor pr create --run RUN")


def show(ctx: typer.Context, pr: Pull) -> PullRequest:
    """Show the current state of a pull request."""
    return get_app(ctx).pulls.show(pr, get_listener())


def sync(ctx: typer.Context, pr: Pull) -> CommandResult:
    """Fetch a pull request's state and reviews into its task."""
    result = get_app(ctx).pulls.sync(pr, get_listener())
    command = f'dursor run "Address the review" --task {short_id(result.pr.task_id)}'
    return CommandResult(result, next=[command] if result.messages and result.pr.is_live else [])
