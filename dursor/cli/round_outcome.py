"""The outcome of a round: status, errors, exit code, and the commands to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.cli.command_result import CommandResult, Failure
from dursor.cli.output.printer import INTERRUPTED, INTERRUPTION
from dursor.domain import Run, RunStatus
from dursor.errors import DursorError, describe
from dursor.ids import short_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dursor.services.results import ModelCheck, RoundResult

FAILED = 1
MAX_IDS = 4  # as many as fit on a line


def summarize_round(result: RoundResult) -> CommandResult:
    """Summarize a round whose runs are final."""
    succeeded = [run for run in result.runs if run.status is RunStatus.SUCCEEDED]
    others = [run for run in result.runs if run.status is not RunStatus.SUCCEEDED]
    errors = [_describe_run(run) for run in others if run.error or not result.interrupted]
    if result.interrupted:
        errors.append(INTERRUPTION)
    if result.failure is not None:
        errors.append({"run_id": None, **describe(result.failure)})
    return CommandResult(
        result,
        status=name_status(len(succeeded), len(result.runs)),
        errors=errors,
        exit_code=_find_exit_code(result, others),
        next=_suggest_commands(succeeded, result.runs),
    )


def summarize_detached(result: RoundResult) -> CommandResult:
    """Summarize a round that another process runs."""
    ids = " ".join(short_id(run.id) for run in result.runs[:MAX_IDS])
    return CommandResult(result, next=[f"dursor run watch {ids}", f"dursor run cancel {ids}"])


def summarize_canceled(result: RoundResult) -> CommandResult:
    """Summarize runs that were told to stop."""
    slow = [run for run in result.runs if not run.status.is_final]
    hint = f"dursor run watch {' '.join(short_id(run.id) for run in slow)}"
    failure = {"code": "timeout", "message": "the run has not stopped yet", "hint": hint}
    status = name_status(len(result.runs) - len(slow), len(result.runs))
    errors = [{**failure, "run_id": run.id} for run in slow]
    return CommandResult(result, status, errors, FAILED if slow else 0)


def summarize_checks(checks: Sequence[ModelCheck]) -> tuple[str, list[Failure], int]:
    """Return the status, errors and exit code of a check of models."""
    errors = [check.error for check in checks if check.error]
    good = sum(check.ok for check in checks)
    exit_code = 0 if good == len(checks) else share_exit_code(error.exit_code for error in errors)
    return name_status(good, len(checks)), [describe(error) for error in errors], exit_code


def name_status(succeeded: int, total: int) -> str:
    """Return `ok` when all succeeded, `partial` when some did, `error` when none."""
    if succeeded == total:
        return "ok"
    return "partial" if succeeded else "error"


def share_exit_code(codes: Iterable[int]) -> int:
    """Return the exit code that all failures share, else 1."""
    different = {*codes}
    return different.pop() if len(different) == 1 else FAILED


def find_exit_code(code: str) -> int:
    """Find the exit code of an error code; 1 for an unknown one."""
    return _list_exit_codes(DursorError).get(code, FAILED)


def _list_exit_codes(kind: type[DursorError]) -> dict[str, int]:
    codes = {kind.code: kind.exit_code}
    for child in kind.__subclasses__():
        codes |= _list_exit_codes(child)
    return codes


def _find_exit_code(result: RoundResult, others: Sequence[Run]) -> int:
    if result.failure is not None:
        return result.failure.exit_code
    if result.interrupted:
        return INTERRUPTED
    if not others or (result.require == "any" and len(others) < len(result.runs)):
        return 0
    return share_exit_code(
        find_exit_code(run.error.code) if run.error else INTERRUPTED for run in others
    )


def _describe_run(run: Run) -> Failure:
    """Describe why RUN failed or that it was canceled."""
    if run.error is not None:
        return {**describe(run.error), "run_id": run.id}
    hint = f"dursor run retry {short_id(run.id)}"
    return {"code": "interrupted", "message": "canceled", "hint": hint, "run_id": run.id}


def _suggest_commands(succeeded: Sequence[Run], runs: Sequence[Run]) -> list[str]:
    if not succeeded:
        return [f"dursor run show {short_id(run.id)} --logs" for run in runs[:1]]
    ids = [short_id(run.id) for run in succeeded]
    commands = [f"dursor run show {ids[0]} --diff"]
    if len(ids) > 1:
        commands.append(f"dursor run compare {' '.join(ids[:MAX_IDS])}")
    return [*commands, f"dursor run apply {ids[0]}"]
