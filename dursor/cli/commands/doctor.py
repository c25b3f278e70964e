"""`dursor doctor`."""

import typer

from dursor.cli.application import get_app
from dursor.cli.command_result import CommandResult, Items
from dursor.cli.round_outcome import FAILED, name_status


def doctor(ctx: typer.Context) -> CommandResult:
    """Check keys, git, data and network settings."""
    checks = get_app(ctx).doctor.check()
    errors = [
        {"code": "internal", "message": f"{check.name}: {check.detail}", "hint": check.hint}
        for check in checks
        if not check.ok
    ]
    warnings = [
        f"{check.name}: {check.detail} (hint: {check.hint})"
        for check in checks
        if check.level == "warning"
    ]
    return CommandResult(
        Items("doctor_check", checks, name="checks"),
        name_status(len(checks) - len(errors), len(checks)),
        errors,
        FAILED if errors else 0,
        warnings=warnings,
    )
