"""Encrypted connections and trusted certificates."""

import pytest
import pytest_asyncio
from certificates import make_certificate
from vendors.server import RecordingListener, Script, ScriptedServer, pace
from vendors.streams import ALL

from dursor.errors import NetworkError
from dursor.providers.base import CallLimits
from dursor.providers.client import ModelClient

ONCE = CallLimits(retries=0)


@pytest.fixture(autouse=True)
def no_certificates(monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


@pytest_asyncio.fixture(loop_scope="module")
async def client():
    """A client for each test: it remembers certificates."""
    client = ModelClient()
    yield client
    await client.aclose()


@pytest.fixture
def secure(tmp_path):
    public, context = make_certificate(tmp_path)
    with ScriptedServer(context) as server:
        yield server, public


async def test_a_stream_over_tls(secure, endpoint, prompt, monkeypatch):
    server, public = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    server.script("", Script(pace(ALL["messages"]("ü" * 50, 50), 0.2)))
    client = ModelClient()
    target = endpoint("messages", base_url=server.url)
    client.warm([target])
    for _ in range(2):
        assert (await client.ask(target, prompt, ONCE, RecordingListener())).text == "ü" * 50
    await client.aclose()
    assert server.connections == 1


async def test_an_untrusted_certificate(secure, endpoint, client, prompt):
    server, _ = secure
    with pytest.raises(
        NetworkError, match=r"cannot verify the certificate of .*: self-signed"
    ) as caught:
        await client.ask(
            endpoint("messages", base_url=server.url), prompt, ONCE, RecordingListener()
        )
    assert "SSL_CERT_FILE" in caught.value.hint
    assert server.requests == []


async def test_no_certificates_at_all(secure, endpoint, client, prompt, monkeypatch, tmp_path):
    server, _ = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(NetworkError, match="trusted certificates"):
        await client.ask(
            endpoint("messages", base_url=server.url), prompt, ONCE, RecordingListener()
        )


async def test_plain_http_needs_no_certificates(server, endpoint, prompt, monkeypatch, tmp_path):
    """Neither a warm-up nor a call reads them: a missing file would be an error."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    server.script("", Script(ALL["messages"]("whole")))
    client = ModelClient()
    client.warm([endpoint("messages")])
    assert (
        await client.ask(endpoint("messages"), prompt, ONCE, RecordingListener())
    ).text == "whole"
    await client.aclose()


async def test_http_to_a_tls_server(secure, endpoint, client, prompt):
    server, _ = secure
    target = endpoint("messages", base_url=server.url.replace("https:", "http:"))
    with pytest.raises(NetworkError):
        await client.ask(target, prompt, ONCE, RecordingListener())
