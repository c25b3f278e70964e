"""Finding lines by content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dursor.patch.placement import line_index as place
from dursor.patch.placement.line_index import LineIndex, exactly, without_indent, without_trailing

LINES = ("a", "b", "a", "b", "c", "  a", "b  ")


@pytest.mark.parametrize(
    ("key", "lines", "hint", "found"),
    [
        (exactly, ["b", "c"], None, [3]),
        (exactly, ["a", "b"], None, [0, 2]),
        (exactly, ["a", "b"], 2, [2]),
        (exactly, ["a", "b"], 1, [0, 2]),
        (exactly, ["a", "z"], 0, []),
        (exactly, ["c", "a"], None, []),
        (exactly, [], 0, []),
        (without_indent, ["c", "a"], None, [4]),
        (without_trailing, ["  a", "b"], None, [5]),
    ],
)
def test_lines_are_found_once_or_twice_or_where_the_header_says(key, lines, hint, found):
    assert LineIndex(LINES, key).find(lines, hint) == found


def test_all_places_are_given_only_when_they_are_few():
    index = LineIndex(("x",) * 9)
    pattern = index.pattern(["x"])
    assert len(index.all_places(pattern, 9)) == 9
    assert index.all_places(pattern, 8) == []


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=40),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=4),
)
def test_long_searches_find_what_short_ones_do(lines, wanted):
    index, tired = LineIndex(lines), LineIndex(lines)
    tired._scanned = place._PATIENCE * len(lines) + 1
    assert tired.find(wanted, None) == index.find(wanted, None)


def test_a_file_that_was_searched_enough_gives_no_more_places():
    index = LineIndex(("x",) * 20)
    index._scanned = place._MAX_SCANNED
    assert index.find(["x"], None) == []


def test_an_empty_file_has_no_letters():
    index = LineIndex(())
    assert index.letters(["a"]) == [None]
    assert index.letter("a") is None
    assert index.find(["a"], 0) == []
