"""Rounds in which vendors fail: the errors, exit codes and times of their runs."""

from datetime import datetime
from typing import Any

import leaks
import pytest
from command_line import DIFF, KEYS, VENDORS, CommandLine
from vendors.faults import fail, make_faults
from vendors.server import ReceivedRequest, Script
from vendors.streams import ALL as STREAMS

FAULTS = make_faults(", ".join(KEYS.values()))
THREE = ("-m", "gpt", "-m", "claude", "-m", "gemini")
FOUR = (*THREE, "-m", "chat")
SHORT = 0.6  # seconds of silence


@pytest.fixture
def four(cli: CommandLine) -> CommandLine:
    """Add a fourth model, which uses Chat Completions."""
    cli.extra["DURSOR_DEBUG"] = "1"
    cli.configure(log_level="debug", retries=1, timeout=20)
    words = ("--provider", "openai", "--model", "gpt-4o", "--base-url")
    assert cli("models", "add", "chat", *words, f"{cli.server.url}/v1").exit_code == 0
    return cli


def reply(request: ReceivedRequest) -> Script:
    return Script(STREAMS[request.wire](DIFF))


def seconds(run: dict[str, Any]) -> float:
    start, end = (datetime.fromisoformat(run[name]) for name in ("created_at", "completed_at"))
    return (end - start).total_seconds()


def test_every_wire_format_gives_a_patch(four: CommandLine):
    four.server.script("", reply)

    done = four.run_round("append a line", *FOUR)

    assert (done.exit_code, done.json["status"]) == (0, "ok"), done.json["errors"]
    for run in done.runs:
        assert "+line 4" in run["patch"]
        assert run["usage"]["output_tokens"] > 0
    assert {request.wire for request in four.requests} == set(STREAMS)
    leaks.check(four, done)


def test_retry_after_is_respected(four: CommandLine):
    for part in VENDORS.values():
        first = fail(429, retry_after="0.4")
        four.server.script(part, lambda request, first=first: first(request.wire), reply)

    done = four.run_round("append a line", *THREE)

    assert (done.exit_code, done.json["status"]) == (0, "ok"), done.json["errors"]
    for part in VENDORS.values():
        first, second = (request for request in four.requests if part in request.path)
        assert second.at - first.at >= 0.4
    for run in done.runs:
        assert any("429" in entry["message"] for entry in run["logs"])


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_ends_every_run_in_time_with_its_error(four: CommandLine, name: str):
    fault = FAULTS[name]
    four.server.script("", lambda request: fault.script(request.wire))
    if fault.code == "timeout":
        four.configure(first_byte_timeout=SHORT, idle_timeout=SHORT)

    done = four.run_round("append a line", *FOUR)

    assert done.json["status"] == "error"
    assert {run["status"] for run in done.runs} == {"failed"}
    assert {run["error"]["code"] for run in done.runs} == {fault.code}, done.json["errors"]
    assert {run["error"]["stage"] for run in done.runs} == {"call"}
    assert done.exit_code == fault.exit_code
    assert all(run["patch"] is None for run in done.runs)
    assert max(map(seconds, done.runs)) < (SHORT if fault.code == "timeout" else 20) + 2
    if fault.code == "context_too_large":
        assert all("--context-budget" in error["hint"] for error in done.json["errors"])
    leaks.check(four, done)


@pytest.mark.parametrize("model", VENDORS)
@pytest.mark.parametrize(("words", "exit_code"), [((), 0), (("--require", "all"), 5)])
def test_a_failing_vendor_does_not_affect_the_others(
    four: CommandLine, model: str, words: tuple[str, ...], exit_code: int
):
    four.server.script(VENDORS[model], lambda request: FAULTS["500"].script(request.wire))
    four.server.script("", reply)

    done = four.run_round("append a line", *THREE, *words)

    statuses = {run["model"]: run["status"] for run in done.runs}
    assert statuses.pop(model) == "failed"
    assert [*statuses.values()] == ["succeeded", "succeeded"]
    assert (done.exit_code, done.json["status"]) == (exit_code, "partial")


def test_different_failures_have_no_common_exit_code(four: CommandLine):
    four.script("gpt", FAULTS["401"].script("responses"))
    four.script("claude", FAULTS["500"].script("messages"))

    done = four.run_round("append a line", "-m", "gpt", "-m", "claude")

    assert [run["error"]["code"] for run in done.runs] == ["auth", "provider_error"]
    assert done.exit_code == 1
