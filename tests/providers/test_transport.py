"""Connections: reused, closed, encrypted, proxied."""

import asyncio
import contextlib
import gzip
import time

import pytest
import pytest_asyncio
from vendors.server import Action, RecordingListener, Script, pace
from vendors.streams import ALL, PATHS

from dursor.errors import DeadlineError, NetworkError, ProviderError, UsageError
from dursor.providers.base import CallLimits
from dursor.providers.client import ModelClient
from dursor.providers.transport import find_proxy, parse_url

ONCE = CallLimits(retries=0)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest_asyncio.fixture(loop_scope="module")
async def client():
    """A client for each test: it remembers connections, proxies and certificates."""
    client = ModelClient()
    yield client
    await client.aclose()


@pytest.mark.parametrize("wire", ALL)
async def test_a_connection_is_reused(wire, server, endpoint, client, prompt):
    server.script(PATHS[wire], Script(ALL[wire]("whole")))
    for _ in range(3):
        await client.ask(endpoint(wire), prompt, ONCE, RecordingListener())
    assert (server.connections, len(server.requests)) == (1, 3)


async def test_a_closed_connection_is_not_reused(server, endpoint, client, prompt):
    server.script("", Script(ALL["responses"]("whole"), framing="close"))
    for _ in range(3):
        await client.ask(endpoint("responses"), prompt, ONCE, RecordingListener())
    assert server.connections == 3


async def test_a_connection_closed_on_reuse_is_replaced(server, endpoint, client, prompt):
    whole = Script(ALL["responses"]("whole"))
    server.script("", whole, Script([Action.CUT], framing="raw"), whole)
    for _ in range(2):
        await client.ask(endpoint("responses"), prompt, CallLimits(), RecordingListener())
    assert (server.connections, len(server.requests)) == (2, 3)


async def test_a_connection_with_unread_data_is_not_reused(server, endpoint, client, prompt):
    server.script("", Script([*ALL["responses"]("whole"), 0.2, b"data: late\n\n"]))
    for _ in range(2):
        reply = await client.ask(endpoint("responses"), prompt, ONCE, RecordingListener())
        assert reply.text == "whole"
    assert server.connections == 2


async def test_a_connection_with_unexpected_data_is_not_reused(server, endpoint, client, prompt):
    data = b"".join(ALL["responses"]("whole"))
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(data)
    server.script(
        "", Script([head + data, 0.1, b"HTTP/1.1 200 OK\r\n", Action.HOLD], framing="raw")
    )
    await client.ask(endpoint("responses"), prompt, ONCE, RecordingListener())
    await asyncio.sleep(0.2)
    await client.ask(endpoint("responses"), prompt, ONCE, RecordingListener())
    assert server.connections == 2


async def test_a_cancelled_call_closes_its_connection_at_once(server, endpoint, client, prompt):
    server.script("", Script([*ALL["messages"]("half")[:9], Action.HOLD]))
    started = asyncio.Event()

    class Waiting(RecordingListener):
        def on_delta(self, text):
            started.set()

    task = asyncio.create_task(client.ask(endpoint("messages"), prompt, CallLimits(), Waiting()))
    await started.wait()
    cancelled = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await server.wait_until(lambda s: len(s.disconnects) == 1)
    assert server.disconnects[0] - cancelled < 1.0


async def test_a_call_cancelled_before_its_headers_closes_its_connection(
    server, endpoint, client, prompt
):
    server.script("", Script([Action.HOLD], framing="raw"))
    task = asyncio.create_task(
        client.ask(endpoint("messages"), prompt, CallLimits(), RecordingListener())
    )
    assert await server.wait_until(lambda s: len(s.requests) == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await server.wait_until(lambda s: len(s.disconnects) == 1, 1.0)


async def test_many_streams_at_once(server, endpoint, client, prompt):
    for wire in ALL:
        server.script(PATHS[wire], Script(pace(ALL[wire]("abc" * 40, 40), 0.2)))
    wires = [wire for wire in ALL for _ in range(15)]
    start = time.monotonic()
    replies = await asyncio.gather(
        *(client.ask(endpoint(wire), prompt, ONCE, RecordingListener()) for wire in wires)
    )
    assert {reply.text for reply in replies} == {"abc" * 40}
    assert time.monotonic() - start < 6.0  # one after another they take 12 s


async def test_a_slow_listener_loses_nothing(server, endpoint, client, prompt):
    class Slow(RecordingListener):
        def on_delta(self, text):
            super().on_delta(text)
            time.sleep(0.002)  # blocks the event loop

    text = "0123456789" * 100_000
    server.script("", Script(ALL["responses"](text, 200)))
    assert (await client.ask(endpoint("responses"), prompt, ONCE, Slow())).text == text


async def test_a_large_prompt_to_a_slow_server(server, endpoint, client):
    from dursor.domain import Role
    from dursor.providers.base import Prompt, Turn

    server.script("", Script(ALL["responses"]("whole")))
    prompt = Prompt("", (Turn(Role.USER, "x" * 8_000_000),))
    await client.ask(endpoint("responses"), prompt, ONCE, RecordingListener())
    assert server.requests[0].json["input"][0]["content"] == "x" * 8_000_000


async def test_a_response_before_the_request_is_sent(endpoint, client):
    from dursor.domain import Role
    from dursor.errors import ContextTooLargeError
    from dursor.providers.base import Prompt, Turn

    closed = asyncio.Event()

    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        with contextlib.suppress(ConnectionError):
            await writer.drain()
            writer.write_eof()
            while await reader.read(1 << 16):
                pass
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        closed.set()

    listener = await asyncio.start_server(refuse, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
    prompt = Prompt("", (Turn(Role.USER, "x" * 4_000_000),))
    with pytest.raises(ContextTooLargeError):
        await client.ask(endpoint("responses", base_url=url), prompt, ONCE, RecordingListener())
    await closed.wait()
    listener.close()
    await listener.wait_closed()


async def test_redirects_are_not_followed(server, endpoint, client, prompt):
    server.script("/elsewhere", Script(ALL["responses"]("stolen")))
    server.script("", Script.error(307, {}, location=f"{server.url}/elsewhere"))
    with pytest.raises(ProviderError, match="307"):
        await client.ask(endpoint("responses"), prompt, CallLimits(), RecordingListener())
    assert len(server.requests) == 1


async def test_an_interim_response_is_skipped(server, endpoint, client, prompt):
    data = b"".join(ALL["responses"]("whole"))
    final = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(data)
    script = Script([b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", final + data], framing="raw")
    server.script("", script)
    assert (
        await client.ask(endpoint("responses"), prompt, ONCE, RecordingListener())
    ).text == "whole"


async def test_an_unrequested_compression_is_read(server, endpoint, client, prompt):
    body = gzip.compress(b"".join(ALL["messages"]("whole")))
    headers = {"content-type": "text/event-stream", "content-encoding": "gzip"}
    server.script("", Script([body[:50], body[50:]], headers=headers))
    assert (
        await client.ask(endpoint("messages"), prompt, ONCE, RecordingListener())
    ).text == "whole"


async def test_limits_apply_to_a_compression_bomb(server, endpoint, client, prompt):
    headers = {"content-type": "text/event-stream", "content-encoding": "gzip"}
    server.script("", Script([gzip.compress(b"\n" * (96 << 20))], headers=headers))
    with pytest.raises(DeadlineError, match="total limit"):
        await client.ask(endpoint("messages"), prompt, CallLimits(total=0.3), RecordingListener())


async def test_a_body_that_cannot_be_decoded_is_an_error(server, endpoint, client, prompt):
    headers = {"content-type": "text/event-stream", "content-encoding": "gzip"}
    server.script("", Script([b"no gzip at all"], headers=headers))
    with pytest.raises(ProviderError, match="decoded"):
        await client.ask(endpoint("messages"), prompt, CallLimits(), RecordingListener())


@pytest.mark.parametrize(
    "junk", [b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"\x00\x01\x02\r\n\r\n", b"HTTP/1.1 2000 X\r\n\r\n"]
)
async def test_invalid_http_is_a_provider_error(junk, server, endpoint, client, prompt):
    server.script("", Script([junk, Action.HOLD], framing="raw"))
    with pytest.raises(ProviderError, match="HTTP"):
        await client.ask(endpoint("messages"), prompt, CallLimits(), RecordingListener())


async def test_text_before_a_broken_chunk_counts(server, endpoint, client, prompt):
    events = b"".join(ALL["messages"]("half")[:9])
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%b\r\n" % (len(events), events)
    server.script("", Script([head + chunk + b"no size\r\n", Action.HOLD], framing="raw"))
    listener = RecordingListener()
    with pytest.raises(ProviderError, match="HTTP"):
        await client.ask(endpoint("messages"), prompt, CallLimits(), listener)
    assert listener.text


async def test_endless_headers_are_cut_off(server, endpoint, client, prompt):
    lines = [b"x-%d: %b\r\n" % (i, b"y" * 1000) for i in range(500)]
    server.script("", Script([b"HTTP/1.1 200 OK\r\n", *lines, Action.HOLD], framing="raw"))
    with pytest.raises(ProviderError, match="HTTP"):
        await client.ask(endpoint("messages"), prompt, ONCE, RecordingListener())


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1/v1",
        "ftp://x/v1",
        "api.openai.com/v1",
        "http://",
        "https://me:secret@x/v1",
        "http://x:99999/v1",
    ],
)
async def test_an_unsupported_base_url(url, endpoint, client, prompt):
    with pytest.raises(UsageError, match="base URL") as caught:
        await client.ask(
            endpoint("responses", base_url=url), prompt, CallLimits(), RecordingListener()
        )
    assert "secret" not in str(caught.value)


def test_the_environment_s_proxy_is_not_used_for_this_machine(monkeypatch):
    assert find_proxy("https", "api.openai.com", 443) is None
    monkeypatch.setenv("HTTPS_PROXY", "proxy.corp:3128")
    monkeypatch.setenv("NO_PROXY", "internal.corp")
    assert find_proxy("https", "api.openai.com", 443) == "http://proxy.corp:3128"
    assert find_proxy("http", "api.openai.com", 80) is None
    assert find_proxy("https", "llm.internal.corp", 443) is None
    assert find_proxy("https", "127.0.0.1", 443) is None
    assert find_proxy("https", "app.localhost", 443) is None
    monkeypatch.setenv("ALL_PROXY", "http://all:1")
    assert find_proxy("http", "api.openai.com", 80) == "http://all:1"


async def test_a_call_goes_through_the_proxy(server, endpoint, client, prompt, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.script("http://api.example.test/v1/responses", Script(ALL["responses"]("by proxy", 3)))
    target = endpoint("responses", base_url="http://api.example.test/v1")
    reply = await client.ask(target, prompt, ONCE, RecordingListener())
    assert reply.text == "by proxy"
    assert server.requests[0].headers["host"] == "api.example.test"


async def test_a_stream_through_a_proxy_can_be_cut(server, endpoint, client, prompt, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.script("", Script([*ALL["responses"]("x")[:-1], 0.05, Action.CUT]))
    target = endpoint("responses", base_url="http://api.example.test/v1")
    with pytest.raises(NetworkError, match="cut"):
        await client.ask(target, prompt, ONCE, RecordingListener())


async def test_an_unreachable_proxy(endpoint, client, prompt, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    target = endpoint("responses", base_url="http://api.example.test/v1")
    with pytest.raises(NetworkError, match="cannot connect"):
        await client.ask(target, prompt, ONCE, RecordingListener())


async def test_an_unsupported_proxy_is_reported(endpoint, client, prompt, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5://user:hidden@127.0.0.1:9")
    target = endpoint("responses", base_url="http://api.example.test/v1")
    with pytest.raises(UsageError, match="proxy") as caught:
        await client.ask(target, prompt, ONCE, RecordingListener())
    assert "hidden" not in str(caught.value)


def test_a_url_keeps_its_parts():
    assert (
        str(parse_url("https://x.example:8443/a/b?alt=sse")) == "https://x.example:8443/a/b?alt=sse"
    )
