"""`dursor demo`."""

from pathlib import Path
from typing import Annotated

import typer

from dursor.cli.command_result import CommandResult, PlainOutput
from dursor.cli.completion.completions import complete_files
from dursor.cli.output.json_views import to_json
from dursor.cli.output.progress import show_progress
from dursor.cli.output.terminal import print_stderr
from dursor.cli.round_outcome import summarize_round
from dursor.services.results import RoundResult

Keep = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        autocompletion=complete_files,
        help="Create the sample repository in DIR and keep it.",
    ),
]


def demo(keep: Keep = None) -> CommandResult:
    """Show a whole round without keys or network."""
    from dursor.app import App
    from dursor.demo.report import NOTICE, format_report
    from dursor.demo.show import run_demo

    print_stderr(NOTICE)
    with show_progress() as listener:
        result = run_demo(App, keep, listener)
    round_ = summarize_round(RoundResult(result.task, result.round, result.runs))
    tests = [{"model": test.model, "passed": test.passed} for test in result.tests]
    output = PlainOutput({**to_json(round_.value), "tests": tests}, format_report(result))
    return CommandResult(output, round_.status, round_.errors, result.exit_code)
