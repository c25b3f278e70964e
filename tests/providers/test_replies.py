"""Complete replies, and streams that end without one."""

import contextlib
import json

import pytest
from vendors import streams
from vendors.server import Action, RecordingListener, Script
from vendors.streams import ALL, PATHS

from dursor.domain import Usage
from dursor.errors import (
    BudgetError,
    ContextTooLargeError,
    NetworkError,
    ProviderError,
    RefusedError,
    TruncatedError,
)
from dursor.providers.base import CallLimits

ONCE = CallLimits(retries=0)
TEXT = 'def f():\n    return "ü\u2028€😀"\n' * 20
USAGE = Usage(1000, 600, 200, 50)


@pytest.mark.parametrize("wire", ALL)
async def test_a_complete_reply(wire, server, endpoint, client, prompt):
    server.script(PATHS[wire], Script(ALL[wire](TEXT, 40)))
    listener = RecordingListener()
    reply = await client.ask(endpoint(wire), prompt, ONCE, listener)
    assert reply.text == listener.text == TEXT
    assert reply.usage == listener.usages[-1] == USAGE
    ids = {"responses": "resp_1", "chat": "c1", "messages": "msg_1", "gemini": "r1"}
    assert reply.request_id == ids[wire]
    assert (listener.connections, listener.retries) == (1, [])


@pytest.mark.parametrize("wire", ALL)
@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_packets_of_any_size(wire, size, server, endpoint, client, prompt):
    stream = b"".join(ALL[wire]("ü€😀" * 5, 5))
    pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
    server.script(PATHS[wire], Script(pieces))
    assert (await client.ask(endpoint(wire), prompt, ONCE, RecordingListener())).text == "ü€😀" * 5


async def test_cache_writes_are_part_of_the_input(server, endpoint, client, prompt):
    usage = {"input": 1000, "cached": 0, "written": 900, "output": 10, "reasoning": 0}
    server.script("/messages", Script(streams.messages("ok", usage=usage)))
    reply = await client.ask(endpoint("messages"), prompt, ONCE, RecordingListener())
    assert reply.usage == Usage(1000, 0, 10, 0, 900)


async def test_revised_usage_is_replaced_not_added(server, endpoint, client, prompt):
    server.script(
        PATHS["gemini"], Script([step for e in streams.gemini("ok") for step in (e, 0.05)])
    )
    listener = RecordingListener()
    await client.ask(endpoint("gemini"), prompt, ONCE, listener)
    counts = [usage.input_tokens for usage in listener.usages]
    assert counts[-1] == 1000
    assert set(counts) <= {55, 1000}


# Each format's stream up to the event before completion.
OPEN = {
    "responses": streams.responses(TEXT)[:-1],
    "chat": streams.chat(TEXT, reason=None, usage=None, done=False),
    "messages": streams.messages(TEXT)[:-1],
    "gemini": streams.gemini(TEXT, reason=None),
}


@pytest.mark.parametrize("wire", ALL)
@pytest.mark.parametrize("ending", ["chunked", "close", "cut", "end", "half an event"])
async def test_the_end_of_the_connection_is_not_the_end_of_the_reply(
    wire, ending, server, endpoint, client, prompt
):
    steps = list(OPEN[wire])
    if ending == "half an event":
        steps.append(b'data: {"type":')
    if ending in {"cut", "end"}:
        steps += [0.1, Action.CUT if ending == "cut" else Action.END]
    framing = "close" if ending == "close" else "chunked"
    server.script(PATHS[wire], Script(steps, framing=framing))
    listener = RecordingListener()
    with pytest.raises(NetworkError, match="cut") as caught:
        await client.ask(endpoint(wire), prompt, CallLimits(retries=3), listener)
    assert listener.text == TEXT  # with output, there is no second attempt
    assert len(server.requests) == 1
    assert listener.retries == []
    known = {"messages": Usage(1000, 600, 200, 50), "gemini": Usage(55, 55, 200, 50)}
    assert caught.value.usage == known.get(wire)


@pytest.mark.parametrize("wire", ["chat", "gemini"])
async def test_a_finish_reason_completes_a_reply(wire, server, endpoint, client, prompt):
    events = streams.chat(TEXT, usage=None, done=False) if wire == "chat" else streams.gemini(TEXT)
    server.script(PATHS[wire], Script([*events, 0.1, Action.CUT]))
    assert (await client.ask(endpoint(wire), prompt, ONCE, RecordingListener())).text == TEXT


async def test_half_an_event_after_a_complete_reply_is_ignored(server, endpoint, client, prompt):
    events = streams.chat(TEXT, usage=None, done=False)
    server.script("/chat", Script([*events, b'data: {"usage": {"pro'], framing="close"))
    reply = await client.ask(endpoint("chat"), prompt, ONCE, RecordingListener())
    assert (reply.text, reply.usage) == (TEXT, None)


@pytest.mark.parametrize("wire", ["responses", "chat"])
async def test_a_reply_without_usage_has_none(wire, server, endpoint, client, prompt):
    server.script(PATHS[wire], Script([b"data:\n\n", *ALL[wire](TEXT, usage=None)]))
    listener = RecordingListener()
    reply = await client.ask(endpoint(wire), prompt, ONCE, listener)
    assert (reply.text, reply.usage, listener.usages) == (TEXT, None, [])


async def test_done_completes_a_chat_reply(server, endpoint, client, prompt):
    server.script("/chat", Script(streams.chat(TEXT, reason=None)))
    assert (await client.ask(endpoint("chat"), prompt, ONCE, RecordingListener())).text == TEXT


async def test_done_from_a_gateway_does_not_complete_a_response(server, endpoint, client, prompt):
    events = [*streams.responses(TEXT)[:-1], streams.event("[DONE]")]
    server.script("/responses", Script(events))
    with pytest.raises(NetworkError):
        await client.ask(endpoint("responses"), prompt, ONCE, RecordingListener())


@pytest.mark.parametrize("wire", ["responses", "chat", "messages"])
async def test_data_after_the_end_is_ignored(wire, server, endpoint, client, prompt):
    server.script(PATHS[wire], Script([b"".join([*ALL[wire](TEXT), b"data: {junk\n\n"])]))
    assert (await client.ask(endpoint(wire), prompt, ONCE, RecordingListener())).text == TEXT


async def test_text_only_in_the_terminal_event_counts(server, endpoint, client, prompt):
    server.script("/responses", Script([streams.responses(TEXT)[-1]]))
    listener = RecordingListener()
    assert (await client.ask(endpoint("responses"), prompt, ONCE, listener)).text == TEXT
    assert listener.text == TEXT


async def test_two_messages_are_separated(server, endpoint, client, prompt):
    def delta(item, text):
        data = {"type": "response.output_text.delta", "output_index": item, "delta": text}
        return streams.event(data)

    pieces = [delta(1, "I look"), delta(1, " first."), delta(2, "```diff\n"), delta(3, "x")]
    server.script("/responses", Script([*pieces, streams.responses("?")[-1]]))
    listener = RecordingListener()
    reply = await client.ask(endpoint("responses"), prompt, ONCE, listener)
    assert reply.text == listener.text == "I look first.\n\n```diff\nx"


@pytest.mark.parametrize(
    ("wire", "events"),
    [
        ("responses", streams.responses("half", status="incomplete", reason="max_output_tokens")),
        # A server that reports it completed, with a reason why it is not.
        ("responses", streams.responses("half", reason="max_output_tokens")),
        ("chat", streams.chat("half", reason="length")),
        ("messages", streams.messages("half", reason="max_tokens")),
        ("gemini", streams.gemini("half", reason="MAX_TOKENS")),
        ("gemini", streams.gemini("", reason="MAX_TOKENS")),
    ],
)
async def test_a_reply_at_the_output_limit_is_truncated(
    wire, events, server, endpoint, client, prompt
):
    server.script(PATHS[wire], Script(events))
    with pytest.raises(TruncatedError, match="output limit") as caught:
        await client.ask(endpoint(wire), prompt, CallLimits(), RecordingListener())
    assert caught.value.usage == USAGE
    assert len(server.requests) == 1


BLOCKED = {
    "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
    "usageMetadata": {"promptTokenCount": 7},
}
NO = {"type": "refusal", "category": "cyber", "explanation": "This looks like an attack."}


@pytest.mark.parametrize(
    ("wire", "events", "message"),
    [
        ("responses", streams.responses("", refusal="I will not."), "I will not."),
        (
            "responses",
            streams.responses("x", status="incomplete", reason="content_filter"),
            "content_filter",
        ),
        (
            "responses",
            streams.responses(
                "", status="failed", error={"code": "bio_policy", "message": "Stop."}
            ),
            "Stop.",
        ),
        ("chat", streams.chat("", refusal="I will not."), "I will not."),
        ("chat", streams.chat("x", reason="content_filter"), "content_filter"),
        ("messages", streams.messages("x", reason="refusal", details=NO), "cyber, This looks"),
        ("messages", streams.messages("", reason="refusal", details={"category": None}), "refusal"),
        ("gemini", streams.gemini("", reason="SAFETY"), "SAFETY"),
        ("gemini", streams.gemini("x", reason="RECITATION"), "RECITATION"),
        ("gemini", [streams.event(BLOCKED)], "PROHIBITED_CONTENT"),
    ],
)
async def test_a_refusal_raises(wire, events, message, server, endpoint, client, prompt):
    server.script(PATHS[wire], Script(events))
    with pytest.raises(RefusedError, match=message) as caught:
        await client.ask(endpoint(wire), prompt, CallLimits(), RecordingListener())
    assert caught.value.usage is not None
    assert len(server.requests) == 1


@pytest.mark.parametrize("wire", ["responses", "chat"])
async def test_a_refusal_is_reported_once(wire, server, endpoint, client, prompt):
    server.script(PATHS[wire], Script(ALL[wire]("", refusal="I cannot help with that.")))
    with pytest.raises(RefusedError) as caught:
        await client.ask(endpoint(wire), prompt, ONCE, RecordingListener())
    assert caught.value.message.count("I cannot help with that.") == 1


async def test_an_exceeded_window_is_too_large(server, endpoint, client, prompt):
    server.script(
        "/messages", Script(streams.messages("x", reason="model_context_window_exceeded"))
    )
    with pytest.raises(ContextTooLargeError) as caught:
        await client.ask(endpoint("messages"), prompt, ONCE, RecordingListener())
    assert caught.value.usage == USAGE


@pytest.mark.parametrize(
    ("wire", "events", "message"),
    [
        ("responses", streams.responses("x", status="incomplete", reason="steered"), "steered"),
        ("responses", streams.responses("x", status="cancelled"), "cancelled"),
        ("chat", streams.chat("x", reason="tool_calls"), "tool_calls"),
        ("messages", streams.messages("x", reason="tool_use"), "tool_use"),
        ("messages", streams.messages("x", reason="pause_turn"), "pause_turn"),
        ("gemini", streams.gemini("x", reason="MALFORMED_RESPONSE"), "MALFORMED_RESPONSE"),
        ("gemini", streams.gemini("x", reason="A_REASON_OF_NEXT_YEAR"), "A_REASON_OF_NEXT_YEAR"),
        ("gemini", streams.gemini("x", reason="CONTINUATION"), "CONTINUATION"),
    ],
)
async def test_any_other_end_is_not_a_success(
    wire, events, message, server, endpoint, client, prompt
):
    server.script(PATHS[wire], Script(events))
    with pytest.raises(ProviderError, match=message) as caught:
        await client.ask(endpoint(wire), prompt, CallLimits(), RecordingListener())
    assert caught.value.usage == USAGE


@pytest.mark.parametrize("wire", ALL)
@pytest.mark.parametrize("text", ["", " \n"])
async def test_an_empty_reply_is_not_a_success(wire, text, server, endpoint, client, prompt):
    server.script(PATHS[wire], Script(ALL[wire](text)))
    with pytest.raises(ProviderError, match="empty") as caught:
        await client.ask(endpoint(wire), prompt, CallLimits(), RecordingListener())
    assert caught.value.usage == USAGE


BAD_JSON = [b'data: {"type": "x\n\n', b"data: [1]\n\n", b"data: {} {}\n\n", b"data: \xff\xfe\n\n"]


@pytest.mark.parametrize("wire", ALL)
@pytest.mark.parametrize("bad", [*BAD_JSON, b"data: " + b"[" * 100_000 + b"\n\n"])
async def test_a_malformed_event_is_a_provider_error(wire, bad, server, endpoint, client, prompt):
    events = ALL[wire]("hello")
    server.script(PATHS[wire], Script([*events[:-1], bad, events[-1]]))
    listener = RecordingListener()
    with pytest.raises(ProviderError, match=r"malformed|not a JSON object"):
        await client.ask(endpoint(wire), prompt, CallLimits(), listener)
    assert listener.text == "hello"


ODD = [None, [], "x", 3, True, {}]


@pytest.mark.parametrize("wire", ALL)
async def test_events_of_any_shape_never_crash(wire, server, endpoint, client, prompt):
    """Put every odd value in every place of every event: only DursorErrors are raised."""
    events = [json.loads(e.split(b"data: ", 1)[1]) for e in ALL[wire]("hi") if b"data: {" in e]
    odd = [variant for event in events for variant in _variants(event)]
    answers = [
        Script([streams.event(v) for v in odd[i : i + 20]] + ALL[wire]("whole")[-3:])
        for i in range(0, len(odd), 20)
    ]
    server.script(PATHS[wire], *answers)
    for _ in answers:
        with contextlib.suppress(ProviderError, NetworkError, RefusedError, TruncatedError):
            await client.ask(endpoint(wire), prompt, ONCE, RecordingListener())


def _variants(value):
    """Yield VALUE with one part, at any depth, replaced by an odd value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        for other in ODD:
            copy = dict(value) if isinstance(value, dict) else list(value)
            copy[key] = other
            yield copy
        if isinstance(inner, dict | list):
            for variant in _variants(inner):
                copy = dict(value) if isinstance(value, dict) else list(value)
                copy[key] = variant
                yield copy


async def test_an_endless_event_is_cut_off(server, endpoint, client, prompt):
    server.script("/responses", Script([b"data: ", *[b"x" * 1_000_000] * 18, Action.HOLD]))
    with pytest.raises(ProviderError, match="more than"):
        await client.ask(endpoint("responses"), prompt, ONCE, RecordingListener())
    assert await server.wait_until(lambda s: len(s.disconnects) == 1)


async def test_an_endless_stream_is_cut_off(server, endpoint, client, prompt, monkeypatch):
    monkeypatch.setattr("dursor.providers.call.MAX_STREAM_BYTES", 1_000)
    server.script("", Script([*streams.chat("word " * 1000)[:4], Action.HOLD]))
    with pytest.raises(ProviderError, match="exceeds 1000 bytes"):
        await client.ask(endpoint("chat"), prompt, ONCE, RecordingListener())


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        ("text/html", b"<html><title>Log in</title></html>", "Log in"),
        ("application/json", b'[{"candidates": []}]', "candidates"),
        ("application/json; charset=utf-8", b'{"error": {"message": "No such plan"}}', "No such"),
    ],
)
async def test_a_200_that_is_not_a_stream_is_reported(
    kind, body, message, server, endpoint, client, prompt
):
    script = Script([body], 200, {"content-type": kind}, "length")
    server.script("/responses", script)
    with pytest.raises(ProviderError, match=message):
        await client.ask(endpoint("responses"), prompt, ONCE, RecordingListener())


async def test_a_continued_reply_is_one_reply(server, endpoint, client, prompt):
    server.script(
        PATHS["gemini"],
        Script(streams.gemini("one ", reason="CONTINUATION", token="t1")),
        Script(streams.gemini("two ", reason="CONTINUATION", token="t2")),
        Script(streams.gemini("three")),
    )
    listener = RecordingListener()
    reply = await client.ask(endpoint("gemini"), prompt, ONCE, listener)
    assert reply.text == listener.text == "one two three"
    assert reply.usage == USAGE + USAGE + USAGE
    bodies = [request.json for request in server.requests]
    assert [body.pop("continuationToken", None) for body in bodies] == [None, "t1", "t2"]
    assert bodies[0] == bodies[1] == bodies[2]


async def test_a_part_of_a_continued_reply_is_retried(server, endpoint, client, prompt):
    server.script(
        PATHS["gemini"],
        Script(streams.gemini("one ", reason="CONTINUATION", token="t1")),
        Script.error(503, {}, retry_after="0"),
        Script(streams.gemini("two")),
    )
    reply = await client.ask(endpoint("gemini"), prompt, CallLimits(), RecordingListener())
    assert reply.text == "one two"


async def test_continuations_are_bounded(server, endpoint, client, prompt):
    server.script(PATHS["gemini"], Script(streams.gemini("x", reason="CONTINUATION", token="t")))
    with pytest.raises(ProviderError, match="16 requests"):
        await client.ask(endpoint("gemini"), prompt, ONCE, RecordingListener())
    assert len(server.requests) == 16


@pytest.mark.parametrize("wire", ALL)
async def test_a_listener_can_stop_the_stream(wire, server, endpoint, client, prompt):
    class Miser(RecordingListener):
        def on_delta(self, text):
            raise BudgetError("enough")

    server.script(PATHS[wire], Script([*OPEN[wire], Action.HOLD]))
    with pytest.raises(BudgetError):
        await client.ask(endpoint(wire), prompt, ONCE, Miser())
    assert await server.wait_until(lambda s: len(s.disconnects) == 1, 1.0)
