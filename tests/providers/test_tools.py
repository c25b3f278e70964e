"""Tools: declarations, calls and results."""

import json

import pytest
from vendors import streams, tool_streams
from vendors.server import RecordingListener, Script
from vendors.streams import PATHS
from vendors.tool_streams import Call

from dursor.domain import Role
from dursor.errors import ProviderError, TruncatedError
from dursor.providers.base import CallLimits, Prompt, Tool, ToolCall, ToolResult, Turn

ONCE = CallLimits(retries=0)
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}
TOOL = Tool("look", "Look at it.", SCHEMA)
PROMPT = Prompt("Be exact.", (Turn(Role.USER, "Go."),), "The repository.", (TOOL,))
CALLS = [Call("look", {"path": "ü", "deep": {"n": 1}}), Call("look", {})]

DECLARED = {
    "responses": {
        "type": "function",
        "name": "look",
        "description": "Look at it.",
        "parameters": SCHEMA,
        "strict": False,
    },
    "chat": {
        "type": "function",
        "function": {"name": "look", "description": "Look at it.", "parameters": SCHEMA},
    },
    "messages": {"name": "look", "description": "Look at it.", "input_schema": SCHEMA},
    "gemini": {
        "functionDeclarations": [
            {"name": "look", "description": "Look at it.", "parametersJsonSchema": SCHEMA}
        ]
    },
}


def after(reply, *results: ToolResult, final: bool = False) -> Prompt:
    """Return the prompt that sends RESULTS for the calls of REPLY."""
    turns = (
        *PROMPT.turns,
        Turn(Role.ASSISTANT, reply.text, items=reply.items),
        Turn(Role.USER, "", results=results),
    )
    return Prompt(PROMPT.system, turns, PROMPT.context, PROMPT.tools, final)


async def called(wire, server, endpoint, client, stream):
    server.script(PATHS[wire], Script(stream.events), Script(streams.ALL[wire]("ok")))
    return await client.ask(endpoint(wire), PROMPT, ONCE, RecordingListener())


@pytest.mark.parametrize("wire", tool_streams.ALL)
async def test_calls_are_read_and_items_are_sent_back_unchanged(wire, server, endpoint, client):
    stream = tool_streams.ALL[wire](CALLS)
    reply = await called(wire, server, endpoint, client, stream)
    assert reply.text == "I look."
    assert [(call.name, call.arguments) for call in reply.calls] == [
        (call.name, call.arguments) for call in CALLS
    ]
    results = [ToolResult(c.id, c.name, f"seen {n}") for n, c in enumerate(reply.calls)]

    answer = await client.ask(endpoint(wire), after(reply, *results), ONCE, RecordingListener())

    assert (answer.text, answer.calls, answer.items) == ("ok", (), ())
    first, second = server.requests
    assert first.json["tools"] == [DECLARED[wire]] == second.json["tools"]
    sent = second.body.decode()
    at = 0
    for text in stream.echoed:
        at = sent.index(text, at) + len(text)


def answer_calls(reply) -> list[ToolResult]:
    """Return a result for each call of REPLY; the second one failed."""
    texts = (("it is", False), ("it may not", True))
    return [
        ToolResult(call.id, call.name, text, failed=failed)
        for call, (text, failed) in zip(reply.calls, texts, strict=False)
    ]


BACK = {
    "responses": [
        {"type": "function_call_output", "call_id": "call_10", "output": "it is"},
        {"type": "function_call_output", "call_id": "call_11", "output": "error: it may not"},
    ],
    "chat": [
        {"role": "tool", "tool_call_id": "call_10", "content": "it is"},
        {"role": "tool", "tool_call_id": "call_11", "content": "error: it may not"},
    ],
    "messages": [
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_10",
                    "content": "it is",
                    "is_error": False,
                },
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_11",
                    "content": "it may not",
                    "is_error": True,
                    "cache_control": {"type": "ephemeral"},
                },
            ],
        }
    ],
    "gemini": [
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "name": "look",
                        "response": {"output": "it is"},
                    }
                },
                {
                    "functionResponse": {
                        "name": "look",
                        "response": {"error": "it may not"},
                    }
                },
            ],
        }
    ],
}


@pytest.mark.parametrize("wire", tool_streams.ALL)
async def test_results_are_sent_back_together(wire, server, endpoint, client):
    reply = await called(wire, server, endpoint, client, tool_streams.ALL[wire](CALLS))
    await client.ask(endpoint(wire), after(reply, *answer_calls(reply)), ONCE, RecordingListener())
    body = server.requests[1].json
    messages = body.get("input") or body.get("messages") or body["contents"]
    assert messages[-len(BACK[wire]) :] == BACK[wire]


CLOSED = {
    "responses": ("tool_choice", "none"),
    "chat": ("tool_choice", "none"),
    "messages": ("tool_choice", {"type": "none"}),
    "gemini": ("toolConfig", {"functionCallingConfig": {"mode": "NONE"}}),
}


@pytest.mark.parametrize("wire", tool_streams.ALL)
async def test_a_final_prompt_declares_tools_but_forbids_calls(wire, server, endpoint, client):
    reply = await called(wire, server, endpoint, client, tool_streams.ALL[wire](CALLS))
    await client.ask(
        endpoint(wire), after(reply, *answer_calls(reply), final=True), ONCE, RecordingListener()
    )
    name, value = CLOSED[wire]
    first, second = (request.json for request in server.requests)
    assert name not in first
    assert second[name] == value
    assert second["tools"] == first["tools"]


@pytest.mark.parametrize("wire", tool_streams.ALL)
async def test_a_call_of_a_tool_that_was_not_offered_is_an_error(
    wire, server, endpoint, client, prompt
):
    server.script(PATHS[wire], Script(tool_streams.ALL[wire](CALLS).events))
    with pytest.raises(ProviderError, match="called a tool"):
        await client.ask(endpoint(wire), prompt, ONCE, RecordingListener())


@pytest.mark.parametrize("wire", tool_streams.ALL)
async def test_a_reply_of_only_calls_is_complete(wire, server, endpoint, client):
    reply = await called(wire, server, endpoint, client, tool_streams.ALL[wire](CALLS, ""))
    assert (reply.text, len(reply.calls)) == ("", 2)


async def test_reasoning_is_requested_with_tools(server, endpoint, client, prompt):
    server.script("/responses", Script(streams.responses("ok")))
    await client.ask(endpoint("responses"), PROMPT, ONCE, RecordingListener())
    await client.ask(endpoint("responses"), prompt, ONCE, RecordingListener())
    with_tools, without = (request.json for request in server.requests)
    assert with_tools["include"] == ["reasoning.encrypted_content"]
    assert "include" not in without


async def test_reasoning_is_omitted_after_a_rejection(server, endpoint, client):
    error = {"message": "Encrypted content is not supported with this model.", "param": "include"}
    server.script(
        "/responses", Script.error(400, {"error": error}), Script(streams.responses("ok"))
    )
    for _ in range(2):
        reply = await client.ask(endpoint("responses"), PROMPT, ONCE, RecordingListener())
        assert reply.text == "ok"
    _, second, third = (request.json for request in server.requests)  # it is rejected once
    assert "include" not in second
    assert second["tools"]
    assert third == second


async def test_items_only_in_the_terminal_event_count(server, endpoint, client):
    stream = tool_streams.responses(CALLS)
    events = [one for one in stream.events if b"output_item.done" not in one]
    server.script("/responses", Script(events))
    reply = await client.ask(endpoint("responses"), PROMPT, ONCE, RecordingListener())
    assert list(reply.items) == stream.echoed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("{}", {}),
        ("[1]", None),
        ('{"a": 1', None),
        ('{"a": NaN}', None),
        ("x", None),
        ("[" * 9999, None),
    ],
)
@pytest.mark.parametrize("wire", ["responses", "chat"])
async def test_arguments_that_are_not_an_object(wire, text, expected, server, endpoint, client):
    server.script(PATHS[wire], Script(tool_streams.ALL[wire]([Call("look", {}, text)]).events))
    reply = await client.ask(endpoint(wire), PROMPT, ONCE, RecordingListener())
    (call,) = reply.calls
    assert call.arguments == expected


@pytest.mark.parametrize("text", ['{"path": "a', "[]", '"x"', '{"a": 1}}', '{"a": NaN}'])
async def test_invalid_input_is_sent_back_as_an_object(text, server, endpoint, client):
    stream = tool_streams.messages([Call("look", {"path": "x"}, text)])
    reply = await called("messages", server, endpoint, client, stream)
    (call,) = reply.calls
    assert call.arguments is None

    await client.ask(
        endpoint("messages"), after(reply, *answer_calls(reply)), ONCE, RecordingListener()
    )

    content = server.requests[1].json["messages"][1]["content"]
    assert content[-1]["input"] == {"INVALID_JSON": text}


async def test_an_emoji_in_two_halves_is_joined(server, endpoint, client):
    stream = tool_streams.messages([Call("look", {"path": "x"}, '{"path": "AB"}')])
    halves = [one.replace(b"A", b"\\ud83d").replace(b"B", b"\\ude00") for one in stream.events]
    reply = await called("messages", server, endpoint, client, stream._replace(events=halves))

    await client.ask(
        endpoint("messages"), after(reply, *answer_calls(reply)), ONCE, RecordingListener()
    )

    content = server.requests[1].json["messages"][1]["content"]
    assert content[-1]["input"] == reply.calls[0].arguments == {"path": "\N{GRINNING FACE}"}


async def test_input_in_the_block_s_start_counts(server, endpoint, client):
    events = tool_streams.messages([Call("look", {})]).events
    events = [one.replace(b'"input": {}', b'"input": {"path" : "x"}') for one in events]
    server.script("/messages", Script(events))
    reply = await client.ask(endpoint("messages"), PROMPT, ONCE, RecordingListener())
    assert reply.calls == (ToolCall("toolu_10", "look", {"path": "x"}),)
    assert '"input": {"path" : "x"}' in reply.items[-1]


async def test_a_field_missing_in_the_block_s_start_is_added(server, endpoint, client):
    stream = tool_streams.messages([Call("look", {})])
    events = [one.replace(b' , "signature" :""', b"") for one in stream.events]
    server.script("/messages", Script(events))
    reply = await client.ask(endpoint("messages"), PROMPT, ONCE, RecordingListener())
    assert json.loads(reply.items[0]) == json.loads(stream.echoed[0])


@pytest.mark.parametrize("remark", ["", "\n\n"])
async def test_a_blank_text_block_is_not_sent_back(remark, server, endpoint, client):
    reply = await called("messages", server, endpoint, client, tool_streams.messages(CALLS, remark))
    kinds = [json.loads(item)["type"] for item in reply.items]
    assert kinds == ["thinking", "redacted_thinking", "tool_use", "tool_use"]


CUT = {
    "responses": [
        (b"response.completed", b"response.incomplete"),
        (
            b'"status":"completed","output"',
            b'"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output"',
        ),
    ],
    "chat": [(b'"finish_reason": "tool_calls"', b'"finish_reason": "length"')],
    "messages": [(b'"stop_reason": "tool_use"', b'"stop_reason": "max_tokens"')],
    "gemini": [(b'"finishReason":"STOP"', b'"finishReason":"MAX_TOKENS"')],
}


@pytest.mark.parametrize("wire", tool_streams.ALL)
async def test_a_truncated_call_is_not_a_call(wire, server, endpoint, client):
    stream = b"".join(tool_streams.ALL[wire]([CALLS[0]]).events)
    for whole, cut in CUT[wire]:
        assert whole in stream
        stream = stream.replace(whole, cut)
    server.script(PATHS[wire], Script([stream]))
    with pytest.raises(TruncatedError):
        await client.ask(endpoint(wire), PROMPT, ONCE, RecordingListener())


async def test_ids_of_gemini_s_calls_are_sent_back(server, endpoint, client):
    stream = tool_streams.gemini(CALLS, ids=True)
    reply = await called("gemini", server, endpoint, client, stream)
    assert [call.id for call in reply.calls] == ["fn_10", "fn_11"]
    results = after(reply, *answer_calls(reply))
    await client.ask(endpoint("gemini"), results, ONCE, RecordingListener())
    parts = server.requests[1].json["contents"][-1]["parts"]
    assert [part["functionResponse"]["id"] for part in parts] == ["fn_10", "fn_11"]


async def test_parts_add_up_over_continuations(server, endpoint, client):
    first = streams.gemini("I look.", reason="CONTINUATION", token="t1")
    server.script("", Script(first), Script(tool_streams.gemini(CALLS, "").events))
    reply = await client.ask(endpoint("gemini"), PROMPT, ONCE, RecordingListener())
    assert len(reply.calls) == 2
    texts = [json.loads(item).get("text", "") for item in reply.items]
    assert "".join(text for text in texts if text != "hm") == "I look."


MARKED = {"prompt_cache_breakpoint": {"mode": "explicit"}}


@pytest.mark.parametrize(
    ("model", "marked"),
    [("gpt-6.1-sol", True), ("gpt-5.6", True), ("gpt-5.5", False), ("o3", False), ("x", False)],
)
async def test_openai_s_context_is_marked_for_newer_models(model, marked, server, endpoint, client):
    server.script("/responses", Script(streams.responses("ok")))
    await client.ask(endpoint("responses", model_name=model), PROMPT, ONCE, RecordingListener())
    body = server.requests[0].json
    first, second = body["input"][0]["content"]
    assert first == {"type": "input_text", "text": "The repository.", **(MARKED if marked else {})}
    assert second == {"type": "input_text", "text": "Go."}
    assert ("prompt_cache_key" in body) == marked


async def test_a_rejected_mark_is_omitted(server, endpoint, client):
    error = {"message": "prompt_cache_breakpoint is not supported on this model"}
    server.script(
        "/responses", Script.error(400, {"error": error}), Script(streams.responses("ok"))
    )
    target = endpoint("responses", model_name="gpt-6.1-terra")
    assert (await client.ask(target, PROMPT, ONCE, RecordingListener())).text == "ok"
    assert b"prompt_cache" in server.requests[0].body
    assert b"prompt_cache" not in server.requests[1].body


async def test_anthropic_gets_at_most_four_marks(server, endpoint, client):
    server.script("/messages", Script(streams.messages("ok")))
    turns = tuple(Turn(role, "x") for role in (Role.USER, Role.ASSISTANT) * 5)[:-1]
    for prompt in (PROMPT, Prompt("s", turns, "c", (TOOL,))):
        await client.ask(endpoint("messages"), prompt, ONCE, RecordingListener())
    few, many = (request.body.count(b'"cache_control"') for request in server.requests)
    assert (few, many) == (3, 4)


@pytest.mark.parametrize("wire", tool_streams.ALL)
async def test_the_conversation_comes_last(wire, server, endpoint, client):
    server.script(PATHS[wire], Script(streams.ALL[wire]("ok")))
    longer = Prompt(
        PROMPT.system,
        (*PROMPT.turns, Turn(Role.ASSISTANT, "Done."), Turn(Role.USER, "More.")),
        PROMPT.context,
        PROMPT.tools,
    )
    for prompt in (PROMPT, longer):
        await client.ask(endpoint(wire, effort="high"), prompt, ONCE, RecordingListener())
    first, second = (request.body for request in server.requests)
    shared = first[: first.index(b"The repository.") + len(b"The repository.")]
    assert second.startswith(shared)
    assert b"look" in shared
    assert b"Be exact." in shared
