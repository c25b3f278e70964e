"""The replies of failed runs, which the user has paid for, stay readable."""

import json

from command_line import DIFF, CommandLine

PROSE = "The bug is in line 3.\nChange it to `line three` and it works.\n"
BROKEN = "```diff\n--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-line nine\n+line 9\n```\n"


def test_a_reply_in_prose_is_quoted_and_kept(cli: CommandLine):
    cli.reply_with(PROSE, models=["gpt"])

    done = cli("run", "fix line 3", "-m", "gpt")

    run = cli("run", "list", "--json").data["items"][0]
    assert done.exit_code == 1
    assert run["error"]["code"] == "no_patch"
    assert "The bug is in line 3." in run["error"]["message"]
    hint = f"dursor run show {run['id'][:8]} --reply"
    assert run["error"]["hint"] == hint
    assert f"hint: {hint}\n" in done.stderr
    shown = cli(*hint.split()[1:])
    assert (shown.exit_code, shown.stdout, shown.stderr) == (0, PROSE, "")


def test_a_quote_never_ends_inside_a_key(cli: CommandLine):
    """A server can send back the key that it received."""
    cli.extra["OPENAI_API_KEY"] = key = "a-local-server-takes-any-words"
    cli.reply_with(f"{'x' * 285} {key}\n", models=["gpt"])

    (run,) = cli.run_round("fix line 3", "-m", "gpt").runs

    assert run["error"]["message"].endswith("x [redacted]")
    assert key[:5] not in json.dumps(run)


def test_the_replies_of_a_run_are_in_its_json(cli: CommandLine):
    cli.reply_with(PROSE, models=["gpt"])

    data = cli.run_round("fix line 3", "-m", "gpt").data

    run = cli("run", "show", data["runs"][0]["id"], "--json").data
    assert run["replies"] == [{"attempt": 1, "text": PROSE}]
    assert run["round_id"] == data["round"]["id"]
    assert "replies" not in cli("run", "list", "--json").data["items"][0]


def test_each_attempt_has_a_heading(cli: CommandLine):
    cli.reply_with(BROKEN, DIFF, models=["gpt"])
    (run,) = cli.run_round("append a line", "-m", "gpt").runs
    assert (run["status"], run["attempts"]) == ("succeeded", 2)

    shown = cli("run", "show", run["id"], "--reply")

    assert shown.stdout == f"attempt 1:\n{BROKEN}attempt 2:\n{DIFF}"
    assert "status" in cli("run", "show", run["id"], "--reply", "--summary").stdout


def test_a_run_without_a_reply_says_so(cli: CommandLine):
    (run,) = cli.run_round("append a line", "-m", "gpt").runs  # the server has no reply for it

    shown = cli("run", "show", run["id"], "--reply")

    assert (shown.exit_code, shown.stdout) == (0, "")
    assert shown.stderr == f"no reply is stored for run {run['id'][:8]}\n"
