"""`dursor patch`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dursor.cli.application import get_app
from dursor.cli.command_result import PatchOutput
from dursor.cli.completion.completions import complete_files
from dursor.cli.input.instruction_input import STDIN, read_file, read_stdin
from dursor.cli.options import Base, Repo
from dursor.cli.output.json_views import to_json
from dursor.cli.output.terminal import is_terminal
from dursor.errors import UsageError
from dursor.services.results import AppliedChange

Reply = Annotated[
    str | None,
    typer.Argument(
        metavar="[FILE|-]",
        autocompletion=complete_files,
        help="A model's complete reply; - reads stdin.",
    ),
]
Apply = Annotated[bool, typer.Option("--apply", help="Apply the change to the working tree.")]


def patch(
    ctx: typer.Context,
    reply: Reply = None,
    repo: Repo = None,
    base: Base = None,
    apply: Apply = False,
) -> PatchOutput | AppliedChange:
    """Turn any model's reply into a clean patch."""
    text = _read(reply)
    patches = get_app(ctx).patches
    if apply:
        return patches.apply(text, repo, base)
    resolved = patches.resolve(text, repo, base)
    data = {"files_changed": to_json(resolved.files_changed), "warnings": [*resolved.warnings]}
    return PatchOutput(resolved.patch, data, resolved.warnings)


def _read(reply: str | None) -> bytes:
    if reply == STDIN:
        return read_stdin()
    if reply is not None:
        return read_file(Path(reply))
    if is_terminal(sys.stdin) and is_terminal(sys.stdout):
        from dursor.cli.input.editor import edit

        return edit("dursor patch reply.md").encode()
    raise UsageError("FILE is missing", hint="dursor patch reply.md")
