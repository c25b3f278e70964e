"""The progress of a round without a terminal."""

import subprocess
import sys
from dataclasses import replace

import fake_app
import pytest
from fake_app import AT, FAILED, RUN

from dursor.cli.output.progress import StageLog
from dursor.domain import RunStatus, Stage
from dursor.services.events import (
    Notice,
    OutputGrew,
    RetryPlanned,
    RoundStarted,
    RunFinished,
    StageEntered,
)

LINES = """\
registered shop
3fa1c9e2 gpt: call: asking gpt-5.2\\x1b[2J
dead0001 gemini: retrying in 0.5 s (429: slow down)
3fa1c9e2 gpt: succeeded, 21 s, $0.031
dead0001 gemini: failed (timeout): no first byte within 300 s, 21 s, -
"""


def test_stages_are_lines_on_stderr(process):
    done = process("run", "Fix it now", scenario="round")
    assert done.returncode == 0
    assert done.stderr.startswith(LINES)
    assert done.stdout.startswith("RUN ")


def test_json_prints_the_same_lines(process):
    done = process("run", "Fix it now", "--json", scenario="round")
    assert done.stderr == LINES
    assert done.stdout.startswith('{"version": 1, "status": "partial"')


def test_a_closed_stderr_does_not_end_a_round(home):
    done = subprocess.run(
        f'exec "{sys.executable}" "{fake_app.__file__}" run "Fix it now" 2>&-',
        shell=True,
        env={**home, "FAKE_APP_SCENARIO": "round"},
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"RUN ")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (StageEntered(RUN.id, Stage.POLICY, "3 files", AT), "3fa1c9e2 gpt: policy: 3 files"),
        (RetryPlanned(RUN.id, 12, "503"), "3fa1c9e2 gpt: retrying in 12 s (503)"),
        (
            RunFinished(replace(FAILED, status=RunStatus.CANCELED, error=None)),
            "dead0001 gemini: canceled, 21 s, -",
        ),
        (Notice("cloning\nshop"), "cloning shop"),
    ],
)
def test_each_event_is_one_line(capsys, event, line):
    handle = StageLog().handle
    handle(RoundStarted(fake_app.TASK, (RUN, FAILED)))
    handle(OutputGrew(RUN.id, 100))
    handle(event)
    assert capsys.readouterr().err == f"{line}\n"


def test_events_of_unknown_runs_are_printed(capsys):
    StageLog().handle(StageEntered(RUN.id, Stage.CALL, "asking", AT))
    assert capsys.readouterr().err == "3fa1c9e2 : call: asking\n"
