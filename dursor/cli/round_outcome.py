"""How a round ends: status, errors, exit code, and what to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.cli.command_result import CommandResult, Failure
from dursor.cli.output.formats import short
from dursor.cli.output.printer import INTERRUPTED, INTERRUPTION
from dursor.domain import Run, RunStatus
from dursor.errors import DursorError, describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dursor.services.results import ModelCheck, RoundResult

FAILED = 1
NEXT_RUNS = 4  # as many as fit on a line


def finished(done: RoundResult) -> CommandResult:
    """Judge a round whose runs are final."""
    succeeded = [run for run in done.runs if run.status is RunStatus.SUCCEEDED]
    others = [run for run in done.runs if run.status is not RunStatus.SUCCEEDED]
    met = not others if done.require == "all" else bool(succeeded)
    errors = [_failure(run) for run in others if run.error or not done.interrupted]
    if done.interrupted:
        errors.append(INTERRUPTION)
    if done.failure is not None:
        errors.append({"run_id": None, **describe(done.failure)})
    return CommandResult(
        done,
        status=status(len(succeeded), len(done.runs)),
        errors=errors,
        exit_code=done.failure.exit_code if done.failure else _exit_code(done, others, met=met),
        next=_next(succeeded, done.runs),
    )


def under_way(round_: RoundResult) -> CommandResult:
    """CommandResult for runs that go on without us."""
    ids = " ".join(short(run.id) for run in round_.runs[:NEXT_RUNS])
    return CommandResult(round_, next=[f"dursor run watch {ids}", f"dursor run cancel {ids}"])


def stopped(round_: RoundResult) -> CommandResult:
    """CommandResult for runs that were asked to stop."""
    slow = [run for run in round_.runs if not run.status.is_final]
    hint = f"dursor run watch {' '.join(short(run.id) for run in slow)}"
    errors: list[Failure] = [
        {"code": "timeout", "message": "has not stopped yet", "hint": hint, "run_id": run.id}
        for run in slow
    ]
    judged = status(len(round_.runs) - len(slow), len(round_.runs))
    return CommandResult(round_, judged, errors, FAILED if slow else 0)


def status(succeeded: int, asked: int) -> str:
    """Say `ok` when all succeeded, `partial` when some did, `error` when none."""
    if succeeded == asked:
        return "ok"
    return "partial" if succeeded else "error"


def shared(codes: Iterable[int]) -> int:
    """Find the exit code that all failures share, else 1."""
    different = {*codes}
    return different.pop() if len(different) == 1 else FAILED


def exit_code_of(code: str) -> int:
    """Find the exit code of an error code; 1 for one that no error class has."""
    return _exit_codes(DursorError).get(code, FAILED)


def checked(checks: Sequence[ModelCheck]) -> tuple[str, list[Failure], int]:
    """Judge a check of models: status, errors, exit code."""
    errors = [check.error for check in checks if check.error]
    failures: list[Failure] = [
        {"code": error.code, "message": error.message, "hint": error.hint} for error in errors
    ]
    good = sum(check.ok for check in checks)
    exit_code = 0 if good == len(checks) else shared(error.exit_code for error in errors)
    return status(good, len(checks)), failures, exit_code


def _exit_codes(kind: type[DursorError]) -> dict[str, int]:
    codes = {kind.code: kind.exit_code}
    for child in kind.__subclasses__():
        codes |= _exit_codes(child)
    return codes


def _exit_code(done: RoundResult, others: Sequence[Run], *, met: bool) -> int:
    if done.interrupted:
        return INTERRUPTED
    return 0 if met else shared(map(_run_exit_code, others))


def _run_exit_code(run: Run) -> int:
    return INTERRUPTED if run.error is None else exit_code_of(run.error.code)


def _failure(run: Run) -> Failure:
    """Say why RUN is no success; a canceled one has no error of its own."""
    error = run.error
    if error is None:
        hint = f"dursor run retry {short(run.id)}"
        return {"code": "interrupted", "message": "canceled", "hint": hint, "run_id": run.id}
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "run_id": run.id,
    }


def _next(succeeded: Sequence[Run], runs: Sequence[Run]) -> list[str]:
    if not succeeded:
        return [f"dursor run show {short(run.id)} --logs" for run in runs[:1]]
    ids = [short(run.id) for run in succeeded]
    commands = [f"dursor run show {ids[0]} --diff"]
    if len(ids) > 1:
        commands.append(f"dursor run compare {' '.join(ids[:NEXT_RUNS])}")
    return [*commands, f"dursor run apply {ids[0]}"]
