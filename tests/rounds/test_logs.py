"""The lines that `log_level` adds to stderr."""

from command_line import DIFF, KEYS, CommandLine


def test_debug_logs_git_and_requests_without_keys(cli: CommandLine):
    cli.reply_with(DIFF)
    cli.configure(log_level="debug")

    done = cli.run_process("run", "append a line", "-m", "gpt", "-m", "claude", "-m", "gemini")

    assert done.exit_code == 0
    assert "DEBUG dursor.vcs.command: git" in done.stderr
    assert "INFO httpx: HTTP Request: POST" in done.stderr
    assert not any(key in done.stderr + done.stdout for key in KEYS.values())


def test_without_debug_only_progress_is_printed(cli: CommandLine):
    cli.reply_with(DIFF, models=["gpt"])

    done = cli.run_process("run", "append a line", "-m", "gpt")

    assert "DEBUG" not in done.stderr
    assert "INFO" not in done.stderr


def test_every_stage_is_logged_in_order_and_printed(cli: CommandLine):
    cli.reply_with(DIFF, models=["gpt"])

    done = cli("run", "append a line", "-m", "gpt", "--json")

    logs = done.runs[0]["logs"]
    stages = [*dict.fromkeys(one["stage"] for one in logs)]
    assert stages == ["prepare", "context", "call", "resolve", "policy", "finish"]
    assert [one["at"] for one in logs] == sorted(one["at"] for one in logs)
    assert all(f"gpt: {stage}: " in done.stderr for stage in stages)


def test_the_hint_of_a_bug_in_a_run_shows_its_traceback(cli: CommandLine, monkeypatch, caplog):
    async def broken(self, steps):
        return 1 / 0

    monkeypatch.setattr("dursor.agent.active_run.ActiveRun.run", broken)

    with caplog.at_level("DEBUG", "dursor.services.rounds.executor"):
        done = cli.run_round("append a line", "-m", "gpt")

    (error,) = done.json["errors"]
    assert (done.exit_code, error["code"]) == (1, "internal")
    assert "DURSOR_LOG_LEVEL=debug" in error["hint"]
    assert "return 1 / 0" in caplog.text
