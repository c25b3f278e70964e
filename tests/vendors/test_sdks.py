"""The double is faithful: the vendors' own SDKs read its streams, and it accepts their requests.

The SDKs are slow to import, so the tests import them, not the module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vendors import streams, tool_streams
from vendors.faults import fail
from vendors.server import Script
from vendors.streams import USAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import anthropic
    import openai
    from google import genai

    from vendors.server import ScriptedServer

TEXT = "Zwölf Leitern \u2028 and a 梯子.\n"
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}
CALLS = [tool_streams.Call("look", {"path": "ü"}), tool_streams.Call("look", {})]
MESSAGES = [{"role": "system", "content": "Be terse."}, {"role": "user", "content": "hi?"}]


@pytest.fixture
def gpt(server: ScriptedServer) -> Iterator[openai.OpenAI]:
    import openai

    with openai.OpenAI(api_key="key", base_url=f"{server.url}/v1", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(server: ScriptedServer) -> Iterator[anthropic.Anthropic]:
    import anthropic

    with anthropic.Anthropic(api_key="key", base_url=server.url, max_retries=0) as client:
        yield client


@pytest.fixture
def gemini(server: ScriptedServer) -> Iterator[genai.Client]:
    from google import genai
    from google.genai import types

    options = types.HttpOptions(base_url=server.url)
    with genai.Client(api_key="key", http_options=options) as client:
        yield client


def test_responses(server: ScriptedServer, gpt: openai.OpenAI) -> None:
    server.script("/responses", Script(streams.responses(TEXT)))
    request = {"model": "m", "instructions": "Be terse.", "input": "hi?", "store": False}
    with gpt.responses.stream(**request) as stream:
        events = list(stream)
        response = stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert response.output_text == TEXT
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert response.usage.input_tokens_details.cached_tokens == USAGE["cached"]
    assert response.usage.output_tokens_details.reasoning_tokens == USAGE["reasoning"]


def test_responses_that_call_tools(server: ScriptedServer, gpt: openai.OpenAI) -> None:
    scripts = (Script(tool_streams.responses(CALLS).events), Script(streams.responses(TEXT)))
    server.script("/responses", *scripts)
    tool = {"type": "function", "name": "look", "parameters": SCHEMA, "strict": False}
    request = {"model": "m", "tools": [tool], "include": ["reasoning.encrypted_content"]}
    first = gpt.responses.create(**request, input="hi?", stream=True)
    *_, last = first
    calls = [item for item in last.response.output if item.type == "function_call"]
    assert [call.name for call in calls] == ["look", "look"]
    results = [
        {"type": "function_call_output", "call_id": call.call_id, "output": "seen"}
        for call in calls
    ]
    items = [item.model_dump(exclude_none=True) for item in last.response.output]
    turns = [{"role": "user", "content": "hi?"}, *items, *results]
    *_, last = gpt.responses.create(**request, input=turns, stream=True)
    assert last.response.output_text == TEXT


def test_chat(server: ScriptedServer, gpt: openai.OpenAI) -> None:
    server.script("/chat", Script(streams.chat(TEXT)))
    chunks = list(
        gpt.chat.completions.create(
            model="m", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
    )
    assert (
        "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
    )
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.prompt_tokens == USAGE["input"]


def test_messages(server: ScriptedServer, claude: anthropic.Anthropic) -> None:
    server.script("/messages", Script(streams.messages(TEXT)))
    system = [{"type": "text", "text": "Be terse.", "cache_control": {"type": "ephemeral"}}]
    with claude.messages.stream(
        model="m", max_tokens=99, system=system, messages=MESSAGES[1:]
    ) as stream:
        message = stream.get_final_message()
    thinking, block = message.content
    assert (thinking.thinking, thinking.signature, block.text) == ("hm", "c2ln", TEXT)
    assert message.stop_reason == "end_turn"
    assert message.usage.cache_read_input_tokens == USAGE["cached"]
    assert message.usage.output_tokens == USAGE["output"]


def test_messages_that_call_tools(server: ScriptedServer, claude: anthropic.Anthropic) -> None:
    scripts = (Script(tool_streams.messages(CALLS).events), Script(streams.messages(TEXT)))
    server.script("/messages", *scripts)
    tools = [{"name": "look", "description": "Look.", "input_schema": SCHEMA}]
    turns = MESSAGES[1:]
    for expected in ("tool_use", "end_turn"):
        with claude.messages.stream(
            model="m", max_tokens=99, tools=tools, messages=turns
        ) as stream:
            message = stream.get_final_message()
        assert message.stop_reason == expected
        calls = [block for block in message.content if block.type == "tool_use"]
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": "x"} for call in calls
        ]
        turns = [*turns, {"role": "assistant", "content": [call.to_dict() for call in calls]}]
        turns.append({"role": "user", "content": results})
    assert len(server.requests) == 2


def test_gemini(server: ScriptedServer, gemini: genai.Client) -> None:
    from google.genai import types

    server.script(":stream", Script(streams.gemini(TEXT)))
    config = types.GenerateContentConfig(system_instruction="Be terse.", max_output_tokens=99)
    chunks = list(gemini.models.generate_content_stream(model="m", contents="hi?", config=config))
    assert "".join(chunk.text or "" for chunk in chunks) == TEXT
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert chunks[-1].usage_metadata.cached_content_token_count == USAGE["cached"]
    assert chunks[-1].usage_metadata.thoughts_token_count == USAGE["reasoning"]


def test_gemini_that_calls_tools(server: ScriptedServer, gemini: genai.Client) -> None:
    from google.genai import types

    scripts = (Script(tool_streams.gemini(CALLS, ids=True).events), Script(streams.gemini(TEXT)))
    server.script(":stream", *scripts)
    declaration = types.FunctionDeclaration(
        name="look", description="Look.", parameters_json_schema=SCHEMA
    )
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declaration])],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    contents = [types.Content(role="user", parts=[types.Part(text="hi?")])]
    request = {"model": "m", "config": config}
    chunks = list(gemini.models.generate_content_stream(**request, contents=contents))
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    calls = [part.function_call for part in parts if part.function_call]
    assert [call.args for call in calls] == [call.arguments for call in CALLS]
    results = [
        types.Part(
            function_response=types.FunctionResponse(id=c.id, name=c.name, response={"output": "x"})
        )
        for c in calls
    ]
    contents += [
        types.Content(role="model", parts=parts),
        types.Content(role="user", parts=results),
    ]
    chunks = list(gemini.models.generate_content_stream(**request, contents=contents))
    assert "".join(chunk.text or "" for chunk in chunks) == TEXT


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (429, "RateLimitError"),
        (500, "InternalServerError"),
    ],
)
def test_errors(
    status: int,
    name: str,
    server: ScriptedServer,
    gpt: openai.OpenAI,
    claude: anthropic.Anthropic,
    gemini: genai.Client,
) -> None:
    import anthropic
    import openai
    from google.genai.errors import APIError

    server.script("", lambda request: fail(status, "the message")(request.wire))
    with pytest.raises(getattr(openai, name), match="the message"):
        gpt.responses.create(model="m", input="hi?", stream=True)
    with pytest.raises(getattr(anthropic, name), match="the message"):
        claude.messages.create(model="m", max_tokens=9, messages=MESSAGES[1:], stream=True)
    with pytest.raises(APIError, match="the message") as caught:
        list(gemini.models.generate_content_stream(model="m", contents="hi?"))
    assert caught.value.code == status
