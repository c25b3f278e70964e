"""The replies of failed runs, which the user has paid for, stay readable."""

import json
import sys

import pexpect
import pytest
from command_line import DIFF, KEYS, CommandLine
from vendors import streams
from vendors.server import Action, Script

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


def test_a_quote_has_no_control_characters(cli: CommandLine):
    """A script may print the message of the JSON as it is."""
    cli.reply_with("It is \x1b[31mred\x1b[0m\x07 in\nline 3.\n", models=["gpt"])

    (run,) = cli.run_round("fix line 3", "-m", "gpt").runs

    assert run["error"]["message"].endswith(": It is [31mred [0m in line 3.")


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


def test_a_run_without_a_reply_has_a_note(cli: CommandLine):
    (run,) = cli.run_round("append a line", "-m", "gpt").runs  # the server has no reply for it

    shown = cli("run", "show", run["id"], "--reply")

    assert (shown.exit_code, shown.stdout) == (0, "")
    assert shown.stderr == f"no reply is stored for run {run['id'][:8]}\n"


def test_a_run_that_fails_after_two_repairs_keeps_all_three_replies(cli: CommandLine):
    texts = [BROKEN, BROKEN.replace("nine", "ten"), BROKEN.replace("nine", "eleven")]
    cli.reply_with(*texts, models=["gpt"])

    (run,) = cli.run_round("fix line 3", "-m", "gpt").runs

    assert (run["status"], run["error"]["code"]) == ("failed", "apply_failed")
    assert run["error"]["hint"] == f"dursor run show {run['id'][:8]} --reply"
    assert run["replies"] == [{"attempt": n, "text": text} for n, text in enumerate(texts, 1)]


def test_a_stream_that_breaks_keeps_its_text(cli: CommandLine):
    cli.script("gpt", Script([*streams.responses(PROSE)[:9], 0.1, Action.CUT]))

    (run,) = cli.run_round("fix line 3", "-m", "gpt").runs

    assert run["error"]["code"] == "network"
    assert_is_partial(run["replies"])


def test_a_canceled_run_keeps_its_text(cli: CommandLine):
    cli.script("gpt", Script([*streams.responses(PROSE)[:9], Action.HOLD]))
    process = cli.start("run", "fix line 3", "-m", "gpt", "--json")
    assert cli.server.wait_for(lambda server: len(server.requests) == 1, 10)
    running = cli("run", "list", "--json").data["items"][0]

    canceled = cli("run", "cancel", running["id"], "--json").runs[0]

    process.communicate(timeout=15)
    assert canceled["status"] == "canceled"
    assert_is_partial(cli("run", "show", running["id"], "--json").data["replies"])


def assert_is_partial(replies: list[dict[str, str]]) -> None:
    (reply,) = replies
    assert reply["attempt"] == 1
    assert reply["text"] not in {"", PROSE}
    assert PROSE.startswith(reply["text"])


def test_a_key_in_a_reply_is_redacted(cli: CommandLine):
    key = KEYS["OPENAI_API_KEY"]
    cli.reply_with(f"Your key is {key}.", models=["gpt"])

    (run,) = cli.run_round("fix line 3", "-m", "gpt").runs
    shown = cli("run", "show", run["id"], "--reply")

    assert "[redacted]" in shown.stdout
    assert key not in json.dumps(run) + shown.stdout + shown.stderr


@pytest.mark.parametrize("words", [("--reply",), ("--summary",), ("--logs",)])
def test_control_sequences_in_a_reply_do_not_reach_the_terminal(
    cli: CommandLine, words: tuple[str, ...]
):
    cli.reply_with("Done.\x1b[2J\x1b]0;owned\x07\u202e\n", models=["gpt"])
    (run,) = cli.run_round("fix line 3", "-m", "gpt").runs

    child = pexpect.spawn(
        sys.executable,
        ["-m", "dursor", "run", "show", run["id"], *words],
        env={**cli.env, "TERM": "xterm", "DURSOR_PAGER": "cat"},
        cwd=str(cli.repo),
        timeout=20,
        encoding="utf-8",
    )
    child.expect(pexpect.EOF)
    child.close()

    assert child.exitstatus == 0
    assert "Done." in child.before
    assert not set(child.before) & {"\x07", "\u202e"}
    assert "\x1b[2J" not in child.before
    assert "\x1b]0" not in child.before
