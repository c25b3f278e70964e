from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dursor.providers.chunked import ChunkedError, ChunkedReader


def read(*pieces: bytes) -> tuple[bytes, bool, bytes]:
    reader = ChunkedReader()
    body = b"".join(reader.feed(piece) for piece in pieces)
    return body + reader.feed(b""), reader.ended, reader.rest


def peer(data: bytes) -> tuple[bytes, bool] | None:
    """What h11 makes of the same bytes; None when it refuses them."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + data)
    connection.next_event()
    body = b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Data):
                body += event.data
            else:
                return body, isinstance(event, h11.EndOfMessage)
    except h11.RemoteProtocolError:
        return None


def test_a_body():
    stream = b"4\r\nWiki\r\n5;name=value\r\npedia\r\n00E \r\n in\r\n\r\nchunks.\r\n0\r\n\r\n"
    assert read(stream) == (b"Wikipedia in\r\n\r\nchunks.", True, b"")


def test_what_comes_before_an_error_comes_first():
    reader = ChunkedReader()
    assert reader.feed(b"2\r\nhi\r\nnonsense\r\n") == b"hi"
    for _ in range(2):
        with pytest.raises(ChunkedError):
            reader.feed(b"")


def test_trailers_and_what_comes_after():
    assert read(b"1\r\nx\r\n0\r\nx-sum: 1\r\ny: 2\r\n\r\nHTTP/1.1") == (b"x", True, b"HTTP/1.1")
    assert read(b"0\r\n\r\n", b"HT", b"TP") == (b"", True, b"HTTP")


@pytest.mark.parametrize(
    "stream",
    [
        b"\r\n",
        b"x\r\n",
        b"-1\r\n",
        b"+1\r\nx\r\n",
        b"0x1\r\nx\r\n",
        b"1_0\r\n",
        b" 1\r\nx",
        b"11111111111111111\r\n",
        b"1\r\nxy\r\n",
        b"1\r\nx0\r\n\r\n",
        b"1\r\nx\n0\r\n",
        b"1" * 10_000,
        b"1;" + b"e" * 10_000,
        b"0\r\n" + b"a: b\r\n" * 20_000,
    ],
)
def test_what_is_not_chunked(stream):
    with pytest.raises(ChunkedError):
        read(stream)


BODIES = st.lists(st.binary(min_size=1, max_size=30), max_size=6)


def chunked(chunks: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"


@given(BODIES, st.data())
def test_any_cutting_gives_the_same_body(chunks, data):
    stream = chunked(chunks)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    pieces = [stream[a:b] for a, b in pairwise([0, *cuts, len(stream)])]
    assert read(*pieces) == (b"".join(chunks), True, b"")
    assert read(*(bytes([byte]) for byte in stream)) == (b"".join(chunks), True, b"")


@given(BODIES, st.integers(0, 200), st.sampled_from([b"", b"\r", b"\n", b"0", b";", b"z", b" "]))
def test_what_h11_refuses_is_refused_and_what_it_reads_is_read_alike(chunks, at, junk):
    stream = chunked(chunks)
    stream = stream[:at] + junk + stream[at + 1 :]
    theirs = peer(stream)
    try:
        body, ended, _ = read(stream)
    except ChunkedError:
        assert theirs is None or not theirs[1]  # h11 may still wait for more where we know better
    else:
        assert theirs is None or theirs == (body, ended)
        assert theirs is not None or not ended
