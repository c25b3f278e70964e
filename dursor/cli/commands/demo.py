"""`dursor demo`."""

from pathlib import Path
from typing import Annotated

import typer

from dursor.cli import round_outcome as rounds
from dursor.cli.command_result import CommandResult, PlainOutput
from dursor.cli.completion import completions
from dursor.cli.output import progress
from dursor.cli.output.json_views import TASK, each, full_run, pick
from dursor.cli.output.terminal import tell
from dursor.services.results import RoundResult

Keep = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", autocompletion=completions.files, help="Make the sample here, and leave it."
    ),
]


def demo(keep: Keep = None) -> CommandResult:
    """Show a whole round without keys or network."""
    from dursor.app import App
    from dursor.demo.report import NOTICE, format_report
    from dursor.demo.show import run_demo

    tell(NOTICE)
    with progress.shown() as listener:
        result = run_demo(App, keep, listener)
    judged = rounds.finished(RoundResult(result.task, result.runs))
    data = {
        "task": pick(result.task, TASK),
        "runs": each(result.runs, full_run),
        "tests": [{"model": test.model, "passed": test.passed} for test in result.tests],
    }
    return CommandResult(
        PlainOutput(data, format_report(result)), judged.status, judged.errors, result.exit_code
    )
