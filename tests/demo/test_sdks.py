"""The vendors' own SDKs against the practice server: it speaks their formats, not ours.

The SDKs are slow to import, so that the tests do it, not the module: every worker collects it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from dursor.demo.exchange import THOUGHT, PracticeRequest, tokens
from dursor.demo.server import PRACTICE_KEY, PracticeServer

if TYPE_CHECKING:
    import anthropic
    import openai
    from google import genai

SYSTEM = "You are terse."
REPLY = "Zwölf Leitern — \u2028 and a 梯子.\n"
SENT = len(SYSTEM) // 4 + 1, 1  # tokens of the system text and of "hi?"


def echo(request: PracticeRequest) -> str:
    """Say what was heard last, so that no answer can be right by accident."""
    return f"{REPLY}{request.turns[-1].text}"


@pytest.fixture(scope="module")
def server() -> Iterator[PracticeServer]:
    with PracticeServer({"parrot": echo, "magpie": echo}, piece=5) as server:
        yield server


@pytest.fixture
def gpt(server: PracticeServer) -> Iterator[openai.OpenAI]:
    import openai

    with openai.OpenAI(api_key=PRACTICE_KEY, base_url=f"{server.url}/v1", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(server: PracticeServer) -> Iterator[anthropic.Anthropic]:
    import anthropic

    with anthropic.Anthropic(api_key=PRACTICE_KEY, base_url=server.url, max_retries=0) as client:
        yield client


@pytest.fixture
def gemini(server: PracticeServer) -> Iterator[genai.Client]:
    yield from _gemini(server, PRACTICE_KEY)


def _gemini(server: PracticeServer, key: str) -> Iterator[genai.Client]:
    from google import genai
    from google.genai import types

    client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=server.url))
    yield client
    client.close()


def test_openai_responses(gpt: openai.OpenAI) -> None:
    asked = {"model": "parrot", "instructions": SYSTEM, "input": "hi?", "store": False}
    whole = gpt.responses.create(**asked)
    assert whole.output_text == REPLY + "hi?"
    assert [item.type for item in whole.output] == ["reasoning", "message"]
    assert whole.usage.input_tokens == sum(SENT)
    assert whole.usage.output_tokens == tokens(THOUGHT) + tokens(REPLY + "hi?")
    with gpt.responses.stream(**asked) as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (
        "".join(e.delta for e in events if e.type == "response.output_text.delta") == REPLY + "hi?"
    )
    assert final.status == "completed"
    assert final.usage.input_tokens_details.cached_tokens == sum(SENT)


def test_openai_responses_cut_at_the_output_limit(gpt: openai.OpenAI) -> None:
    asked = {"model": "parrot", "input": "words " * 50, "max_output_tokens": 25}
    whole = gpt.responses.create(**asked)
    *_, last = gpt.responses.create(**asked, stream=True)
    assert last.type == "response.incomplete"
    for response in (whole, last.response):
        assert response.status == "incomplete"
        assert response.incomplete_details.reason == "max_output_tokens"
        assert response.usage.output_tokens <= 25


def test_openai_chat(gpt: openai.OpenAI) -> None:
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "hi?"}]
    whole = gpt.chat.completions.create(model="parrot", messages=messages)
    assert whole.choices[0].message.content == REPLY + "hi?"
    assert whole.choices[0].finish_reason == "stop"
    chunks = list(
        gpt.chat.completions.create(
            model="magpie", messages=messages, stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == REPLY + "hi?"
    assert chunks[-1].usage.prompt_tokens == whole.usage.prompt_tokens == sum(SENT)
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_openai_lists_and_counts(gpt: openai.OpenAI) -> None:
    assert [model.id for model in gpt.models.list()] == ["parrot", "magpie"]
    assert gpt.models.retrieve("magpie").id == "magpie"
    counted = gpt.responses.input_tokens.count(model="parrot", input="hi?", instructions=SYSTEM)
    assert counted.input_tokens == sum(SENT)


def test_openai_errors(server: PracticeServer, gpt: openai.OpenAI) -> None:
    import openai

    with pytest.raises(openai.AuthenticationError) as refused:
        gpt.with_options(api_key="sk-wrong").responses.create(model="parrot", input="hi")
    assert refused.value.code == "invalid_api_key"
    with pytest.raises(openai.BadRequestError) as unknown:
        gpt.responses.create(model="dodo", input="hi")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError) as unknown_to_chat:
        gpt.chat.completions.create(model="dodo", messages=[{"role": "user", "content": "hi"}])
    assert unknown_to_chat.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as sampled:
        gpt.responses.create(model="parrot", input="hi", temperature=0.2)
    assert sampled.value.param == "temperature"


def test_anthropic_messages(claude: anthropic.Anthropic) -> None:
    asked = {
        "model": "parrot",
        "max_tokens": 1000,
        "system": [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "hi?"}],
    }
    whole = claude.messages.create(**asked)
    thinking, text = whole.content
    assert (thinking.type, thinking.thinking) == ("thinking", "")
    assert thinking.signature
    assert text.text == REPLY + "hi?"
    assert whole.stop_reason == "end_turn"
    assert (whole.usage.input_tokens, whole.usage.cache_creation_input_tokens) == SENT[::-1]
    with claude.messages.stream(**asked) as stream:
        assert "".join(stream.text_stream) == REPLY + "hi?"
        final = stream.get_final_message()
    assert final.content[0].signature
    assert final.usage.cache_read_input_tokens == SENT[0]
    assert final.usage.output_tokens == whole.usage.output_tokens


def test_anthropic_lists_and_counts(claude: anthropic.Anthropic) -> None:
    assert [model.id for model in claude.models.list(limit=1)] == ["parrot", "magpie"]  # two pages
    assert claude.models.retrieve("parrot").lifecycle == "active"
    said = [{"role": "user", "content": "hi?"}]
    counted = claude.messages.count_tokens(model="parrot", system=SYSTEM, messages=said)
    assert counted.input_tokens == sum(SENT)


def test_anthropic_errors(claude: anthropic.Anthropic) -> None:
    import anthropic

    asked = {"max_tokens": 99, "messages": [{"role": "user", "content": "hi"}]}
    with pytest.raises(anthropic.AuthenticationError):
        claude.with_options(api_key="sk-ant-wrong").messages.create(model="parrot", **asked)
    with pytest.raises(anthropic.NotFoundError) as unknown:
        claude.messages.create(model="dodo", **asked)
    assert unknown.value.body["error"]["message"] == "model: dodo"
    assert unknown.value.request_id == unknown.value.body["request_id"]
    with pytest.raises(anthropic.BadRequestError):  # even at its default
        claude.messages.create(model="parrot", **asked, extra_body={"temperature": 1.0})
    older = {"anthropic-version": "2023-06-01"}
    sampled = claude.messages.create(
        model="parrot", **asked, extra_body={"temperature": 1.0}, extra_headers=older
    )
    assert sampled.stop_reason == "end_turn"


def test_gemini_generates(gemini: genai.Client) -> None:
    from google.genai import types

    asked = {
        "model": "parrot",
        "contents": "hi?",
        "config": types.GenerateContentConfig(system_instruction=SYSTEM, max_output_tokens=1000),
    }
    whole = gemini.models.generate_content(**asked)
    assert whole.text == REPLY + "hi?"
    assert whole.candidates[0].finish_reason == types.FinishReason.STOP
    chunks = list(gemini.models.generate_content_stream(**asked))
    assert "".join(chunk.text or "" for chunk in chunks) == REPLY + "hi?"
    assert all(chunk.candidates[0].finish_reason is None for chunk in chunks[:-1])
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    used = chunks[-1].usage_metadata
    assert used.prompt_token_count == used.cached_content_token_count == sum(SENT)
    assert used.thoughts_token_count == tokens(THOUGHT)
    assert used.candidates_token_count == tokens(REPLY + "hi?")


def test_gemini_lists_and_counts(gemini: genai.Client) -> None:
    listed = gemini.models.list(config={"page_size": 1, "query_base": True})
    assert [model.name for model in listed] == ["models/parrot", "models/magpie"]
    assert gemini.models.get(model="magpie").name == "models/magpie"
    assert gemini.models.count_tokens(model="parrot", contents="hi?").total_tokens == SENT[1]


def test_gemini_errors(server: PracticeServer, gemini: genai.Client) -> None:
    from google.genai.errors import ClientError

    with pytest.raises(ClientError) as unknown:
        gemini.models.generate_content(model="dodo", contents="hi")
    assert (unknown.value.code, unknown.value.status) == (404, "NOT_FOUND")
    for stranger in _gemini(server, "wrong"):
        with pytest.raises(ClientError) as refused:
            list(stranger.models.generate_content_stream(model="parrot", contents="hi"))
        assert (refused.value.code, refused.value.status) == (400, "INVALID_ARGUMENT")
        assert refused.value.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"
