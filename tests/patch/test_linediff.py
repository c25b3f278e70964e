"""The line diff: correct for any two texts, and never slow."""

import time

from hypothesis import given
from hypothesis import strategies as st

from dursor.patch.diff.linediff import diff_lines

texts = st.lists(st.sampled_from("abcdefg"), max_size=20) | st.lists(
    st.sampled_from("ab"), max_size=30
)


@given(texts, texts)
def test_opcodes_cover_both_texts(old, new):
    a = b = 0
    last = None
    for op in diff_lines(old, new):
        assert (op.a0, op.b0) == (a, b)
        assert op.equal is not last
        if op.equal:
            assert old[op.a0 : op.a1] == new[op.b0 : op.b1]
            assert op.a1 > op.a0
        a, b, last = op.a1, op.b1, op.equal
    assert (a, b) == (len(old), len(new))


def test_equal_texts_have_no_changes():
    assert [op.equal for op in diff_lines(["a", "b"], ["a", "b"])] == [True]
    assert diff_lines([], []) == []


def test_a_small_change_stays_small_among_repeated_lines():
    old = ["x", "y"] * 50
    new = [*old[:41], "new", *old[41:]]
    assert sum(op.b1 - op.b0 for op in diff_lines(old, new) if not op.equal) == 1


def test_scattered_changes_in_a_long_file_stay_apart():
    old = [f"line {i % 700} of {i // 3}" for i in range(30_000)]
    new = ["changed" if i % 500 == 7 else line for i, line in enumerate(old)]
    changed = [op for op in diff_lines(old, new) if not op.equal]
    assert len(changed) == 60
    assert all(op.a1 - op.a0 == 1 for op in changed)


def test_texts_without_a_unique_line_take_no_time():
    old = ["x"] * 40_000 + ["y"] * 40_000
    new = ["y"] * 40_000 + ["x"] * 40_000
    began = time.process_time()
    diff_lines(old, new)
    assert time.process_time() - began < 3
