"""`dursor demo`."""

from pathlib import Path
from typing import Annotated

import typer

from dursor.cli import round_outcome as rounds
from dursor.cli.completion import candidates
from dursor.cli.output import progress
from dursor.cli.output.json_views import TASK, each, full_run, pick
from dursor.cli.output.terminal import tell
from dursor.cli.results import Answer, Plain
from dursor.services.results import Round

Keep = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", autocompletion=candidates.files, help="Make the sample here, and leave it."
    ),
]


def demo(keep: Keep = None) -> Answer:
    """Show a whole round without keys or network."""
    from dursor.app import App
    from dursor.demo.show import NOTICE, lines, run_demo

    tell(NOTICE)
    with progress.shown() as listener:
        result = run_demo(App, keep, listener)
    judged = rounds.finished(Round(result.task, result.runs))
    data = {
        "task": pick(result.task, TASK),
        "runs": each(result.runs, full_run),
        "tests": [{"model": test.model, "passed": test.passed} for test in result.tests],
    }
    return Answer(Plain(data, lines(result)), judged.status, judged.errors, result.exit_code)
