"""The outcome of a round: status, exit code, errors, commands to type next."""

from dataclasses import replace

import fake_app
import pytest
from fake_app import CANCELED, FAILED, OTHER, RUN

from dursor.cli import round_outcome
from dursor.domain import RunStatus
from dursor.errors import AuthError, NetworkError
from dursor.services.results import ModelCheck, RoundResult

REFUSED = replace(FAILED, error=FAILED.error._replace(code="refused", hint=None))

EXIT_CODES = {
    "auth": 4,
    "model_not_found": 4,
    "rate_limited": 5,
    "provider_error": 5,
    "network": 5,
    "timeout": 5,
    "context_too_large": 1,
    "truncated": 1,
    "refused": 1,
    "no_patch": 1,
    "apply_failed": 1,
    "no_change": 1,
    "policy": 7,
    "budget": 6,
    "interrupted": 130,
    "usage": 2,
    "not_found": 2,
    "conflict": 8,
    "internal": 1,
}


@pytest.mark.parametrize(("code", "expected"), EXIT_CODES.items())
def test_every_error_code_has_its_exit_code(code, expected):
    failed = replace(FAILED, error=FAILED.error._replace(code=code))
    assert round_outcome.find_exit_code(code) == expected
    assert (
        round_outcome.summarize_round(
            RoundResult(fake_app.TASK, fake_app.ROUND, (failed,))
        ).exit_code
        == expected
    )


@pytest.mark.parametrize(
    ("runs", "require", "status", "exit_code"),
    [
        ((RUN,), "any", "ok", 0),
        ((RUN, OTHER), "all", "ok", 0),
        ((RUN, FAILED), "any", "partial", 0),
        ((RUN, FAILED), "all", "partial", 5),
        ((RUN, FAILED, REFUSED), "all", "partial", 1),
        ((FAILED, FAILED), "any", "error", 5),
        ((FAILED, REFUSED), "any", "error", 1),
        ((CANCELED,), "any", "error", 130),
        ((RUN, CANCELED), "any", "partial", 0),
        ((FAILED, CANCELED), "any", "error", 1),
    ],
)
def test_require_decides_the_exit_code(runs, require, status, exit_code):
    answer = round_outcome.summarize_round(
        RoundResult(fake_app.TASK, fake_app.ROUND, runs, require=require)
    )
    assert (answer.status, answer.exit_code) == (status, exit_code)
    unmet = [run.id for run in runs if run not in {RUN, OTHER}]
    assert [error["run_id"] for error in answer.errors] == unmet


def test_ctrl_c_is_130_whatever_succeeded():
    answer = round_outcome.summarize_round(
        RoundResult(fake_app.TASK, fake_app.ROUND, (RUN, CANCELED), interrupted=True)
    )
    assert (answer.status, answer.exit_code) == ("partial", 130)
    assert [error["code"] for error in answer.errors] == ["interrupted"]


def test_the_table_and_the_next_commands(dursor):
    done = dursor(
        "run",
        "Fix it now",
        answers={"rounds.start": RoundResult(fake_app.TASK, fake_app.ROUND, (RUN, OTHER))},
    )
    assert done.stdout == (
        "RUN       MODEL   STATUS     FILES  +/-     TIME  COST\n"
        "3fa1c9e2  gpt     succeeded  2      +11 -4  21 s  $0.031\n"
        "b07d55aa  claude  succeeded  2      +11 -4  21 s  $0.031\n"
    )
    assert done.stderr == (
        "next: dursor run show 3fa1c9e2 --diff · dursor run compare 3fa1c9e2 b07d55aa"
        " · dursor run apply 3fa1c9e2\n"
    )


def test_failures_are_explained_below_the_table(dursor):
    answers = {"rounds.start": RoundResult(fake_app.TASK, fake_app.ROUND, (FAILED,))}
    done = dursor("run", "Fix it now", answers=answers)
    assert done.exit_code == 5
    assert "dead0001  gemini  failed: timeout  0      +0 -0  21 s  -\n" in done.stdout
    assert done.stderr == (
        "error: run dead0001: no first byte within 300 s\n"
        "hint: --timeout 900\n"
        "next: dursor run show dead0001 --logs\n"
    )


def test_json_of_a_failed_round_has_its_runs_and_errors(dursor):
    answers = {"rounds.start": RoundResult(fake_app.TASK, fake_app.ROUND, (FAILED,))}
    done = dursor("run", "Fix it now", "--json", answers=answers)
    assert done.json["status"] == "error"
    assert done.json["data"]["runs"][0]["error"] == {
        "code": "timeout",
        "message": "no first byte within 300 s",
        "hint": "--timeout 900",
        "stage": "call",
    }
    assert done.json["errors"] == [
        {
            "code": "timeout",
            "message": "no first byte within 300 s",
            "hint": "--timeout 900",
            "run_id": FAILED.id,
        }
    ]


def test_runs_that_do_not_stop_are_reported(dursor):
    running = replace(RUN, status=RunStatus.RUNNING)
    answers = {"runs.cancel": RoundResult(fake_app.TASK, fake_app.ROUND, (running, CANCELED))}
    done = dursor("run", "cancel", "3fa1", "ca9c", answers=answers)
    assert done.exit_code == 1
    assert done.stderr.startswith("error: run 3fa1c9e2: the run has not stopped yet\n")
    stopped = dursor(
        "run",
        "cancel",
        "ca9c",
        answers={"runs.cancel": RoundResult(fake_app.TASK, fake_app.ROUND, (CANCELED,))},
    )
    assert stopped.exit_code == 0


@pytest.mark.parametrize(
    ("errors", "status", "exit_code"),
    [
        ([None, None], "ok", 0),
        ([None, AuthError("no")], "partial", 4),
        ([AuthError("no"), NetworkError("no")], "error", 1),
    ],
)
def test_the_outcome_of_a_check_of_models(errors, status, exit_code):
    checks = [ModelCheck("gpt", error is None, 10, error) for error in errors]
    judged = round_outcome.summarize_checks(checks)
    assert (judged[0], judged[2]) == (status, exit_code)
    assert len(judged[1]) == sum(error is not None for error in errors)
