"""The practice server: read by the vendors' own SDKs, and robust towards its clients."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dursor.demo import practice_server
from dursor.demo.practice_server import PRACTICE_KEY

REPLY = "Zwölf Leitern \u2028 and a 梯子.\n" * 3


def echo(body: str) -> str:
    """Reply with text from the request, so that no other request's reply passes."""
    assert "hi?" in body
    return REPLY + str(json.loads(body).get("model", "gemini"))


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    answers = {"gpt": echo, "claude": echo, "gemini": echo}
    with practice_server.serve(answers) as environment:
        yield environment


def read_openai(base_url: str) -> str:
    import openai

    with openai.OpenAI(api_key=PRACTICE_KEY, base_url=base_url, max_retries=0) as client:
        *events, last = client.responses.create(model="gpt", input="hi?", stream=True)
    assert last.response.usage.output_tokens == len(REPLY + "gpt") // 4
    return "".join(e.delta for e in events if e.type == "response.output_text.delta")


def read_anthropic(base_url: str) -> str:
    import anthropic

    messages = [{"role": "user", "content": "hi?"}]
    with (
        anthropic.Anthropic(api_key=PRACTICE_KEY, base_url=base_url, max_retries=0) as client,
        client.messages.stream(model="claude", max_tokens=99, messages=messages) as stream,
    ):
        message = stream.get_final_message()
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens == len(REPLY + "claude") // 4
    return message.content[0].text


def read_gemini(base_url: str) -> str:
    from google import genai
    from google.genai import types

    options = types.HttpOptions(base_url=base_url)
    with genai.Client(api_key=PRACTICE_KEY, http_options=options) as client:
        chunks = list(client.models.generate_content_stream(model="gemini", contents="hi?"))
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert chunks[-1].usage_metadata.candidates_token_count == len(REPLY + "gemini") // 4
    return "".join(chunk.text or "" for chunk in chunks)


READERS = {
    "gpt": (read_openai, "OPENAI_BASE_URL"),
    "claude": (read_anthropic, "ANTHROPIC_BASE_URL"),
    "gemini": (read_gemini, "GOOGLE_GEMINI_BASE_URL"),
}


@pytest.mark.parametrize("model", READERS)
def test_the_vendors_sdk_reads_its_stream(model: str, environment: dict[str, str]) -> None:
    read, variable = READERS[model]
    assert read(environment[variable]) == REPLY + model


def post(environment: dict[str, str]) -> socket.socket:
    """Send a request to Anthropic's endpoint and return the open connection."""
    host, port = environment["ANTHROPIC_BASE_URL"].removeprefix("http://").split(":")
    assert host == "127.0.0.1"
    connection = socket.create_connection((host, int(port)), timeout=10)
    body = b'{"model": "claude", "messages": "hi?"}'
    connection.sendall(b"POST /v1/messages HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body))
    connection.sendall(body)
    return connection


def read_all(connection: socket.socket) -> bytes:
    with connection, connection.makefile("rb") as file:
        return file.read()


def test_streams_run_side_by_side() -> None:
    with practice_server.serve({"claude": echo}, delay=0.03) as environment:
        started = time.monotonic()
        with ThreadPoolExecutor(3) as pool:
            streams = list(pool.map(lambda _: read_all(post(environment)), range(3)))
        seconds = time.monotonic() - started
    pauses = streams[0].count(b"data: ") * 0.03
    assert pauses <= seconds < 2 * pauses
    assert all(stream.endswith(b'data: {"type": "message_stop"}\n\n') for stream in streams)


def test_a_client_may_disconnect(capfd: pytest.CaptureFixture[str]) -> None:
    with practice_server.serve({"claude": echo}, delay=0.02) as environment:
        with post(environment) as connection:
            connection.recv(1)
        assert read_all(post(environment)).startswith(b"HTTP/1.1 200 OK\r\n")
    assert capfd.readouterr() == ("", "")


def test_it_stops_without_waiting_for_a_stream() -> None:
    with practice_server.serve({"claude": echo}, delay=30) as environment:
        connection = post(environment)
        connection.recv(1)
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 5
    connection.close()
    with pytest.raises(ConnectionRefusedError):
        post(environment)
