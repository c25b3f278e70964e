"""Encrypted connections, and whom they trust."""

import datetime as dt
import ipaddress
import ssl

import pytest
import pytest_asyncio
from fakes import Heard, Script, ScriptedServer, paced
from wires import ALL

from dursor.errors import NetworkError
from dursor.providers.base import Limits
from dursor.providers.client import Client

ONCE = Limits(retries=0)


@pytest.fixture(autouse=True)
def no_certificates(monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


@pytest_asyncio.fixture(loop_scope="module")
async def client():
    """A client for each test: it remembers certificates."""
    client = Client()
    yield client
    await client.aclose()


def certificate(folder):
    """A self-signed certificate for 127.0.0.1: its file, and the context of a server with it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    today = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = folder / "cert.pem"
    public.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private = folder / "key.pem"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


@pytest.fixture
def secure(tmp_path):
    public, context = certificate(tmp_path)
    with ScriptedServer(context) as server:
        yield server, public


async def test_a_stream_over_tls(secure, endpoint, prompt, monkeypatch):
    server, public = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    server.on("", Script(paced(ALL["messages"]("ü" * 50, 50), 0.2)))
    client = Client()
    target = endpoint("messages", base_url=server.url)
    client.warm([target])
    for _ in range(2):
        assert (await client.answer(target, prompt, ONCE, Heard())).text == "ü" * 50
    await client.aclose()
    assert server.connections == 1


async def test_a_certificate_nobody_vouches_for(secure, endpoint, client, prompt):
    server, _ = secure
    with pytest.raises(NetworkError, match=r"cannot trust .*: self-signed") as caught:
        await client.answer(endpoint("messages", base_url=server.url), prompt, ONCE, Heard())
    assert "SSL_CERT_FILE" in caught.value.hint
    assert server.requests == []


async def test_no_certificates_at_all(secure, endpoint, client, prompt, monkeypatch, tmp_path):
    server, _ = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(NetworkError, match="trusted certificates"):
        await client.answer(endpoint("messages", base_url=server.url), prompt, ONCE, Heard())


async def test_plain_http_needs_no_certificates(server, endpoint, prompt, monkeypatch, tmp_path):
    """Neither a warm-up nor a call looks at them: what is not there would be an error."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    server.on("", Script(ALL["messages"]("whole")))
    client = Client()
    client.warm([endpoint("messages")])
    assert (await client.answer(endpoint("messages"), prompt, ONCE, Heard())).text == "whole"
    await client.aclose()


async def test_http_asked_of_a_tls_server(secure, endpoint, client, prompt):
    server, _ = secure
    target = endpoint("messages", base_url=server.url.replace("https:", "http:"))
    with pytest.raises(NetworkError):
        await client.answer(target, prompt, ONCE, Heard())
