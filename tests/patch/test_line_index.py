"""Finding lines by content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dursor.patch.placement import line_index
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
def test_find_returns_one_place_two_places_or_the_hint(key, lines, hint, found):
    assert LineIndex(LINES, key).find(lines, hint) == found


def test_all_places_are_limited():
    index = LineIndex(("x",) * 9)
    pattern = index.pattern(["x"])
    assert len(index.all_places(pattern, 9)) == 9
    assert index.all_places(pattern, 8) == []


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=40),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=4),
)
def test_rare_lines_speed_up_long_searches_without_changing_them(lines, wanted):
    index, tired = LineIndex(lines), LineIndex(lines)
    tired._scanned = line_index._PATIENCE * len(lines) + 1
    assert tired.find(wanted, None) == index.find(wanted, None)


def test_the_number_of_searched_lines_is_limited():
    index = LineIndex(("x",) * 20)
    index._scanned = line_index._MAX_SCANNED
    assert index.find(["x"], None) == []


def test_an_empty_file_has_no_letters():
    index = LineIndex(())
    assert index.letters(["a"]) == [None]
    assert index.letter("a") is None
    assert index.find(["a"], 0) == []
