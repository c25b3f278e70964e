"""The double rejects what the vendors reject."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from vendors.rules import find_violations
from vendors.server import ScriptedServer

HEADERS = {
    "responses": {"authorization": "Bearer k"},
    "chat": {"authorization": "Bearer k"},
    "messages": {"x-api-key": "k", "anthropic-version": "2026-10-21"},
    "gemini": {"x-goog-api-key": "k"},
}
PATHS = {
    "responses": "/v1/responses",
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "gemini": "/v1beta/models/m:streamGenerateContent?alt=sse",
}
ASK = {"role": "user", "content": "hi"}
SCHEMA = {"type": "object", "properties": {}}
CACHED = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
ASK_GEMINI = {"role": "user", "parts": [{"text": "hi"}]}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": []}
FUNCTION_CALL = {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"}
FUNCTION_OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "x"}
CHAT_CALL = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
CHAT_CALLS = {"role": "assistant", "content": None, "tool_calls": [CHAT_CALL]}
TOOL_USE = {
    "role": "assistant",
    "content": [{"type": "tool_use", "id": "c", "name": "look", "input": {}}],
}
TOOL_RESULT = {"type": "tool_result", "tool_use_id": "c", "content": "x"}
CALL_PART = {"functionCall": {"name": "look", "args": {}}, "thoughtSignature": "c2ln"}
GEMINI_CALL = {"role": "model", "parts": [CALL_PART]}
RESPONSE_PART = {"functionResponse": {"name": "look", "response": {"output": "x"}}}
BODIES: dict[str, dict[str, Any]] = {
    "responses": {
        "model": "m",
        "input": [ASK, REASONING, FUNCTION_CALL, FUNCTION_OUTPUT],
        "stream": True,
        "max_output_tokens": 99,
    },
    "chat": {
        "model": "m",
        "messages": [ASK, CHAT_CALLS, {"role": "tool", "tool_call_id": "c", "content": "x"}],
        "stream": True,
        "max_tokens": 99,
    },
    "messages": {
        "model": "m",
        "max_tokens": 99,
        "messages": [ASK, TOOL_USE, {"role": "user", "content": [TOOL_RESULT]}],
        "stream": True,
    },
    "gemini": {
        "contents": [ASK_GEMINI, GEMINI_CALL, {"role": "user", "parts": [RESPONSE_PART]}],
        "generationConfig": {"maxOutputTokens": 99},
    },
}


def check(wire: str, body: Any, headers: dict[str, str] | None = None, path: str = "") -> list[str]:
    headers = {"content-type": "application/json"} | (headers or HEADERS[wire])
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(find_violations("POST", path or PATHS[wire], headers, data))


@pytest.mark.parametrize("wire", BODIES)
def test_a_good_request_is_accepted(wire: str) -> None:
    assert check(wire, BODIES[wire]) == []


BAD: list[tuple[str, dict[str, Any]]] = [
    ("responses", {"top_k": 1}),
    ("responses", {"temperature": 0.2}),
    ("responses", {"max_output_tokens": 3}),
    ("responses", {"max_output_tokens": True}),
    ("responses", {"reasoning": {"effort": "maximal"}}),
    ("responses", {"input": []}),
    ("responses", {"input": None}),
    ("responses", {"input": [{"role": "robot", "content": "x"}]}),
    ("responses", {"input": [{"role": "user", "content": ""}]}),
    ("responses", {"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}),
    ("responses", {"input": [ASK, FUNCTION_CALL]}),
    ("responses", {"input": [ASK, FUNCTION_OUTPUT]}),
    ("responses", {"input": [ASK, FUNCTION_CALL, FUNCTION_OUTPUT, FUNCTION_OUTPUT]}),
    ("responses", {"input": [ASK, REASONING]}),
    ("responses", {"tools": [{"type": "function", "name": "look", "parameters": SCHEMA}]}),
    ("responses", {"tools": [{"type": "function", "function": {"name": "look"}}]}),
    ("responses", {"stream": False}),
    ("chat", {"max_completion_tokens": 99}),
    ("chat", {"max_tokens": 0}),
    ("chat", {"input": "x"}),
    ("chat", {"messages": []}),
    ("chat", {"messages": [{"role": "robot", "content": "x"}]}),
    ("chat", {"messages": [ASK, CHAT_CALLS]}),
    ("chat", {"messages": [ASK, CHAT_CALLS, ASK]}),
    ("chat", {"messages": [ASK, {"role": "tool", "tool_call_id": "c", "content": "x"}]}),
    ("chat", {"messages": [ASK, {"role": "assistant", "content": ""}, ASK]}),
    ("chat", {"tools": [{"type": "function", "name": "look", "parameters": SCHEMA}]}),
    ("messages", {"max_tokens": None}),
    ("messages", {"top_p": 1}),
    ("messages", {"thinking": {"type": "disabled"}}),
    ("messages", {"tool_choice": {"type": "any"}}),
    ("messages", {"output_config": {"effort": "least"}}),
    ("messages", {"instructions": "x"}),
    ("messages", {"messages": []}),
    ("messages", {"messages": [{"role": "user", "content": [{"type": "text", "text": " "}]}]}),
    ("messages", {"messages": [ASK, {"role": "assistant", "content": "So"}]}),
    ("messages", {"messages": [{"role": "assistant", "content": "So"}, ASK]}),
    ("messages", {"messages": [ASK, TOOL_USE, ASK]}),
    ("messages", {"messages": [{"role": "user", "content": [TOOL_RESULT]}]}),
    (
        "messages",
        {"messages": [ASK, TOOL_USE, {"role": "user", "content": [CACHED, TOOL_RESULT]}]},
    ),
    ("messages", {"system": [CACHED] * 5}),
    ("messages", {"tools": [{"name": "look here", "input_schema": SCHEMA}]}),
    ("gemini", {"messages": []}),
    ("gemini", {"contents": []}),
    ("gemini", {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}),
    ("gemini", {"contents": [{"role": "user", "parts": []}]}),
    ("gemini", {"contents": [{"role": "user", "parts": [{"text": ""}]}]}),
    ("gemini", {"contents": [{"role": "model", "parts": [{"text": "x"}]}]}),
    ("gemini", {"contents": [ASK_GEMINI, GEMINI_CALL, ASK_GEMINI]}),
    ("gemini", {"contents": [{"role": "user", "parts": [RESPONSE_PART]}]}),
    (
        "gemini",
        {
            "contents": [
                ASK_GEMINI,
                {"role": "model", "parts": [{"functionCall": {"name": "look"}}]},
                {"role": "user", "parts": [RESPONSE_PART]},
            ]
        },
    ),
    ("gemini", {"generationConfig": {"maxOutputTokens": 0}}),
    ("gemini", {"generationConfig": {"effort": 1}}),
    ("gemini", {"generationConfig": {"thinkingConfig": {"thinkingLevel": "WILD"}}}),
    (
        "gemini",
        {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 1}}},
    ),
    ("gemini", {"toolConfig": {"functionCallingConfig": {"mode": "none"}}}),
]


@pytest.mark.parametrize(("wire", "change"), BAD)
def test_a_bad_body_is_a_violation(wire: str, change: dict[str, Any]) -> None:
    assert check(wire, BODIES[wire] | change)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"1", b'{"model": "m", "model": "m"}', b"\xff"])
@pytest.mark.parametrize("wire", BODIES)
def test_a_body_that_is_not_an_object_is_a_violation(wire: str, data: bytes) -> None:
    assert check(wire, data)


@pytest.mark.parametrize("wire", BODIES)
def test_headers_are_checked(wire: str) -> None:
    others = [name for name in HEADERS if HEADERS[name].keys() != HEADERS[wire].keys()]
    assert check(wire, BODIES[wire], {"content-type": "application/json"})
    assert check(wire, BODIES[wire], HEADERS[wire] | {"content-type": "text/plain"})
    for other in others:
        assert check(wire, BODIES[wire], HEADERS[wire] | HEADERS[other])
    version = HEADERS["messages"] | {"anthropic-version": "2020-01-01"}
    assert check("messages", BODIES["messages"], version)


def test_paths_are_checked() -> None:
    for path in (":generateContent", ":streamGenerateContent", ":streamGenerateContent?key=k"):
        assert check("gemini", BODIES["gemini"], path=f"/v1beta/models/m{path}")


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/v1/models/m", "responses"), ("/v1/models/m", "messages"), ("/v1beta/models/m", "gemini")],
)
def test_a_check_of_a_model_needs_a_key_and_no_body(path: str, headers: str) -> None:
    def check_get(headers: dict[str, str], data: bytes = b"") -> Iterator[str]:
        return list(find_violations("GET", path, headers, data))

    assert check_get(HEADERS[headers]) == []
    assert check_get(HEADERS[headers], b"{}")
    assert check_get({})


def test_requests_to_other_servers_are_not_checked() -> None:
    assert list(find_violations("POST", "/repos/ada/lib/pulls", {}, b"")) == []


def test_a_violation_fails_the_test() -> None:
    def send() -> None:
        with ScriptedServer() as server:
            address = server.url.removeprefix("http://")
            connection = http.client.HTTPConnection(address, timeout=5)
            connection.request("POST", "/v1/responses", b"{}", {"authorization": "Bearer k"})
            assert connection.getresponse().status == 404
            connection.close()

    with pytest.raises(AssertionError, match="content-type is None"):
        send()
