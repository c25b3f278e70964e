"""What becomes of a round when a vendor fails: faults of llmock, an emulator that is not ours."""

from datetime import datetime
from typing import Any

import leaks
import pytest
from emulator import CONTEXT_WINDOW, Emulator
from faults import FAULTS, fail, reply
from front import Front

VENDORS = {"gpt": "openai", "claude": "anthropic", "gemini": "gemini"}
ALL = ("-m", "gpt", "-m", "claude", "-m", "gemini")
SHORT = 0.6  # seconds of silence, where silence is what is tested


@pytest.fixture
def emulated(front: Front, emulator: Emulator) -> Front:
    """Give dursor whose vendors are llmock, and a fourth model that speaks Chat Completions."""
    emulator.reset()
    front.extra |= {
        "OPENAI_BASE_URL": emulator.base_urls["openai"],
        "ANTHROPIC_BASE_URL": emulator.base_urls["anthropic"],
        "GOOGLE_GEMINI_BASE_URL": emulator.base_urls["google"],
        "DURSOR_DEBUG": "1",
    }
    front.configure(log_level="debug", retries=1, timeout=20)
    words = ("--provider", "openai", "--model", "gpt-4o", "--base-url")
    assert front("models", "add", "chat", *words, emulator.base_urls["openai"]).exit_code == 0
    return front


def seconds(run: dict[str, Any]) -> float:
    begun, ended = (datetime.fromisoformat(run[name]) for name in ("created_at", "completed_at"))
    return (ended - begun).total_seconds()


def test_a_scripted_diff_succeeds_with_every_vendor(emulated: Front, emulator: Emulator):
    emulator.script(reply())

    done = emulated.round("append a line", *ALL, "-m", "chat")

    assert (done.exit_code, done.json["status"]) == (0, "ok"), done.json["errors"]
    for run in done.runs:
        assert "+line 4" in run["patch"]
        assert run["usage"]["output_tokens"] > 0
    paths = [request["path"] for request in emulator.requests()]
    assert sorted(path.rpartition("/")[2] for path in paths) == [
        "completions",
        f"{done.runs[2]['model_name']}:streamGenerateContent",
        "messages",
        "responses",
    ]
    leaks.check(emulated, done)


def test_retry_after_is_waited_for(emulated: Front, emulator: Emulator):
    for vendor in VENDORS.values():
        emulator.script(fail(429, retry_after=0.4, times=1, match={"provider": vendor}))
    emulator.script(reply())

    done = emulated.round("append a line", *ALL)

    assert (done.exit_code, done.json["status"]) == (0, "ok"), done.json["errors"]
    for vendor in VENDORS.values():
        first, second = (one for one in emulator.requests() if one["provider"] == vendor)
        assert (first["status"], second["status"]) == (429, 200)
        assert second["started_at"] - first["ended_at"] >= 0.4
    for run in done.runs:
        assert any("429" in entry["message"] for entry in run["logs"])


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_ends_the_run_in_time_and_says_which(
    emulated: Front, emulator: Emulator, name: str
):
    behaviors, code, exit_code = FAULTS[name]
    emulator.script(*behaviors)
    if code == "timeout":
        emulated.configure(first_byte_timeout=SHORT, idle_timeout=SHORT)
    models = [*ALL[2:], "-m", "chat"] if name == "content_filter" else [*ALL, "-m", "chat"]

    done = emulated.round("append a line", *models)

    assert done.json["status"] == "error"
    assert {run["status"] for run in done.runs} == {"failed"}
    assert {run["error"]["code"] for run in done.runs} == {code}, done.json["errors"]
    assert {run["error"]["stage"] for run in done.runs} == {"call"}
    assert done.exit_code == exit_code
    assert all(run["patch"] is None for run in done.runs)
    assert max(map(seconds, done.runs)) < (SHORT if code == "timeout" else 20) + 2
    leaks.check(emulated, done)


def test_an_instruction_beyond_the_window_is_context_too_large(emulated: Front, emulator: Emulator):
    emulator.script(reply())

    done = emulated.round("word " * CONTEXT_WINDOW, *ALL, "-m", "chat")

    assert {run["error"]["code"] for run in done.runs} == {"context_too_large"}
    assert done.exit_code == 1
    assert all("--context-budget" in error["hint"] for error in done.json["errors"])


@pytest.mark.parametrize("model", VENDORS)
@pytest.mark.parametrize(("words", "exit_code"), [((), 0), (("--require", "all"), 5)])
def test_one_vendor_failing_leaves_the_others_alone(
    emulated: Front, emulator: Emulator, model: str, words: tuple[str, ...], exit_code: int
):
    emulator.script(fail(500, retry_after=0.05, match={"provider": VENDORS[model]}), reply())

    done = emulated.round("append a line", *ALL, *words)

    statuses = {run["model"]: run["status"] for run in done.runs}
    assert statuses.pop(model) == "failed"
    assert [*statuses.values()] == ["succeeded", "succeeded"]
    assert (done.exit_code, done.json["status"]) == (exit_code, "partial")


def test_different_failures_share_no_exit_code(emulated: Front, emulator: Emulator):
    emulator.script(fail(401, match={"provider": "openai"}))
    emulator.script(fail(500, retry_after=0.05, match={"provider": "anthropic"}))

    done = emulated.round("append a line", "-m", "gpt", "-m", "claude")

    assert [run["error"]["code"] for run in done.runs] == ["auth", "provider_error"]
    assert done.exit_code == 1
