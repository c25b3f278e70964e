"""Rounds in which vendors fail: the errors, exit codes and times of their runs."""

from datetime import datetime
from typing import Any

import leaks
import pytest
from front import DIFF, KEYS, VENDORS, Front
from vendors.faults import fail, make_faults
from vendors.server import ReceivedRequest, Script
from vendors.streams import ALL as STREAMS

FAULTS = make_faults(", ".join(KEYS.values()))
THREE = ("-m", "gpt", "-m", "claude", "-m", "gemini")
FOUR = (*THREE, "-m", "chat")
SHORT = 0.6  # seconds of silence


@pytest.fixture
def four(front: Front) -> Front:
    """Add a fourth model, which uses Chat Completions."""
    front.extra["DURSOR_DEBUG"] = "1"
    front.configure(log_level="debug", retries=1, timeout=20)
    words = ("--provider", "openai", "--model", "gpt-4o", "--base-url")
    assert front("models", "add", "chat", *words, f"{front.server.url}/v1").exit_code == 0
    return front


def reply(request: ReceivedRequest) -> Script:
    return Script(STREAMS[request.wire](DIFF))


def seconds(run: dict[str, Any]) -> float:
    start, end = (datetime.fromisoformat(run[name]) for name in ("created_at", "completed_at"))
    return (end - start).total_seconds()


def test_every_wire_format_gives_a_patch(four: Front):
    four.server.on("", reply)

    done = four.round("append a line", *FOUR)

    assert (done.exit_code, done.json["status"]) == (0, "ok"), done.json["errors"]
    for run in done.runs:
        assert "+line 4" in run["patch"]
        assert run["usage"]["output_tokens"] > 0
    assert {request.wire for request in four.sent} == set(STREAMS)
    leaks.check(four, done)


def test_retry_after_is_respected(four: Front):
    for part in VENDORS.values():
        first = fail(429, retry_after="0.4")
        four.server.on(part, lambda request, first=first: first(request.wire), reply)

    done = four.round("append a line", *THREE)

    assert (done.exit_code, done.json["status"]) == (0, "ok"), done.json["errors"]
    for part in VENDORS.values():
        first, second = (request for request in four.sent if part in request.path)
        assert second.at - first.at >= 0.4
    for run in done.runs:
        assert any("429" in entry["message"] for entry in run["logs"])


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_ends_every_run_in_time_with_its_error(four: Front, name: str):
    fault = FAULTS[name]
    four.server.on("", lambda request: fault.script(request.wire))
    if fault.code == "timeout":
        four.configure(first_byte_timeout=SHORT, idle_timeout=SHORT)

    done = four.round("append a line", *FOUR)

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
    four: Front, model: str, words: tuple[str, ...], exit_code: int
):
    four.server.on(VENDORS[model], lambda request: FAULTS["500"].script(request.wire))
    four.server.on("", reply)

    done = four.round("append a line", *THREE, *words)

    statuses = {run["model"]: run["status"] for run in done.runs}
    assert statuses.pop(model) == "failed"
    assert [*statuses.values()] == ["succeeded", "succeeded"]
    assert (done.exit_code, done.json["status"]) == (exit_code, "partial")


def test_different_failures_have_no_common_exit_code(four: Front):
    four.on("gpt", FAULTS["401"].script("responses"))
    four.on("claude", FAULTS["500"].script("messages"))

    done = four.round("append a line", "-m", "gpt", "-m", "claude")

    assert [run["error"]["code"] for run in done.runs] == ["auth", "provider_error"]
    assert done.exit_code == 1
