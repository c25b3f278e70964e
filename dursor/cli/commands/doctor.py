"""`dursor doctor`."""

import typer

from dursor.cli.application import get_app
from dursor.cli.command_result import CommandResult, PlainOutput
from dursor.cli.output.columns import table
from dursor.cli.output.json_views import FINDING, each, picks
from dursor.cli.round_outcome import FAILED, status


def doctor(ctx: typer.Context) -> CommandResult:
    """Check keys, git, data and network settings."""
    findings = get_app(ctx).doctor.examine()
    bad = [finding for finding in findings if not finding.ok]
    return CommandResult(
        PlainOutput({"checks": each(findings, picks(FINDING))}, table("finding", findings)),
        status=status(len(findings) - len(bad), len(findings)),
        errors=[
            {"code": "internal", "message": f"{one.name}: {one.detail}", "hint": one.hint}
            for one in bad
        ],
        exit_code=FAILED if bad else 0,
    )
