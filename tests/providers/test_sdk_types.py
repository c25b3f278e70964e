"""A conversation with tools, checked against the types of the vendors' SDKs."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter
from vendors import streams, tool_streams
from vendors.server import RecordingListener, Script
from vendors.streams import PATHS
from vendors.tool_streams import Call

from dursor.agent.exploration.tools import TOOLS
from dursor.domain import Role
from dursor.providers.base import CallLimits, Prompt, ToolResult, Turn

CALLS = [Call("read_file", {"path": "ü"}), Call("list_files", {})]
PROMPT = Prompt("Be exact.", (Turn(Role.USER, "Go."),), "The repository.", TOOLS)


def known(value: Any) -> Any:
    """Return VALUE without the field that only the test streams contain."""
    if isinstance(value, dict):
        return {name: known(one) for name, one in value.items() if name != "odd"}
    return [known(one) for one in value] if isinstance(value, list) else value


async def asked(wire, server, endpoint, client) -> list[dict[str, Any]]:
    """Return the bodies of a request with tools and of the one with their results."""
    server.script(
        PATHS[wire], Script(tool_streams.ALL[wire](CALLS).events), Script(streams.ALL[wire]("ok"))
    )
    target = endpoint(wire, model_name="gpt-6.1-sol")
    reply = await client.ask(target, PROMPT, CallLimits(), RecordingListener())
    first, second = (ToolResult(call.id, call.name, "seen") for call in reply.calls)
    failed = ToolResult(second.call_id, second.name, "not seen", failed=True)
    echo = Turn(Role.ASSISTANT, reply.text, items=reply.items)
    turns = (*PROMPT.turns, echo, Turn(Role.USER, "", results=(first, failed)))
    again = Prompt(PROMPT.system, turns, PROMPT.context, PROMPT.tools, final=True)
    await client.ask(target, again, CallLimits(), RecordingListener())
    return [known(json.loads(request.body)) for request in server.requests]


@pytest.mark.parametrize("wire", ["responses", "chat"])
async def test_a_body_has_the_sdk_s_types(wire, server, endpoint, client):
    if wire == "chat":
        from openai.types.chat.completion_create_params import (
            CompletionCreateParamsStreaming as Body,
        )
    else:
        from openai.types.responses.response_create_params import (
            ResponseCreateParamsStreaming as Body,
        )
    for body in await asked(wire, server, endpoint, client):
        TypeAdapter(Body).validate_python(body)


async def test_anthropic_s_messages_have_the_sdk_s_types(server, endpoint, client):
    from anthropic.types import MessageParam, TextBlockParam, ToolParam

    for body in await asked("messages", server, endpoint, client):
        TypeAdapter(list[MessageParam]).validate_python(body["messages"])
        TypeAdapter(list[TextBlockParam]).validate_python(body["system"])
        TypeAdapter(list[ToolParam]).validate_python(body["tools"])


async def test_gemini_s_parts_have_the_sdk_s_types(server, endpoint, client):
    from google.genai import types

    for body in await asked("gemini", server, endpoint, client):
        for content in body["contents"]:
            types.Content.model_validate(content)
        for tool in body["tools"]:
            types.Tool.model_validate(tool)
        types.ToolConfig.model_validate(body.get("toolConfig", {}))
