"""The exact requests."""

import pytest
from vendors.server import RecordingListener, Script, ScriptedServer
from vendors.streams import ALL, PATHS

from dursor.domain import Role
from dursor.providers.base import CallLimits, Prompt, Turn

TALK = Prompt(
    "You are exact.",
    (
        Turn(Role.USER, "Change it."),
        Turn(Role.ASSISTANT, "A diff."),
        Turn(Role.SYSTEM, "The review says no."),
        Turn(Role.USER, "Again, with ü and \ud800."),
    ),
    "The repository.",
)
LAST = "Again, with ü and \ud800."
CACHED = {"type": "ephemeral"}

BODIES = {
    "responses": {
        "model": "model-1",
        "instructions": "You are exact.",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "The repository."},
                    {"type": "input_text", "text": "Change it."},
                ],
            },
            {"role": "assistant", "content": "A diff."},
            {"role": "developer", "content": "The review says no."},
            {"role": "user", "content": LAST},
        ],
        "max_output_tokens": 4000,
        "reasoning": {"effort": "high"},
        "store": False,
        "stream": True,
    },
    "chat": {
        "model": "model-1",
        "messages": [
            {"role": "system", "content": "You are exact."},
            {"role": "user", "content": "The repository.\n\nChange it."},
            {"role": "assistant", "content": "A diff."},
            {"role": "system", "content": "The review says no."},
            {"role": "user", "content": LAST},
        ],
        "max_tokens": 4000,
        "reasoning_effort": "high",
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    "messages": {
        "model": "model-1",
        "max_tokens": 4000,
        "system": [{"type": "text", "text": "You are exact.", "cache_control": CACHED}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "The repository.", "cache_control": CACHED},
                    {"type": "text", "text": "Change it."},
                ],
            },
            {"role": "assistant", "content": "A diff."},
            {
                "role": "user",
                "content": [
                    {
                        "type": "text",
                        "text": "[system note]\nThe review says no.",
                        "cache_control": CACHED,
                    }
                ],
            },
            {"role": "user", "content": [{"type": "text", "text": LAST, "cache_control": CACHED}]},
        ],
        "output_config": {"effort": "high"},
        "stream": True,
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "You are exact."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "The repository."}, {"text": "Change it."}]},
            {"role": "model", "parts": [{"text": "A diff."}]},
            {"role": "user", "parts": [{"text": "[system note]\nThe review says no."}]},
            {"role": "user", "parts": [{"text": LAST}]},
        ],
        "generationConfig": {
            "maxOutputTokens": 4000,
            "thinkingConfig": {"thinkingLevel": "HIGH"},
        },
    },
}
TARGETS = {
    "responses": "/v1/responses",
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "gemini": "/v1beta/models/model-1:streamGenerateContent?alt=sse",
}
KEY_HEADERS = {
    "responses": ("authorization", "Bearer sk-test-0123456789abcdef"),
    "chat": ("authorization", "Bearer sk-test-0123456789abcdef"),
    "messages": ("x-api-key", "sk-test-0123456789abcdef"),
    "gemini": ("x-goog-api-key", "sk-test-0123456789abcdef"),
}


@pytest.mark.parametrize("wire", ALL)
async def test_the_exact_request(wire, server: ScriptedServer, endpoint, client):
    server.script(PATHS[wire], Script(ALL[wire]("ok")))
    target = endpoint(wire, effort="high", max_output_tokens=4000)
    await client.ask(target, TALK, CallLimits(), RecordingListener())
    (asked,) = server.requests
    assert (asked.method, asked.path) == ("POST", TARGETS[wire])
    assert asked.json == BODIES[wire]
    header, value = KEY_HEADERS[wire]
    assert asked.headers[header] == value
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.headers.get("anthropic-version") == ("2026-10-21" if wire == "messages" else None)
    keys = {"authorization", "x-api-key", "x-goog-api-key"} & set(asked.headers)
    assert keys == {header}
    assert "sk-test" not in asked.path
    assert b"sk-test" not in asked.body


@pytest.mark.parametrize("wire", ALL)
async def test_unset_options_are_not_sent(wire, server, endpoint, client):
    server.script(PATHS[wire], Script(ALL[wire]("ok")))
    bare = Prompt("", (Turn(Role.USER, "hi"),))
    await client.ask(endpoint(wire), bare, CallLimits(), RecordingListener())
    sent = server.requests[0].json
    for name in ("effort", "temperature", "top_p", "thinking", "system", "systemInstruction"):
        assert name not in str(sent).replace("[system", "")
    assert "reasoning" not in sent
    assert len(sent.get("messages") or sent.get("input") or sent["contents"]) == 1


async def test_responses_request_at_least_the_minimum_of_tokens(server, endpoint, client):
    server.script("/responses", Script(ALL["responses"]("ok")))
    prompt = Prompt("", (Turn(Role.USER, "hi"),))
    await client.ask(
        endpoint("responses", max_output_tokens=4), prompt, CallLimits(), RecordingListener()
    )
    assert server.requests[0].json["max_output_tokens"] == 16


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("models/gemini-x", "/v1beta/models/gemini-x:streamGenerateContent?alt=sse"),
        ("../a b?c#d", "/v1beta/models/..%2Fa%20b%3Fc%23d:streamGenerateContent?alt=sse"),
    ],
)
async def test_a_model_name_is_quoted_in_the_url(model, path, server, endpoint, client, prompt):
    server.script("", Script(ALL["gemini"]("ok")))
    await client.ask(
        endpoint("gemini", model_name=model), prompt, CallLimits(), RecordingListener()
    )
    assert server.requests[0].path == path


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_base_url_may_end_in_a_slash(slash, server, endpoint, client, prompt):
    server.script("", Script(ALL["responses"]("ok")))
    target = endpoint("responses", base_url=f"{server.url}/v1{slash}")
    await client.ask(target, prompt, CallLimits(), RecordingListener())
    assert server.requests[0].path == "/v1/responses"


async def test_chat_takes_the_limit_s_name_from_the_options(server, endpoint, client, prompt):
    server.script("/chat", Script(ALL["chat"]("ok")))
    options = {"max_tokens_name": "max_completion_tokens"}
    await client.ask(endpoint("chat", options=options), prompt, CallLimits(), RecordingListener())
    sent = server.requests[0].json
    assert sent["max_completion_tokens"] == 32_000
    assert "max_tokens" not in sent


REFUSALS = [
    {"message": "Unsupported parameter", "param": "max_tokens", "type": "invalid_request_error"},
    {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."},
]


@pytest.mark.parametrize("error", REFUSALS)
async def test_chat_swaps_the_limit_s_name_once(error, server, endpoint, client, prompt):
    refusal = Script.error(400, {"error": error})
    server.script("/chat", refusal, Script(ALL["chat"]("ok")))
    listener = RecordingListener()
    reply = await client.ask(endpoint("chat"), prompt, CallLimits(), listener)
    assert reply.text == "ok"
    assert listener.retries == []
    first, second = (r.json for r in server.requests)
    assert first["max_tokens"] == second["max_completion_tokens"] == 32_000
    assert "max_tokens" not in second
    assert "max_completion_tokens" not in first


async def test_chat_omits_usage_when_a_server_rejects_it(server, endpoint, client, prompt):
    refusal = Script.error(400, {"error": {"message": "unknown field: stream_options"}})
    server.script("/chat", refusal, Script(ALL["chat"]("ok", usage=None)))
    reply = await client.ask(endpoint("chat"), prompt, CallLimits(), RecordingListener())
    assert (reply.text, reply.usage) == ("ok", None)
    assert "stream_options" not in server.requests[1].json


async def test_samples_of_a_round_share_one_body(server, endpoint, client, prompt):
    from dursor.providers.adapters.openai import ResponsesAdapter

    adapter = ResponsesAdapter()
    bodies = {id(adapter.build_request(endpoint("responses"), prompt).body) for _ in range(3)}
    assert len(bodies) == 1
