import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dursor.providers.sse import Event, EventTooLargeError, SseReader


def read(*chunks: bytes) -> list[Event]:
    reader = SseReader()
    return [event for chunk in chunks for event in reader.feed(chunk)] + reader.close()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_ends_a_line(end):
    stream = end.join([b"event: one", b'data: {"a":1}', b"", b"data: 2", b"", b""])
    assert read(stream) == [Event("one", b'{"a":1}'), Event(None, b"2")]


def test_a_line_end_split_between_chunks_is_one_line_end():
    assert read(b"data: 1\r", b"\ndata: 2\r", b"\n\r", b"\n") == [Event(None, b"1\n2")]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_other_separators_are_data(separator):
    text = json.dumps({"text": f"a{separator}b"}, ensure_ascii=False)
    assert read(f"data: {text}\n\n".encode()) == [Event(None, text.encode())]


def test_comments_and_unknown_fields_are_skipped():
    assert read(b": ping\nid: 7\nretry: 1\nnonsense\ndata: x\n\n") == [Event(None, b"x")]


def test_several_data_lines_are_joined_by_newlines():
    assert read(b"data: a\ndata\ndata:b\ndata:  c\n\n") == [Event(None, b"a\n\nb\n c")]


def test_an_event_without_data_is_skipped_with_its_name():
    assert read(b"event: ping\n\ndata: x\n\n") == [Event(None, b"x")]


def test_the_name_is_stripped_and_padding_after_the_data_is_kept():
    assert read(b"event:  delta  \ndata: {}   \n\n") == [Event("delta", b"{}   ")]


def test_a_byte_order_mark_is_skipped():
    assert read(b"\xef\xbb", b"\xbfdata: x\n\n") == [Event(None, b"x")]


@pytest.mark.parametrize("tail", [b"", b"\n"])
def test_the_end_of_the_stream_ends_an_event(tail):
    assert read(b"data: [DONE]" + tail) == [Event(None, b"[DONE]")]


def test_a_character_split_between_chunks():
    data = "data: ü€😀\n\n".encode()
    assert read(data[:8], data[8:11], data[11:]) == [Event(None, "ü€😀".encode())]


@pytest.mark.parametrize("stream", [b"data: " + b"x" * 200, b"data: 0123456789\n" * 20])
def test_an_event_s_size_is_limited(stream):
    reader = SseReader(max_event=100)
    pieces = [stream[i : i + 7] for i in range(0, len(stream), 7)]
    with pytest.raises(EventTooLargeError):
        [reader.feed(piece) for piece in pieces]


def test_the_limit_applies_to_each_event():
    reader = SseReader(max_event=100)
    assert sum(len(reader.feed(b"data: " + b"x" * 80 + b"\n\n")) for _ in range(50)) == 50


def test_a_long_event_in_tiny_pieces_takes_linear_time():
    reader, piece = SseReader(), b"x" * 4
    reader.feed(b"data: ")
    for _ in range(200_000):  # a reader that joins at every piece would copy 80 GB
        reader.feed(piece)
    assert reader.feed(b"\n\n") == [Event(None, piece * 200_000)]


PARTS = st.sampled_from(
    [b"\n", b"\r\n", b"\r", b"data:", b"data: ", b"event: e", b":", b" ", b"x", "é\u2028".encode()]
)


@given(st.lists(PARTS, max_size=40).map(b"".join), st.data())
def test_any_split_gives_the_same_events(stream, data):
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    marks = [0, *cuts, len(stream)]
    chunks = [stream[a:b] for a, b in pairwise(marks)]
    assert read(*chunks) == read(stream)
    assert read(*(bytes([byte]) for byte in stream)) == read(stream)
