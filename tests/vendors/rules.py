"""The vendors' rules for requests: everything that a real API would answer with 400 or 401."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from vendors.schema import (
    Variants,
    anything,
    at_least,
    by_type,
    find_mismatches,
    text,
    text_or,
)

JSON_SCHEMA = {"type": {"object"}, "*": anything}
OPENAI_FIELDS = (
    "background conversation metadata parallel_tool_calls prompt_cache_retention safety_identifier"
    " service_tier user"
)  # known to both of OpenAI's formats, besides those below


def fields(names: str) -> dict[str, Any]:
    """Return a schema of optional fields NAMES with any value."""
    return {f"{name}?": anything for name in names.split()}


def output(**known: Any) -> dict[str, Any]:
    """Return a schema for what a model wrote: KNOWN fields and any others, which must be kept."""
    return {**known, "*": anything}


def tool_name(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str) or not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", value):
        yield f"{path} is not a tool name: {value!r}"


# OpenAI, Responses ------------------------------------------------------------------------------

INPUT_TEXT = {
    "type": {"input_text"},
    "text": text,
    "prompt_cache_breakpoint?": {"mode": {"explicit"}},
}
INPUT_MESSAGE = {"type?": {"message"}, "role": str, "content": text_or([INPUT_TEXT])}
INPUT_ITEM = Variants(
    lambda item: item.get("role") if item.get("type", "message") == "message" else item["type"],
    {
        "user": INPUT_MESSAGE,
        "developer": INPUT_MESSAGE,
        "system": INPUT_MESSAGE,
        "assistant": output(role=str, content=text_or([output(type={"output_text", "refusal"})])),
        "reasoning": output(id=str, summary=list),
        "function_call": output(call_id=text, name=tool_name, arguments=str),
        "function_call_output": {"type": str, "call_id": text, "output": str},
    },
)
RESPONSES = {
    "model": text,
    "input": text_or([INPUT_ITEM]),
    "instructions?": str,
    "max_output_tokens?": at_least(16),
    "reasoning?": {"effort": {"none", "minimal", "low", "medium", "high", "xhigh", "max"}},
    "store?": bool,
    "stream": {True},
    "stream_options?": {"include_obfuscation": bool},
    "include?": [{"reasoning.encrypted_content"}],
    "prompt_cache_key?": text,
    "tools?": [
        {
            "type": {"function"},
            "name": tool_name,
            "description?": text,
            "parameters": JSON_SCHEMA,
            "strict": {False},  # true by default, and then every property must be required
        }
    ],
    "tool_choice?": {"auto", "none", "required"},
    **fields(f"{OPENAI_FIELDS} text truncation"),
}  # without temperature and top_p: today's models take neither


def check_responses(body: Mapping[str, Any]) -> Iterator[str]:
    items = body["input"] if isinstance(body["input"], list) else []
    kinds = [item.get("type") for item in items]
    for kind, following in zip(kinds, [*kinds, None][1:], strict=True):
        if kind == "reasoning" and following in {None, "function_call_output"}:
            yield "a reasoning item is not followed by the item it belongs to"
    calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
    results = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    yield from _compare_calls(calls, results)


# OpenAI, Chat Completions -----------------------------------------------------------------------

FUNCTION = {"name": tool_name, "description?": text, "parameters": JSON_SCHEMA}
TOOL_CALL = output(id=text, type={"function"}, function=output(name=tool_name, arguments=str))
TEXT_MESSAGE = {"role": str, "content": text_or([{"type": {"text"}, "text": text}])}
CHAT_MESSAGE = Variants(
    lambda message: message["role"],
    {
        "system": TEXT_MESSAGE,
        "developer": TEXT_MESSAGE,
        "user": TEXT_MESSAGE,
        "assistant": {"role": str, "content": anything, "tool_calls?": [TOOL_CALL], "*": anything},
        "tool": {"role": str, "tool_call_id": text, "content": str},
    },
)
CHAT = {
    "model": text,
    "messages": [CHAT_MESSAGE],
    "max_tokens?": at_least(1),
    "max_completion_tokens?": at_least(1),
    "reasoning_effort?": {"none", "minimal", "low", "medium", "high", "xhigh"},
    "stream": {True},
    "stream_options?": {"include_usage": bool},
    "tools?": [{"type": {"function"}, "function": FUNCTION}],
    "tool_choice?": {"auto", "none", "required"},
    **fields(f"{OPENAI_FIELDS} prompt_cache_key response_format seed stop temperature top_p"),
}


def check_chat(body: Mapping[str, Any]) -> Iterator[str]:
    if "max_tokens" in body and "max_completion_tokens" in body:
        yield "max_tokens cannot be combined with max_completion_tokens"
    open_calls: list[str] = []
    for message in body["messages"]:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                yield f"tool_call_id {message['tool_call_id']!r} answers no preceding tool call"
            else:
                open_calls.remove(message["tool_call_id"])
            continue
        if open_calls:
            yield f"tool calls without a result: {open_calls}"
        open_calls = [call["id"] for call in message.get("tool_calls", ())]
        if message["role"] == "assistant" and not (message["content"] or open_calls):
            yield "an assistant message has neither content nor tool calls"
    if open_calls:
        yield f"tool calls without a result: {open_calls}"


# Anthropic, Messages ----------------------------------------------------------------------------

CACHE = {"type": {"ephemeral"}, "ttl?": {"5m", "1h"}}
TEXT_BLOCK = {"type": {"text"}, "text": text, "cache_control?": CACHE}
USER_BLOCK = by_type(
    {
        "text": TEXT_BLOCK,
        "tool_result": {
            "type": str,
            "tool_use_id": text,
            "content?": text_or([TEXT_BLOCK]),
            "is_error?": bool,
            "cache_control?": CACHE,
        },
    }
)
ASSISTANT_BLOCK = by_type(
    {
        "text": output(text=text),
        "thinking": output(thinking=str, signature=text),
        "redacted_thinking": output(data=text),
        "tool_use": output(id=text, name=tool_name, input=dict),
    }
)
MESSAGES = {
    "model": text,
    "max_tokens": at_least(1),
    "messages": [
        Variants(
            lambda message: message["role"],
            {
                "user": {"role": str, "content": text_or([USER_BLOCK])},
                "assistant": {"role": str, "content": text_or([ASSISTANT_BLOCK])},
            },
        )
    ],
    "system?": text_or([TEXT_BLOCK]),
    "output_config?": {"effort": {"low", "medium", "high", "xhigh", "max"}},
    "thinking?": {"type": {"adaptive", "between_tools"}, "display?": {"summarized", "omitted"}},
    "stream": {True},
    "tools?": [{"name": tool_name, "description?": text, "input_schema": JSON_SCHEMA}],
    "tool_choice?": {"type": {"auto", "none"}},  # today's models cannot be forced to use a tool
    "cache_control?": CACHE,
    **fields("metadata service_tier stop_sequences"),
}  # without temperature, top_k and top_p: API version 2026-10-21 takes none
MAX_CACHE_MARKS = 4


def check_messages(body: Mapping[str, Any]) -> Iterator[str]:
    messages = body["messages"]
    if messages[0]["role"] != "user" or messages[-1]["role"] != "user":
        yield "the conversation must begin and end with a user message"
    marks = json.dumps(body).count('"cache_control"')
    if marks > MAX_CACHE_MARKS:
        yield f"{marks} blocks have a cache_control, the maximum is {MAX_CACHE_MARKS}"
    calls: list[str] = []
    for message in messages:
        blocks = message["content"] if isinstance(message["content"], list) else []
        results = [block for block in blocks if block["type"] == "tool_result"]
        if results != blocks[: len(results)]:
            yield "tool_result blocks must come first in their message"
        yield from _compare_calls(calls, [block["tool_use_id"] for block in results])
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
    yield from _compare_calls(calls, [])


# Google, streamGenerateContent ------------------------------------------------------------------

PART = Variants(
    lambda part: tuple(sorted({"text", "functionCall", "functionResponse"} & set(part))),
    {
        ("text",): output(text=str),
        ("functionCall",): output(functionCall=output(name=tool_name)),
        ("functionResponse",): {
            "functionResponse": {"id?": text, "name": tool_name, "response": dict}
        },
    },
)
DECLARATION = {
    "name": tool_name,
    "description": text,
    "parametersJsonSchema?": JSON_SCHEMA,
    "parameters_json_schema?": JSON_SCHEMA,  # as Google's SDK writes it
}
CONFIG = {
    "maxOutputTokens?": at_least(1),
    "thinkingConfig?": {
        "thinkingLevel?": {"MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"},
        "includeThoughts?": bool,
    },
    **fields("responseMimeType seed stopSequences"),
}
GEMINI = {
    "contents": [{"role": {"user", "model"}, "parts": [PART]}],
    "systemInstruction?": {"role?": {"user"}, "parts": [{"text": text}]},
    "generationConfig?": CONFIG,
    "tools?": [{"functionDeclarations": [DECLARATION]}],
    "toolConfig?": {"functionCallingConfig": {"mode": {"AUTO", "ANY", "NONE", "VALIDATED"}}},
    "continuationToken?": text,
    **fields("labels safetySettings serviceTier"),
}


def check_gemini(body: Mapping[str, Any]) -> Iterator[str]:
    if body["contents"][0]["role"] != "user":
        yield "contents must begin with a user turn"
    calls: list[dict[str, Any]] = []
    for content in body["contents"]:
        parts = content["parts"]
        if content["role"] == "user" and {"text": ""} in parts:
            yield "a user part has no text"
        responses = [part["functionResponse"] for part in parts if "functionResponse" in part]
        if list(map(_name_call, calls)) != list(map(_name_call, responses)):
            yield "the function responses do not match the function calls before them"
        signed = [part for part in parts if "functionCall" in part]
        if signed and "thoughtSignature" not in signed[0]:
            yield "Function call is missing a thought_signature in functionCall parts"
        calls = [part["functionCall"] for part in signed]
    if calls:
        yield "function calls without a response"


def _name_call(call: Mapping[str, Any]) -> tuple[str, str | None]:
    return call["name"], call.get("id")


def _compare_calls(calls: list[str], results: list[str]) -> Iterator[str]:
    if unanswered := set(calls) - set(results):
        yield f"tool calls without a result: {sorted(unanswered)}"
    if unknown := set(results) - set(calls):
        yield f"results of unknown tool calls: {sorted(unknown)}"
    if len(results) != len(set(results)):
        yield f"tool calls with several results: {results}"


# Requests ---------------------------------------------------------------------------------------

BODIES = {
    "responses": (RESPONSES, check_responses),
    "chat": (CHAT, check_chat),
    "messages": (MESSAGES, check_messages),
    "gemini": (GEMINI, check_gemini),
}
KEY_HEADERS = {"authorization", "x-api-key", "x-goog-api-key"}
ALLOWED_KEYS = {
    "responses": {"authorization"},
    "chat": {"authorization"},
    "messages": {"authorization", "x-api-key"},
    "gemini": {"x-goog-api-key"},
}
ANTHROPIC_VERSION = "2026-10-21"


def find_wire(method: str, path: str, headers: Mapping[str, str]) -> str | None:
    """Return the wire format of a request, None for a request that is not for a vendor."""
    path = path.partition("?")[0]
    if method == "GET" and re.search(r"/v1(beta)?/models/", path):
        own_headers = {"x-goog-api-key": "gemini", "anthropic-version": "messages"}
        return next((own_headers[name] for name in own_headers if name in headers), "responses")
    endings = {
        "/responses": "responses",
        "/chat/completions": "chat",
        "/v1/messages": "messages",
        "Content": "gemini",
    }
    return next((wire for ending, wire in endings.items() if path.endswith(ending)), None)


def find_violations(
    method: str, path: str, headers: Mapping[str, str], data: bytes
) -> Iterator[str]:
    """Yield each rule that a request to a vendor breaks."""
    wire = find_wire(method, path, headers)
    if wire is None:
        return
    keys = KEY_HEADERS & set(headers)
    if len(keys) != 1 or not keys <= ALLOWED_KEYS[wire]:
        yield f"the key is sent in {sorted(keys)}"
    if "key=" in path:
        yield "the key is sent in the URL"
    if wire == "messages" and headers.get("anthropic-version") != ANTHROPIC_VERSION:
        yield f"anthropic-version is {headers.get('anthropic-version')!r}"
    if method == "GET":
        yield from ["a GET request has a body"] if data else []
    else:
        yield from _check_post(wire, path, headers, data)


def _check_post(wire: str, path: str, headers: Mapping[str, str], data: bytes) -> Iterator[str]:
    if headers.get("content-type") != "application/json":
        yield f"content-type is {headers.get('content-type')!r}"
    if wire == "gemini" and not path.endswith(":streamGenerateContent?alt=sse"):
        yield f"{path} does not stream events"
    schema, check = BODIES[wire]
    try:
        body = json.loads(data, object_pairs_hook=_reject_duplicates)
    except ValueError as error:
        yield f"the body is not valid JSON: {error}"
        return
    mismatches = list(find_mismatches(body, schema))
    yield from mismatches or check(body)


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError(f"a name occurs twice in {names}")
    return dict(pairs)
