"""`dursor task`."""

from typing import Annotated

import typer

from dursor.cli.application import get_app
from dursor.cli.command_result import Items
from dursor.cli.input.instruction_input import read_argument
from dursor.cli.options import Everywhere, Limit, Repo, TaskId
from dursor.domain import Message, Task
from dursor.services.results import TaskHistory

Title = Annotated[str, typer.Argument(metavar="TITLE", help="The topic in one line.")]
Text = Annotated[
    str, typer.Argument(metavar="TEXT", help="The message, one argument; - reads stdin.")
]


def new(ctx: typer.Context, title: Title, repo: Repo = None) -> Task:
    """Create a task: a conversation about one repository."""
    return get_app(ctx).tasks.create(read_argument(title, "the title"), repo)


def list_(
    ctx: typer.Context, repo: Repo = None, everywhere: Everywhere = False, limit: Limit = 20
) -> Items:
    """List tasks, newest first."""
    tasks = get_app(ctx).tasks.list(repo, everywhere=everywhere, limit=limit)
    return Items("task", tasks, 'no tasks: dursor task new "Pagination"')


def show(ctx: typer.Context, task: TaskId) -> TaskHistory:
    """Show a task's conversation, runs and pull requests."""
    return get_app(ctx).tasks.history(task)


def say(ctx: typer.Context, task: TaskId, text: Text) -> Message:
    """Add a message to a task, for its next round."""
    return get_app(ctx).tasks.say(task, read_argument(text, "the message"))


def rename(ctx: typer.Context, task: TaskId, title: Title) -> Task:
    """Rename a task."""
    return get_app(ctx).tasks.rename(task, read_argument(title, "the title"))


def close(ctx: typer.Context, task: TaskId) -> Task:
    """Close a task."""
    return get_app(ctx).tasks.close(task)
