"""Parsing hunks: their ends and contents, whatever their headers count."""

import pytest

from dursor.patch.formats.fences import Fence
from dursor.patch.formats.hunks import read_hunks

FENCE = Fence("`", 3)


def read(text, fence=None, *, open_end=False):
    return read_hunks(text.strip("\n").split("\n"), 0, fence, open_end=open_end)


def shape(hunk):
    return "".join(line.tag for line in hunk.lines)


def test_a_well_formed_hunk():
    (hunk,), at, cut = read("@@ -3,3 +3,3 @@ def f():\n a\n-b\n+c\n d\n")
    assert (hunk.start, hunk.old_count, hunk.new_count, hunk.is_counted) == (3, 3, 3, True)
    assert (hunk.old, hunk.new) == (["a", "b", "d"], ["a", "c", "d"])
    assert (at, cut) == (5, False)


@pytest.mark.parametrize("header", ["@@", "@@ @@", "@@ ... @@", "@@ def f(): @@", "@@ -1 @@"])
def test_a_header_without_numbers(header):
    (hunk,), _, _ = read(f"{header}\n-a\n+b\n")
    assert (hunk.start, hunk.is_counted, shape(hunk)) == (None, False, "-+")


@pytest.mark.parametrize("counts", ["-1,1 +1,1", "-1,9 +1,9", "-1 +1", "-0,0 +0,0"])
def test_wrong_counts_change_no_lines(counts):
    (hunk,), _, _ = read(f"@@ {counts} @@\n a\n-b\n+c\n+d\n e\n")
    assert shape(hunk) == " -++ "


def test_right_counts_end_a_hunk_before_lists_in_prose():
    (hunk,), at, _ = read("@@ -1,2 +1,2 @@\n a\n-b\n+c\n\n- this is a list\n- of points\n")
    assert (shape(hunk), at) == (" -+", 4)


def test_prose_after_an_unfenced_hunk_is_no_context():
    (hunk,), at, _ = read("@@ -1,9 +1,9 @@\n a\n-b\n+c\nThis fixes it.\nIndeed.\n")
    assert (shape(hunk), at) == (" -+", 4)


def test_lines_without_tags_before_a_further_hunk_are_context():
    hunks, _, _ = read(
        "@@ -1,3 +1,4 @@\nimport a\n+import b\nimport c\n@@ -9,2 +10,3 @@\n x\n+y\n z\n"
    )
    assert [shape(hunk) for hunk in hunks] == [" + ", " + "]
    assert hunks[0].lines[2].bare


def test_lines_without_tags_inside_a_fence_are_context():
    (hunk,), at, _ = read("@@ -1,3 +1,4 @@\nimport a\n+import b\nimport c\n```\n", FENCE)
    assert (shape(hunk), at) == (" + ", 4)


def test_a_hunk_may_hold_fences_and_headers_behind_tags():
    (hunk,), _, _ = read("@@ -1,3 +1,4 @@\n ```\n+--- a\n+++ b\n-```\n x\n", FENCE)
    assert [line.tag + line.text for line in hunk.lines] == [
        " ```",
        "+--- a",
        "+++ b",
        "-```",
        " x",
    ]


def test_a_removed_line_that_looks_like_a_header():
    text = "@@ -1,3 +1,2 @@\n a\n--- old comment\n b\n"
    (hunk,), _, _ = read(text)
    assert [line.tag + line.text for line in hunk.lines][1] == "--- old comment"


def test_the_next_file_ends_a_hunk():
    text = "@@ -1,9 +1,9 @@\n a\n-b\n+c\n--- a/other\n+++ b/other\n@@ -1 +1 @@\n-x\n+y\n"
    (hunk,), at, _ = read(text)
    assert (shape(hunk), at) == (" -+", 4)


def test_an_underline_of_tildes_is_no_fence():
    (hunk,), _, _ = read("@@ -1,4 +1,4 @@\nTitle\n~~~~~\n-a\n+b\n c\n")
    assert shape(hunk) == "  -+ "


def test_the_signature_of_a_mailed_patch_is_no_removed_line():
    (hunk,), _, _ = read("@@ -1,9 +1,9 @@\n a\n-b\n+c\n-- \n2.39.2\n")
    assert shape(hunk) == " -+"


@pytest.mark.parametrize(
    ("body", "opens"),
    [
        ("-a\n\\ No newline at end of file\n+a\n", (True, False)),
        ("-a\n+a\n\\ No newline at end of file\n", (False, True)),
        ("-b\n+c\n a\n\\ No newline at end of file\n", (True, True)),
        ("-a\n+b\n", (False, False)),
    ],
)
def test_missing_final_newlines(body, opens):
    (hunk,), _, _ = read("@@ -1 +1 @@\n" + body)
    assert (hunk.old_open, hunk.new_open) == opens


@pytest.mark.parametrize(
    ("body", "open_end", "cut"),
    [
        (" a\n-b\n+c\n+d", True, True),  # stops on a change, and more is claimed
        (" a\n-b\n+c\n d", True, True),  # lacks many added lines
        (" a\n-b\n+c\n+d", False, False),  # the last line is whole
    ],
)
def test_a_reply_that_breaks_off_inside_a_hunk(body, open_end, cut):
    assert read("@@ -1,6 +1,9 @@\n" + body, open_end=open_end)[2] is cut


def test_a_wrong_count_of_context_is_no_cut():
    assert read("@@ -1,5 +1,5 @@\n a\n-b\n+c\n d", open_end=True)[2] is False


def test_a_hunk_with_right_counts_is_complete():
    assert read("@@ -1,2 +1,3 @@\n a\n-b\n+c\n+d", open_end=True)[2] is False
