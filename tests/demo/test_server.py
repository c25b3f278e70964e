"""The practice server byte by byte: HTTP, and what the SDKs are too kind to notice."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dursor.demo import routes
from dursor.demo.exchange import THOUGHT, Practice, PracticeRequest, tokens
from dursor.demo.http1 import HttpRequest
from dursor.demo.server import PRACTICE_KEY, VENDORS, PracticeServer
from dursor.domain import ProviderName, Role
from dursor.providers.base import Turn

OPENAI = {"authorization": f"Bearer {PRACTICE_KEY}"}
ANTHROPIC = {"x-api-key": PRACTICE_KEY, "anthropic-version": "2026-10-21"}
GOOGLE = {"x-goog-api-key": PRACTICE_KEY}
SAY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
MESSAGE = SAY | {"max_tokens": 1000}
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
GEMINI = "/v1beta/models/m"
PART = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}


def hello(request: PracticeRequest) -> str:
    return "hello\u2028world"


@pytest.fixture(scope="module")
def server() -> Iterator[PracticeServer]:
    with PracticeServer({"m": hello}, piece=4) as server:
        yield server


def ask(
    server: PracticeServer,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    method: str = "POST",
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    try:
        connection.request(method, path, data, headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def say(server: PracticeServer, sent: bytes) -> bytes:
    """Send raw bytes and read until the server closes."""
    with dial(server) as line:
        line.sendall(sent)
        received = b""
        while data := line.recv(65536):
            received += data
        return received


def dial(server: PracticeServer) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def post(path: str, body: Any, headers: dict[str, str], *, close: bool = True) -> bytes:
    data = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "host: x", f"content-length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if close:
        lines.append("connection: close")
    return "\r\n".join([*lines, "", ""]).encode() + data


def events(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in body.splitlines() if line.startswith(b"data: {")]


def test_one_connection_carries_many_requests(server: PracticeServer) -> None:
    one = post("/v1/chat/completions", SAY, OPENAI, close=False)
    streamed = post("/v1/chat/completions", SAY | {"stream": True}, OPENAI, close=False)
    last = post("/v1/chat/completions", SAY, OPENAI)
    received = say(server, one + streamed + last)  # pipelined, too
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert received.count(b"connection: keep-alive") == 2
    assert received.count(b"\r\n0\r\n\r\n") == 1


def test_a_body_may_come_in_chunks(server: PracticeServer) -> None:
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue"
        f"\r\nAuthorization: Bearer {PRACTICE_KEY}\r\nConnection: close\r\n\r\n"
    )
    data = json.dumps(SAY).encode()
    cut = len(data) // 2
    chunks = b"%x;x=y\r\n%b\r\n%X\r\n%b\r\n0\r\nTrailer: z\r\n\r\n" % (
        cut,
        data[:cut],
        len(data) - cut,
        data[cut:],
    )
    received = say(server, head.encode() + chunks)
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_an_old_client_gets_its_stream_unframed(server: PracticeServer) -> None:
    sent = post("/v1/chat/completions", SAY | {"stream": True}, OPENAI, close=False)
    received = say(server, sent.replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert b"transfer-encoding" not in received
    assert received.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET //[?%ff=%&&=== HTTP/1.1\r\nconnection: close\r\n\r\n", 404),
        (b"POST / HTTP/1.1\r\ncontent-length: %b\r\n\r\n" % (b"9" * 5000), 400),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (b"GET /v1/models HTTP/1.1\r\n" + b"a: %b\r\n\r\n" % (b"b" * 70_000), 431),
        (b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n-5\r\n", 400),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabcd\r\n", 400),
    ],
)
def test_what_cannot_be_read_is_refused(server: PracticeServer, sent: bytes, status: int) -> None:
    head, _, body = say(server, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close" in head
    assert json.loads(body)["error"]["message"]


@pytest.mark.parametrize(
    "sent", [b"POST /v1/responses HTTP/1.1\r\n", b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nx"]
)
def test_a_request_that_ends_early_is_refused(server: PracticeServer, sent: bytes) -> None:
    with dial(server) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        assert line.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_head_gets_no_body(server: PracticeServer) -> None:
    received = say(server, b"HEAD /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 405 ")
    assert received.endswith(b"\r\n\r\n")


def test_errors_come_in_each_vendors_words(server: PracticeServer) -> None:
    status, _, body = ask(server, "/v1/nothing", {}, OPENAI)
    assert (status, json.loads(body)["error"]["type"]) == (404, "invalid_request_error")
    status, _, body = ask(server, "/v1/responses", None, OPENAI, "GET")
    assert (status, json.loads(body)["error"]["code"]) == (405, "method_not_supported")
    status, _, body = ask(server, "/v1/messages/nothing", {}, ANTHROPIC)
    assert (status, json.loads(body)["error"]["type"]) == (404, "not_found_error")
    status, _, body = ask(server, "/v1beta/nothing", {}, GOOGLE)
    assert (status, json.loads(body)["error"]["status"]) == (404, "NOT_FOUND")
    for path, headers in (
        ("/v1/responses", OPENAI),
        ("/v1/messages", ANTHROPIC),
        (f"{GEMINI}:generateContent", GOOGLE),
    ):
        assert ask(server, path, b"{", headers)[0] == 400
        assert ask(server, path, b"[]", headers)[0] == 400


def test_a_page_is_asked_for_in_numbers(server: PracticeServer) -> None:
    for number in ("x", "-1", "9" * 5000):
        assert ask(server, f"/v1/models?limit={number}", None, ANTHROPIC, "GET")[0] == 400
        assert ask(server, f"/v1beta/models?pageSize={number}", None, GOOGLE, "GET")[0] == 400
        assert ask(server, f"/v1beta/models?pageToken={number}", None, GOOGLE, "GET")[0] == 400


def test_a_missing_key_is_refused_by_every_vendor(server: PracticeServer) -> None:
    status, _, body = ask(server, "/v1/responses", {})
    assert (status, json.loads(body)["error"]["code"]) == (401, None)
    status, _, body = ask(server, "/v1/messages", {})
    assert (status, json.loads(body)["error"]["type"]) == (401, "authentication_error")
    status, _, body = ask(server, f"{GEMINI}:generateContent", {})
    assert (status, json.loads(body)["error"]["status"]) == (403, "PERMISSION_DENIED")
    status, _, body = ask(server, "/v1/models", None, {"anthropic-version": "2026-10-21"}, "GET")
    assert (status, json.loads(body)["type"]) == (401, "error")


def test_a_responses_stream_names_and_numbers_its_events(server: PracticeServer) -> None:
    asked = {"model": "m", "input": "hi", "stream": True}
    _, headers, body = ask(server, "/v1/responses", asked, OPENAI)
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["x-request-id"]
    named = [line[7:].decode() for line in body.splitlines() if line.startswith(b"event: ")]
    said = events(body)
    assert named == [event["type"] for event in said]
    assert [event["sequence_number"] for event in said] == list(range(len(said)))
    assert [name for name in named if name != "response.output_text.delta"] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert b"[DONE]" not in body
    assert b"\\u2028" in body  # JSON on one line, whatever splits lines


def test_a_message_stream_pads_pings_and_signs(server: PracticeServer) -> None:
    asked = MESSAGE | {"stream": True, "thinking": {"type": "adaptive", "display": "summarized"}}
    _, headers, body = ask(server, "/v1/messages", asked, ANTHROPIC)
    said = events(body)
    kinds = [event["type"] for event in said if event["type"] != "content_block_delta"]
    assert kinds == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_stop",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    deltas = [event["delta"]["type"] for event in said if event["type"] == "content_block_delta"]
    assert deltas == ["thinking_delta", "signature_delta", *["text_delta"] * 3]
    assert said[0]["message"]["usage"]["output_tokens"] > 0
    assert any(line.endswith(b"} ") for line in body.split(b"\n"))
    assert headers["request-id"]
    assert b"[DONE]" not in body


def test_gemini_streams_events_with_crlf_or_an_array(server: PracticeServer) -> None:
    _, _, body = ask(server, f"{GEMINI}:streamGenerateContent?alt=sse", CONTENTS, GOOGLE)
    assert body.endswith(b"}\r\n\r\n")
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert b"event:" not in body
    chunks = events(body)
    assert all("usageMetadata" in chunk for chunk in chunks)
    _, headers, body = ask(server, f"{GEMINI}:streamGenerateContent", CONTENTS, GOOGLE)
    assert headers["content-type"] == "application/json; charset=UTF-8"
    listed = json.loads(body)
    assert [c["candidates"] for c in listed][:-1] == [c["candidates"] for c in chunks][:-1]
    status, _, body = ask(server, f"{GEMINI}:streamGenerateContent", {}, GOOGLE)
    assert (status, json.loads(body)[0]["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_an_answer_cut_before_its_first_word(server: PracticeServer) -> None:
    limit = tokens(THOUGHT)
    config = {"generationConfig": {"maxOutputTokens": limit}}
    _, _, body = ask(server, f"{GEMINI}:generateContent", CONTENTS | config, GOOGLE)
    candidate = json.loads(body)["candidates"][0]
    assert (candidate["finishReason"], candidate["content"]) == ("MAX_TOKENS", {"role": "model"})
    _, _, body = ask(server, "/v1/messages", MESSAGE | {"max_tokens": limit}, ANTHROPIC)
    message = json.loads(body)
    assert [block["type"] for block in message["content"]] == ["thinking"]
    assert message["stop_reason"] == "max_tokens"
    asked = {"model": "m", "input": "hi", "max_output_tokens": limit, "stream": True}
    _, _, body = ask(server, "/v1/responses", asked, OPENAI)
    assert events(body)[-1]["type"] == "response.incomplete"
    asked = SAY | {"max_tokens": limit, "stream": True}
    _, _, body = ask(server, "/v1/chat/completions", asked, OPENAI)
    assert events(body)[-1]["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/v1/responses", {"model": "m", "input": "hi", "top_k": 1}, OPENAI),
        ("/v1/responses", {"model": "m", "input": "hi", "max_output_tokens": 3}, OPENAI),
        ("/v1/responses", {"model": "m", "input": "hi", "reasoning": {"effort": "no"}}, OPENAI),
        ("/v1/responses", {"model": "m", "input": [{"role": "robot", "content": "x"}]}, OPENAI),
        ("/v1/responses", {"model": "m"}, OPENAI),
        ("/v1/chat/completions", SAY | {"max_tokens": 9, "max_completion_tokens": 9}, OPENAI),
        ("/v1/chat/completions", SAY | {"input": "x"}, OPENAI),
        ("/v1/chat/completions", {"model": "m", "messages": []}, OPENAI),
        ("/v1/messages", SAY, ANTHROPIC),  # without max_tokens
        ("/v1/messages", MESSAGE | {"top_p": 1}, ANTHROPIC),
        ("/v1/messages", MESSAGE | {"thinking": {"type": "disabled"}}, ANTHROPIC),
        ("/v1/messages", MESSAGE | {"tool_choice": {"type": "any"}}, ANTHROPIC),
        ("/v1/messages", MESSAGE | {"output_config": {"effort": "least"}}, ANTHROPIC),
        ("/v1/messages", MESSAGE | {"instructions": "x"}, ANTHROPIC),
        ("/v1/messages", MESSAGE, {"x-api-key": PRACTICE_KEY}),  # without a version
        (
            "/v1/messages",
            MESSAGE | {"messages": [*SAY["messages"], {"role": "assistant", "content": "So"}]},
            ANTHROPIC,
        ),
        ("/v1/messages", MESSAGE, ANTHROPIC | {"anthropic-version": "2020-01-01"}),
        ("/v1/messages", MESSAGE | {"messages": []}, ANTHROPIC),
        ("/v1/messages", MESSAGE | {"messages": [{"role": "robot", "content": "x"}]}, ANTHROPIC),
        ("/v1/messages", MESSAGE | {"messages": [{"role": "user", "content": ""}]}, ANTHROPIC),
        ("/v1/messages", MESSAGE | {"system": [PART] * 5}, ANTHROPIC),  # four may be marked
        ("/v1/messages", MESSAGE | {"max_tokens": 0}, ANTHROPIC),
        ("/v1/messages", MESSAGE | {"max_tokens": 999_999}, ANTHROPIC),
        ("/v1/chat/completions", SAY | {"max_tokens": 0}, OPENAI),
        ("/v1/chat/completions", SAY | {"messages": [{"role": "robot", "content": "x"}]}, OPENAI),
        (f"{GEMINI}:generateContent", CONTENTS | {"messages": []}, GOOGLE),
        (
            f"{GEMINI}:generateContent",
            CONTENTS | {"generationConfig": {"maxOutputTokens": 0}},
            GOOGLE,
        ),
        (
            f"{GEMINI}:generateContent",
            CONTENTS | {"generationConfig": {"thinkingConfig": {"thinkingLevel": "WILD"}}},
            GOOGLE,
        ),
        (f"{GEMINI}:generateContent", CONTENTS | {"generationConfig": {"effort": 1}}, GOOGLE),
        (f"{GEMINI}:generateContent", {"contents": [{"role": "assistant"}]}, GOOGLE),
        (
            f"{GEMINI}:generateContent",
            CONTENTS
            | {
                "generationConfig": {
                    "thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 1}
                }
            },
            GOOGLE,
        ),
    ],
)
def test_what_the_vendor_would_not_take_is_400(
    server: PracticeServer, path: str, body: Any, headers: dict[str, str]
) -> None:
    assert ask(server, path, body, headers)[0] == 400


def test_requests_are_recorded_as_understood() -> None:
    with PracticeServer({"m": hello}) as server:
        said = [
            {"role": "user", "content": "one"},
            {"role": "user", "content": [{"type": "text", "text": "two"}]},
            {"role": "assistant", "content": "three"},
            {"role": "user", "content": "four"},
        ]
        ask(server, "/v1/messages", MESSAGE | {"messages": said, "system": "S"}, ANTHROPIC)
        (request,) = server.requests
    assert (request.provider, request.api) == (ProviderName.ANTHROPIC, "messages")
    assert request.system == "S"
    assert request.turns == (
        Turn(Role.USER, "one\ntwo"),  # neighbours of one role are one turn
        Turn(Role.ASSISTANT, "three"),
        Turn(Role.USER, "four"),
    )
    assert "x-api-key" not in request.headers
    assert request.headers["anthropic-version"] == "2026-10-21"


def test_pieces_are_paced_and_a_reader_who_leaves_is_noticed() -> None:
    with PracticeServer({"m": lambda _: "x" * 100}, delay=0.02, piece=10) as server:
        started = time.monotonic()
        ask(server, "/v1/chat/completions", SAY | {"stream": True}, OPENAI)
        assert time.monotonic() - started > 0.02 * 10
        with dial(server) as line:
            line.sendall(post("/v1/chat/completions", SAY | {"stream": True}, OPENAI))
            assert line.recv(10) == b"HTTP/1.1 2"
        left = time.monotonic()
        while not server.abandoned and time.monotonic() < left + 5:
            time.sleep(0.005)  # the server notices in its own thread
        assert [request.path for request in server.abandoned] == ["/v1/chat/completions"]


def test_stopping_does_not_wait_for_a_stream() -> None:
    with PracticeServer({"m": lambda _: "x" * 100}, delay=30, piece=10) as server:
        line = dial(server)
        line.sendall(post("/v1/chat/completions", SAY | {"stream": True}, OPENAI))
        assert line.recv(10) == b"HTTP/1.1 2"
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 5
    line.close()


def test_an_answer_that_raises_is_heard_of() -> None:
    def broken(request: PracticeRequest) -> str:
        raise LookupError(request.model)

    def with_a_bug() -> None:
        with PracticeServer({"m": broken}) as server, pytest.raises(http.client.HTTPException):
            ask(server, "/v1/chat/completions", SAY, OPENAI)

    with pytest.raises(LookupError, match="m"):
        with_a_bug()


def test_only_what_is_marked_is_cached_by_anthropic() -> None:
    practice = Practice({"m": hello}, [PRACTICE_KEY], 10)
    marked = {"type": "text", "text": "x" * 400, "cache_control": {"type": "ephemeral"}}
    body = MESSAGE | {"system": [marked]}

    def usage(**changed: Any) -> tuple[int, int, int]:
        used = json.loads(told("/v1/messages", body | changed, practice)[1])["usage"]
        return (
            used["input_tokens"],
            used["cache_creation_input_tokens"],
            used["cache_read_input_tokens"],
        )

    assert usage() == (1, 100, 0)
    assert usage() == (1, 0, 100)
    assert usage(cache_control={"type": "ephemeral"}) == (0, 1, 100)
    assert usage(system="x" * 400) == (101, 0, 0)  # seen, but nothing asks for the cache


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
TURNS = [{"role": "user", "content": "hi"}, {"role": "user", "content": [PART]}]
FULL: list[tuple[str, dict[str, Any]]] = [
    (
        "/v1/responses",
        {
            "model": "m",
            "input": [*TURNS, {"type": "function_call_output", "output": "x"}],
            "instructions": "S",
            "max_output_tokens": 99,
            "reasoning": {"effort": "low"},
            "stream": True,
            "stream_options": {"include_obfuscation": False},
        },
    ),
    (
        "/v1/chat/completions",
        {
            "model": "m",
            "messages": TURNS,
            "max_tokens": 99,
            "stream": True,
            "stream_options": {"include_usage": True},
        },
    ),
    (
        "/v1/messages",
        {
            "model": "m",
            "messages": TURNS,
            "max_tokens": 99,
            "system": [PART],
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {"effort": "low"},
            "tool_choice": {"type": "auto"},
            "cache_control": {"type": "ephemeral"},
            "stream": True,
        },
    ),
    (
        f"{GEMINI}:streamGenerateContent",
        {
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "systemInstruction": {"parts": [{"text": "S"}]},
            "generationConfig": {
                "maxOutputTokens": 99,
                "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True},
            },
        },
    ),
]


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, Any]:
    """A body that every vendor takes, one place in it replaced by something else."""
    path, body = draw(st.sampled_from(FULL))
    body = json.loads(json.dumps(body))
    here: Any = body
    while True:
        places = list(here) if isinstance(here, dict) else range(len(here))
        place = draw(st.sampled_from(places))
        deeper = isinstance(here[place], dict | list) and len(here[place])
        if not (deeper and draw(st.booleans())):
            here[place] = draw(JSON)
            return path, body
        here = here[place]


def told(path: str, body: Any, practice: Practice | None = None) -> tuple[int, bytes]:
    """Status and whole body, without a socket."""
    practice = practice or Practice({"m": hello}, [PRACTICE_KEY], 10)
    headers = {"/v1/messages": ANTHROPIC}.get(path, OPENAI if path.startswith("/v1/") else GOOGLE)
    request = HttpRequest("POST", path, {}, headers, json.dumps(body).encode(), "HTTP/1.1")
    vendor = next(vendor for vendor in VENDORS if vendor.claims(request))
    response = routes.answer(vendor, request, practice)
    body = response.body
    return response.status, body if isinstance(body, bytes) else b"".join(body)


@pytest.mark.parametrize(("path", "body"), FULL)
def test_the_bodies_to_be_spoiled_are_good(path: str, body: Any) -> None:
    assert told(path, body)[0] == 200


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(spoiled())
def test_no_body_breaks_the_server(sent: tuple[str, Any]) -> None:
    status, body = told(*sent)
    assert status in {200, 400, 404}
    assert body
