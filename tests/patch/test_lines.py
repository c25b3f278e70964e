"""Bytes to lines and back, whatever the line ends, the encoding and the last line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dursor.patch.lines import Splice, decode, make_text


@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from([b"a", b"\r\n", b"\n", b"\r", b"\xe9"])).map(b"".join)
)
def test_bytes_survive(data):
    assert decode(data).encode() == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"a",
        b"a\n",
        b"a\r\nb\r\n",
        b"a\r\nb",
        b"a\nb\r\nc\r\r\n",
        b"a\rb\n",
        b"\xef\xbb\xbfa\n",
        "naïve 😀\n".encode(),
        b"caf\xe9\n",
        b"caf\xe9 na\xc3\xafve\n",
        b"\xff\xfe\n",
        b"a\x0cb\x85c\n",
    ],
)
def test_bytes_of_every_kind_survive(data):
    assert decode(data).encode() == data


def test_lines_break_at_newlines_only():
    assert decode("a\x0cb\u2028c\x85d\re\n".encode()).lines == ("a\x0cb\u2028c\x85d\re",)


@pytest.mark.parametrize(
    ("data", "codec", "line"),
    [
        ("é\n".encode(), "utf-8", "é"),
        (b"\xe9t\xe9\n", "latin-1", "été"),
        (b"\xe9 \xc3\xa9\n", "utf-8", "\udce9 é"),
    ],
)
def test_the_encoding_follows_from_the_bytes(data, codec, line):
    text = decode(data)
    assert (text.codec, text.lines[0]) == (codec, line)


@pytest.mark.parametrize(
    ("data", "splice", "result"),
    [
        (b"a\nb\n", Splice(1, 1, ("x",)), b"a\nx\nb\n"),
        (b"a\r\nb\r\n", Splice(0, 1, ("x", "y")), b"x\r\ny\r\nb\r\n"),
        (b"a\nb", Splice(2, 2, ("x",)), b"a\nb\nx"),
        (b"a\nb", Splice(0, 2, ()), b""),
        (b"", Splice(0, 0, ("x",)), b"x\n"),
        (b"\xef\xbb\xbfa\n", Splice(0, 1, ("b",)), b"\xef\xbb\xbfb\n"),
        # In a file with mixed ends a line ends like the one it replaces, else like its neighbour.
        (b"a\r\nb\nc\r\n", Splice(1, 2, ("x",)), b"a\r\nx\nc\r\n"),
        (b"a\r\nb\nc\r\n", Splice(1, 1, ("x",)), b"a\r\nx\r\nb\nc\r\n"),
        (b"a\nb\r\nc", Splice(3, 3, ("x",)), b"a\nb\r\nc\nx"),
        (b"a\nb\r\nc", Splice(2, 3, ()), b"a\nb"),
    ],
)
def test_new_lines_end_as_the_file_does(data, splice, result):
    assert decode(data).apply_splices([splice]).encode() == result


@pytest.mark.parametrize("data", [b"a\nb\n", b"a\nb", b"a\r\nb\nc", b"a\r\nb\n"])
@pytest.mark.parametrize("newline", [True, False])
def test_the_final_newline_can_be_set(data, newline):
    changed = decode(data).apply_splices([], final_newline=newline).encode()
    assert changed.endswith(b"\n") is newline
    assert changed.rstrip(b"\r\n") == data.rstrip(b"\r\n")


def test_latin_1_cannot_hold_every_letter():
    text = decode(b"\xe9\n").apply_splices([Splice(1, 1, ("日",))])
    with pytest.raises(UnicodeEncodeError):
        text.encode()


def test_a_new_text_ends_with_a_newline_by_default():
    assert make_text(["a"]).encode() == b"a\n"
    assert make_text(["a"], final_newline=False).encode() == b"a"
    assert make_text([]).encode() == b""
