"""The runs that must succeed: by option, environment or configuration."""

import pytest
from command_line import DIFF, CommandLine
from vendors.server import Script


@pytest.mark.parametrize(
    ("configured", "words", "exit_code"),
    [
        (None, (), 0),
        ("all", (), 4),
        ("all", ("--require", "any"), 0),
        ("any", ("--require", "all"), 4),
    ],
)
def test_the_flag_comes_before_the_configuration(
    cli: CommandLine, configured: str | None, words: tuple[str, ...], exit_code: int
):
    if configured:
        assert cli("config", "set", "require", configured).exit_code == 0
    cli.reply_with(DIFF, models=["gpt"])
    cli.script("claude", Script.error(401, {"error": {"type": "authentication_error"}}))

    done = cli.run_round("append a line", "-m", "gpt", "-m", "claude", *words)

    assert done.exit_code == exit_code
