"""JSON texts keep their spelling."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from dursor.providers.adapters.json_spans import find_member, list_elements, replace_members

SCALARS = st.sampled_from(
    [
        "null",
        "true",
        "1.50e+1",
        "-0",
        "12345678901234567890.5",
        '"]},:"',
        '"\\u00fc\\/"',
        '"ü"',
        '""',
    ]
)
BLANKS = st.sampled_from(["", " ", "\n\t ", "\r"])
NAMES = st.sampled_from(["a", "b", "\\u0063", 'd\\"}', "e:{["])


@st.composite
def array(draw: st.DrawFn, of: st.SearchStrategy[str]) -> tuple[str, list[str]]:
    """An array as text, and its elements."""
    parts = draw(st.lists(of, max_size=3))
    blank = draw(BLANKS)
    return f"{blank}[{blank}{f'{blank},'.join(parts)}{blank}]", parts


@st.composite
def object_(draw: st.DrawFn, of: st.SearchStrategy[str]) -> tuple[str, dict[str, str]]:
    """An object as text, and its values by name."""
    parts = draw(st.dictionaries(NAMES, of, max_size=3))
    one, two = draw(BLANKS), draw(BLANKS)
    body = f"{one},{two}".join(f'{two}"{name}"{one}:{two}{parts[name]}' for name in parts)
    known = {json.loads(f'"{name}"'): value for name, value in parts.items()}
    return f"{one}{{{body}{one}}}", known


TEXTS = st.recursive(
    SCALARS,
    lambda of: st.one_of(array(of), object_(of)).map(lambda pair: pair[0].strip(" \n\t\r")),
    max_leaves=8,
)


@settings(max_examples=60)
@given(array(TEXTS), object_(TEXTS), TEXTS, TEXTS)
def test_parts_are_found_and_replaced_without_other_changes(listed, named, one, two):
    text, parts = listed
    assert list_elements(text) == parts
    text, values = named
    assert {name: find_member(text, name) for name in values} == values
    assert find_member(f'{{"x": {text} }}', "x", "none") == "null"
    new = replace_members(text, {"b": one, "z": two})
    assert json.loads(new) == json.loads(text) | {"b": json.loads(one), "z": json.loads(two)}
    for name, value in (values | {"b": one, "z": two}).items():
        assert find_member(new, name) == value
    assert replace_members(text, {}) == text
