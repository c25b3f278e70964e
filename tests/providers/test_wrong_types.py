"""Replies with values of other types than the vendor documents."""

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vendors import streams, tool_streams
from vendors.tool_streams import Call

from dursor.domain import Secret, Usage
from dursor.errors import CallError, ProviderError
from dursor.providers.adapters.error_mapping import classify
from dursor.providers.adapters.error_payloads import ReportedError
from dursor.providers.adapters.openai import ResponsesDecoder
from dursor.providers.adapters.wire import Progress
from dursor.providers.base import Endpoint
from dursor.providers.call import load_adapter

PROVIDERS = {
    "responses": ("openai", "responses"),
    "chat": ("openai", "chat"),
    "messages": ("anthropic", None),
    "gemini": ("google", None),
}
WRONG = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from([10**300, -1, "\ud800", [], {}, [[]], [{}], {"": []}, [None], {"type": []}])
)


def endpoint_of(wire: str) -> Endpoint:
    provider, api = PROVIDERS[wire]
    return Endpoint(provider, "model-1", Secret("sk-1"), "http://127.0.0.1", api)


def answers_of(wire: str) -> list[list[tuple[str | None, dict[str, Any]]]]:
    """Return the events, (name, payload), of a reply with text, one with a call and an error."""
    error = {"type": "error", "error": {"type": "x", "code": "y", "details": [{"reason": "z"}]}}
    stream = tool_streams.ALL[wire]([Call("look", {"path": "x"})]).events
    raw = [streams.ALL[wire]("some text", 2), stream, [streams.event(error, "error")]]
    return [[one for event in answer for one in parsed(event)] for answer in raw]


def parsed(event: bytes) -> Iterator[tuple[str | None, dict[str, Any]]]:
    lines = event.decode().splitlines()
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    with suppress(KeyError, json.JSONDecodeError):
        yield fields.get("event"), json.loads(fields["data"])


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from places(value, (*path, key))


def replaced(payload: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(payload)
    node: Any = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return changed


ANSWERS = {wire: answers_of(wire) for wire in streams.ALL}
SPOTS = {
    wire: [
        (answer, i, path)
        for answer in answers
        for i, (_, payload) in enumerate(answer)
        for path in places(payload)
    ]
    for wire, answers in ANSWERS.items()
}


@pytest.mark.parametrize("wire", streams.ALL)
@given(data=st.data())
def test_no_wrong_type_in_a_stream_crashes(wire, data):
    answer, spot, path = data.draw(st.sampled_from(SPOTS[wire]))
    events = copy.copy(answer)
    events[spot] = (answer[spot][0], replaced(answer[spot][1], path, data.draw(WRONG)))
    decoder = load_adapter(endpoint_of(wire)).create_decoder()
    with suppress(CallError):
        read(events, decoder, endpoint_of(wire))
    if decoder.usage is not None:
        assert all(0 <= number < 2**63 for number in vars(decoder.usage).values())


def read(events, decoder, endpoint):
    """Read a reply as a call does; it may only raise CallError."""
    for name, payload in events:
        if decoder.progress is Progress.ENDED:
            break
        try:
            assert isinstance(decoder.read(name, payload, json.dumps(payload)), str)
        except ReportedError as error:
            raise classify(endpoint, error.payload).error from error
    decoder.finish()
    assert isinstance(decoder.calls_tools, bool)
    calls, items = decoder.collect_output()
    assert all(isinstance(one.name, str) for one in calls)
    assert all(isinstance(one, str) for one in items)


@pytest.mark.parametrize("wire", ["responses", "messages"])
@pytest.mark.parametrize("kind", [[], {}, 7, True])
def test_an_event_type_that_is_not_a_string_is_a_provider_error(wire, kind):
    payload = {"type": kind}
    decoder = load_adapter(endpoint_of(wire)).create_decoder()
    with pytest.raises(ProviderError, match="whose type is not a string"):
        decoder.read(None, payload, json.dumps(payload))


@pytest.mark.parametrize(
    ("counts", "known"),
    [
        ({"input_tokens": -5, "output_tokens": "12"}, None),
        (
            {
                "input_tokens": 10,
                "input_tokens_details": {"cached_tokens": 99, "cache_write_tokens": 1},
                "output_tokens": 5,
                "output_tokens_details": {"reasoning_tokens": 6},
            },
            Usage(10, 10, 5, 5, 0),
        ),
    ],
)
def test_impossible_counts_are_ignored(counts, known):
    decoder = ResponsesDecoder()
    event = {"type": "response.completed", "response": {"usage": counts}}
    decoder.read(None, event, json.dumps(event))
    assert decoder.usage == known
