"""Names in diffs and the paths that they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dursor.patch.names import (
    is_ambiguous,
    is_prefixed,
    locate,
    parse_git_names,
    parse_header_name,
    quote,
    resolve_new_path,
    unquote,
)


@given(st.binary(min_size=1, max_size=12).filter(lambda b: b"\0" not in b))
def test_quoting_can_be_undone(data):
    name = data.decode("utf-8", "surrogateescape")
    quoted = quote(name)
    assert unquote(quoted) == name or quoted == name
    assert quoted.isascii()
    assert "\n" not in quoted


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("a b", "a b"),
        ('a"b', '"a\\"b"'),
        ("é", '"\\303\\251"'),
        ("a\tb", '"a\\tb"'),
        ("\\", '"\\\\"'),
    ],
)
def test_names_are_quoted_as_git_quotes_them(name, quoted):
    assert quote(name) == quoted


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a/x.py", "a/x.py"),
        ("a/x.py\t2024-01-01 00:00:00.000000000 +0000", "a/x.py"),
        ("x.py 2024-01-01 10:00:00", "x.py"),
        ("x.py (original)", "x.py"),
        ("`x.py`", "x.py"),
        ('"a/\\303\\251"\t', "a/é"),
        ("with blank.txt", "with blank.txt"),
        ('"unfinished', '"unfinished'),
    ],
)
def test_header_names_lose_time_stamps_and_labels(text, name):
    assert parse_header_name(text) == name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a/x b/x", ("a/x", "b/x")),
        ("a/x y b/x y", ("a/x y", "b/x y")),
        ('"a/\\303\\251" "b/\\303\\251"', ("a/é", "b/é")),
        ('a/x "b/\\303\\251"', ("a/x", "b/é")),
        ('"a/\\303\\251" b/x', ("a/é", "b/x")),
        ("a/x y b/z w", None),
        ("nonsense", None),
    ],
)
def test_the_names_of_a_git_line(text, names):
    assert parse_git_names(text) == names


@pytest.mark.parametrize(
    ("old", "new", "prefixed"),
    [
        ("a/x", "b/x", True),
        ("i/x", "w/x", True),
        ("/dev/null", "b/x", True),
        ("a/x", "/dev/null", True),
        ("x", "x", False),
        ("src/x", "src/x", False),
        ("a/x", "a/x", False),
        ("/dev/null", "a/x", False),
    ],
)
def test_prefixes_depend_on_both_names(old, new, prefixed):
    assert is_prefixed(old, new) is prefixed


@pytest.mark.parametrize(
    ("name", "prefixed", "path"),
    [
        ("a/x.py", True, "x.py"),
        ("x.py", False, "x.py"),
        ("./x.py", False, "x.py"),
        ("a/real.py", False, "a/real.py"),
        ("a/a/real.py", True, "a/real.py"),
        ("a/x.py", False, "x.py"),
        ("a/real.py", True, "a/real.py"),
        ("y.py", False, None),
        ("/x.py", False, None),
        ("../x.py", False, None),
        ("pkg/x.py", False, None),
    ],
)
def test_locate_finds_a_path_with_or_without_its_prefix(name, prefixed, path):
    assert locate(name, {"x.py", "a/real.py"}.__contains__, prefixed=prefixed) == path


def test_the_path_of_a_new_file():
    assert resolve_new_path("b/new.py", prefixed=True) == "new.py"
    assert resolve_new_path("./new.py", prefixed=False) == "new.py"
    assert resolve_new_path("../new.py", prefixed=False) == "../new.py"


def test_a_folder_of_one_letter_may_be_real():
    assert is_ambiguous("b/new.py", ["b/old.py"])
    assert not is_ambiguous("b/new.py", ["bb/old.py"])
    assert not is_ambiguous("src/new.py", ["src/old.py"])
