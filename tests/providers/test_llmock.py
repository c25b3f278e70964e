"""Against llmock, which others wrote: each fault ends in time, with the right error."""

import time
from dataclasses import replace

import pytest
from emulator import CONTEXT_WINDOW, Emulator
from vendors.server import RecordingListener

from dursor.domain import Role, Secret
from dursor.errors import (
    AuthError,
    ContextTooLargeError,
    DeadlineError,
    ModelNotFoundError,
    NetworkError,
    ProviderError,
    RateLimitedError,
    RefusedError,
    TruncatedError,
)
from dursor.providers.base import CallLimits, Endpoint, Prompt, Tool, ToolResult, Turn

DIFF = "Here:\n\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a = 1\n+a = 'ü'\n"
FOREVER = {"times": None}
PATIENT = CallLimits(first_byte=20.0, idle=20.0, total=30.0, retries=2)
QUICK = CallLimits(
    first_byte=0.4, idle=0.4, total=2.0, retries=2
)  # where silence is what is tested
WIRES = {
    "responses": ("openai", "responses"),
    "chat": ("openai", "chat"),
    "messages": ("anthropic", None),
    "gemini": ("google", None),
}


@pytest.fixture(params=WIRES)
def wire(request):
    return request.param


@pytest.fixture
def target(wire, llmock: Emulator):
    provider, api = WIRES[wire]
    return Endpoint(provider, "model-1", Secret("sk-none"), llmock.base_urls[provider], api)


async def fails(client, target, prompt, kind, limits=PATIENT):
    heard = RecordingListener()
    began = time.monotonic()
    with pytest.raises(kind) as caught:
        await client.ask(target, prompt, limits, heard)
    assert time.monotonic() - began < limits.total + 2
    assert type(caught.value) is kind
    return caught.value, heard


async def test_a_scripted_answer(target, llmock, client, prompt):
    llmock.script({"type": "reply", "text": DIFF})
    heard = RecordingListener()
    reply = await client.ask(target, prompt, PATIENT, heard)
    assert reply.text == heard.text == DIFF
    assert reply.usage.input_tokens > 0
    assert reply.usage.output_tokens > 0


async def test_a_rate_limit_then_an_answer(target, llmock, client, prompt):
    llmock.script(
        {"type": "fail", "status": 429, "retry_after": 0.3}, {"type": "reply", "text": DIFF}
    )
    heard = RecordingListener()
    reply = await client.ask(target, prompt, PATIENT, heard)
    assert reply.text == DIFF
    ((seconds, error),) = heard.retries
    assert 0.3 <= seconds <= 0.34
    assert isinstance(error, RateLimitedError)
    assert len(llmock.requests()) == 2


async def test_a_rate_limit_for_ever(target, llmock, client, prompt):
    llmock.script({"type": "fail", "status": 429, "retry_after": 0.1, **FOREVER})
    _, heard = await fails(client, target, prompt, RateLimitedError)
    assert len(heard.retries) == 2


@pytest.mark.parametrize(
    ("status", "kind", "attempts"),
    [
        (401, AuthError, 1),
        (402, AuthError, 1),
        (403, AuthError, 1),
        (404, ModelNotFoundError, 1),
        (413, ContextTooLargeError, 1),
        (500, ProviderError, 3),
        (503, ProviderError, 3),
        (529, ProviderError, 3),
    ],
)
async def test_a_status(status, kind, attempts, target, llmock, client, prompt):
    llmock.script({"type": "fail", "status": status, "retry_after": 0.01, **FOREVER})
    error, _ = await fails(client, target, prompt, kind)
    assert f"answered {status}" in error.message
    assert len(llmock.requests()) == attempts


@pytest.mark.parametrize("after", [0, 4])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("disconnect", NetworkError),
        ("truncate", NetworkError),
        ("malformed", ProviderError),
        ("stall", DeadlineError),
    ],
)
async def test_a_broken_stream(fault, kind, after, target, llmock, client, prompt):
    llmock.script(
        {"type": "reply", "text": DIFF * 3, **FOREVER},
        {
            "type": "stream_fault",
            "kind": fault,
            "after_chunks": after,
            "stall_seconds": 3,
            **FOREVER,
        },
    )
    limits = QUICK if fault == "stall" else PATIENT
    error, heard = await fails(client, target, prompt, kind, replace(limits, retries=0))
    assert heard.text == "" if after == 0 else (DIFF * 3).startswith(heard.text)
    if fault == "stall":
        assert ("first-byte" if not heard.text else "idle") in error.message


async def test_a_late_first_token(target, llmock, client, prompt):
    llmock.script({"type": "slow_first_token", "seconds": 3})
    error, _ = await fails(client, target, prompt, DeadlineError, QUICK)
    assert "first-byte limit" in error.message


async def test_a_prompt_that_is_too_long(target, llmock, client):
    long = Prompt("", (Turn(Role.USER, "word " * CONTEXT_WINDOW),))
    await fails(client, target, long, ContextTooLargeError)
    assert len(llmock.requests()) == 1


async def test_the_output_limit(target, llmock, client, prompt):
    llmock.script({"type": "reply", "text": DIFF, "finish_reason": "length"})
    error, heard = await fails(client, target, prompt, TruncatedError)
    assert error.usage.output_tokens > 0
    assert heard.text == DIFF


async def test_a_content_filter(wire, target, llmock, client, prompt):
    llmock.script({"type": "reply", "text": DIFF, "finish_reason": "content_filter"})
    if wire == "responses":  # llmock drops the reason here, so that nothing tells it from success
        assert (await client.ask(target, prompt, PATIENT, RecordingListener())).text == DIFF
    else:
        await fails(client, target, prompt, RefusedError)


async def test_a_check(target, llmock, client):
    await client.check(target, PATIENT)
    llmock.script({"type": "fail", "status": 401, **FOREVER})
    with pytest.raises(AuthError):
        await client.check(target, PATIENT)


async def test_tools_called_and_answered(wire, target, llmock, client):
    """Two calls at once, then an answer; llmock checks that each result belongs to a call."""
    calls = [{"name": "look", "arguments": {"path": f"ü{n}"}} for n in range(2)]
    llmock.script({"type": "reply", "tool_calls": calls}, {"type": "reply", "text": DIFF})
    tool = Tool("look", "Look.", {"type": "object", "properties": {"path": {"type": "string"}}})
    asked = Prompt("Be exact.", (Turn(Role.USER, "Go."),), "The repository.", (tool,))
    reply = await client.ask(target, asked, PATIENT, RecordingListener())
    assert [call.arguments for call in reply.calls] == [call["arguments"] for call in calls]
    results = tuple(ToolResult(call.id, call.name, "seen") for call in reply.calls)
    echo = Turn(Role.ASSISTANT, reply.text, items=reply.items)
    turns = (*asked.turns, echo, Turn(Role.USER, "", results=results))
    answer = await client.ask(target, replace(asked, turns=turns), PATIENT, RecordingListener())
    assert (answer.text, answer.calls) == (DIFF, ())
