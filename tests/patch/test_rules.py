"""Every placement rule: hunks that it places, and hunks that it leaves alone."""

import pytest

from dursor.patch.edits import Hunk, Line, Origin
from dursor.patch.lines import decode
from dursor.patch.placement import rules
from dursor.patch.placement.indexed_file import Ambiguity, IndexedFile, Placement
from dursor.patch.placement.rules import place_hunk


def target(text):
    return IndexedFile(decode(text.encode()))


def hunk(text, **facts):
    """Return a hunk of tagged lines; `?` marks a line that lost its tag."""
    lines = [
        Line(" ", line[1:], bare=True) if line[:1] in {"?", ""} else Line(line[0], line[1:])
        for line in text.split("\n")
    ]
    return Hunk(tuple(lines), text, **facts)


def outcome(rule, text, file):
    """Apply RULE; return the new text, the ambiguous places, or None."""
    found = rule(text if isinstance(text, Hunk) else hunk(text), target(file))
    if isinstance(found, Placement):
        return target(file).text.apply_splices(found.splices).encode().decode()
    return found and found.places


FILE = "import os\n\ndef f():\n    return 1\n\ndef g():\n    return 1\n"


def test_exact_takes_the_only_place():
    assert outcome(rules.match_exactly, " def g():\n-    return 1\n+    return 2", FILE) == (
        FILE[:-9] + "return 2\n"
    )


def test_exact_names_two_places():
    assert outcome(rules.match_exactly, "-    return 1\n+    return 2", FILE) == (3, 6)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"start": 7, "is_counted": True}, FILE[:-9] + "return 2\n"),
        ({"start": 7, "is_counted": False}, (3, 6)),  # who cannot count does not know the line
        ({"start": 6, "is_counted": True}, (3, 6)),  # the nearest is no better than the other
    ],
)
def test_exact_lets_only_a_header_with_right_counts_choose(facts, expected):
    assert (
        outcome(rules.match_exactly, hunk("-    return 1\n+    return 2", **facts), FILE)
        == expected
    )


def test_exact_refuses_a_missing_removed_line():
    assert outcome(rules.match_exactly, " def f():\n-    return 3\n+    return 2", FILE) is None


def test_context_keeps_the_bytes_of_the_file():
    assert outcome(rules.ignore_trailing_blanks, " a\n-b\n+c", "a  \nb\n") == "a  \nc\n"


def test_blank_context_at_the_edges_is_ignored():
    assert outcome(
        rules.ignore_trailing_blanks, " \n def g():\n-    return 1\n+    return 2\n \n ", FILE
    ) == (FILE[:-9] + "return 2\n")


def test_blank_lines_inside_are_not_ignored():
    assert (
        outcome(rules.ignore_trailing_blanks, " def f():\n \n-    return 1\n+    return 2\n ", FILE)
        is None
    )


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        (1, FILE[:-9] + "return 2\n"),
        (2, (3, 6)),  # it says that there is a blank line, and so does not know the place
    ],
)
def test_a_header_that_does_not_count_blank_edges_chooses(counted, expected):
    shifted = hunk(" \n-    return 1\n+    return 2", start=6, old_count=counted)
    assert outcome(rules.ignore_trailing_blanks, shifted, FILE) == expected


@pytest.mark.parametrize("blanks", ["", "  ", "\t"])
def test_trailing_blanks_are_ignored_on_either_side(blanks):
    assert outcome(rules.ignore_trailing_blanks, f" a{blanks}\n-b\n+c", "a \nb\t\n") == "a \nc\n"


def test_leading_blanks_are_not_ignored_with_trailing_ones():
    assert outcome(rules.ignore_trailing_blanks, " a\n-b\n+c", " a\nb\n") is None


LOST = "class A:\n    x = 1\n    def f(self):\n        return 1\n"


def test_lost_tags_proved_by_an_untagged_line():
    text = "?class A:\n    x = 1\n+    y = 2\n    def f(self):"
    assert outcome(rules.restore_lost_tags, text, LOST) == LOST.replace(
        "x = 1\n", "x = 1\n    y = 2\n"
    )


def test_lost_tags_proved_by_a_removed_line():
    text = "    def f(self):\n-        return 1\n+        return 2"
    assert outcome(rules.restore_lost_tags, text, LOST) == LOST.replace("return 1", "return 2")


def test_lost_tags_proved_by_the_files_indentation():
    text = "    x = 1\n+    y = 2\n    def f(self):"
    assert outcome(rules.restore_lost_tags, text, LOST) == LOST.replace(
        "x = 1\n", "x = 1\n    y = 2\n"
    )


def test_lost_tags_of_some_lines():
    text = " class A:\n    x = 1\n-    def f(self):\n+    def f(self, y):\n        return 1"
    assert outcome(rules.restore_lost_tags, text, LOST) == LOST.replace("self)", "self, y)")


def test_a_lost_tag_may_be_a_minus_that_the_header_counts():
    text = "    def f(self):\n        return 1\n-        return 2\n+        return 3"
    counted = hunk(text, old_count=3, new_count=2)
    assert outcome(place_hunk, counted, LOST + "        return 2\n") is None


def test_lost_tags_are_not_proved_by_a_removed_line_at_the_margin():
    assert outcome(rules.restore_lost_tags, "   a\n-b\n+   c\n   d", "    a\nb\n    d\n") is None


def test_lost_tags_are_not_assumed_when_all_lines_may_be_shifted():
    assert outcome(rules.restore_lost_tags, " a\n+b\n c", "  a\n  c\n") is None


def test_lost_tags_refuse_a_changed_line_that_may_be_context():
    file = "intro\n- one\n- two\n"
    assert outcome(place_hunk, "?intro\n- one\n+- three", file) is None


@pytest.mark.parametrize(
    ("text", "file", "expected"),
    [
        # every line is further in than the hunk says
        (" if a:\n-    b\n+    c", "    if a:\n        b\n", "    if a:\n        c\n"),
        # blank lines too, but for empty ones
        (" if a:\n-    b\n+    \n+\n+    c", "  if a:\n      b\n", "  if a:\n      \n\n      c\n"),
        # less far in
        ("     if a:\n-        b\n+        c", "if a:\n    b\n", "if a:\n    c\n"),
        # tabs in the file, blanks in the hunk
        (" if a:\n-    b\n+    c\n+        d", "if a:\n\tb\n", "if a:\n\tc\n\t\td\n"),
        # four blanks a level in the file, two in the hunk
        (" a\n   b\n     c\n+    d", "a\n    b\n        c\n", "a\n    b\n        c\n        d\n"),
        # an added line stands where the removed line beside it stood
        (" a\n-  b\n+  c\n d", "    a\n        b\n    d\n", "    a\n        c\n    d\n"),
    ],
)
def test_added_lines_get_the_files_margins(text, file, expected):
    assert outcome(rules.ignore_indentation, text, file) == expected


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("-b\n+c", "    b\n"),  # one line is too little to go by
        (" a\n b\n+c", "    a\n        b\n"),  # nothing says where c belongs
        (" a\n  b\n+c\n  d", "    a\n      b\n      d\n"),  # c may have been cut off at the edge
        (" a\n   b\n+    c", "a\n    b\n"),  # two levels wide, or moved by two?
        ("-a\n+b\n c", "    a\n    c\n"),  # nor is b like what was cut off at the edge
        ("    a\n    b\n+       c", "    a\n    b\n"),  # one blank is a lost tag
        ("   a\n   \x0cb\n+    ", "a\n\x0cb\n"),  # how far in is a blank line?
        # c replaces two lines that were cut off at the edge: one of them opened a block
        ("-if a:\n-go(b)\n+go(c, b)\n x", "    if a:\n        go(b)\n    x\n"),
        # two blanks in for one level, or a level of four moved by two?
        ("   a\n+    b", "x\n    y\n    a\n"),
        # the third line is aligned with something, and on no level
        ("   a\n     b\n+       c", "    a\n        b\n"),
        # c stands where the file has a: only what is to be found was moved
        ("-    a\n-    b\n+a\n+c", "a\nb\n"),
        ("-        a\n-        b\n+    a\n+    c", "a\nb\n"),
        ("-a\n-b\n+    if b:\n+        c", "    a\n    b\n"),
        # a bracket may be missing: the last one is not where the others say
        ("   f();\n-  });\n+  }, x);\n });", "  f();\n  });\n  });\n});\n"),
    ],
)
def test_unexplained_margins_are_refused(text, file):
    assert outcome(rules.ignore_indentation, text, file) is None


def test_no_header_chooses_between_reindented_places():
    file = "    a\n    b\n    a\n    b\n"
    assert outcome(
        rules.ignore_indentation, hunk(" a\n-b\n+c", start=3, is_counted=True), file
    ) == (0, 2)


BLOCK = "def one():\n    a = 1\n    b = 2\n    c = 3\n    d = 4\n    return a\n\ndef two():\n    e = 5\n"


def test_partial_context_that_is_skipped():
    text = " def one():\n     a = 1\n     d = 4\n-    return a\n+    return d\n \n def two():"
    assert outcome(rules.use_partial_context, text, BLOCK) == BLOCK.replace("return a", "return d")


def test_partial_context_that_is_elided():
    text = " def one():\n # ... existing code ...\n     c = 3\n     d = 4\n-    return a\n+    return d\n "
    assert outcome(rules.use_partial_context, text, BLOCK) == BLOCK.replace("return a", "return d")


def test_partial_context_with_several_changes():
    text = " def one():\n-    a = 1\n+    a = 0\n     b = 2\n     d = 4\n-    return a\n+    return d\n "
    assert outcome(rules.use_partial_context, text, BLOCK) == (
        BLOCK.replace("a = 1", "a = 0").replace("return a", "return d")
    )


def test_partial_context_that_is_invented():
    text = " import this\n     c = 3\n     d = 4\n-    return a\n+    return d\n "
    assert outcome(rules.use_partial_context, text, BLOCK) == BLOCK.replace("return a", "return d")


@pytest.mark.parametrize(
    "text",
    [
        # what is added stands beside the lines that are skipped: before or after them?
        " def one():\n     a = 1\n+    x = 0\n     d = 4\n     return a\n ",
        # a line of context looks like an edit that was left unmarked
        " def one():\n     a = 1\n     b = 7\n-    c = 3\n+    c = b\n     d = 4\n     return a",
        # a line of context uses a name that only the hunk brings in
        "     b = 2\n     c = 3\n-    d = 4\n+    fresh = 4\n     return a\n     use(fresh)",
        # too little of it is true
        " x\n y\n z\n     d = 4\n-    return a\n+    return d\n w",
        # the removed line is not there
        " def one():\n     b = 2\n     d = 4\n-    return e\n+    return d\n ",
        # a line that is skipped is added further up: it was to be moved
        " def one():\n+    c = 3\n     a = 1\n     b = 2\n     d = 4\n-    return a\n+    return d\n ",
        # a line stands where the file has no room for one: it was to be added
        " def one():\n     z = 0\n     a = 1\n     b = 2\n-    c = 3\n+    c = 4\n     d = 4",
    ],
)
def test_partial_context_that_may_be_an_unmarked_edit_is_refused(text):
    assert outcome(rules.use_partial_context, text, BLOCK) is None


@pytest.mark.parametrize(("counts", "places"), [((7, 6), False), ((6, 7), False), ((7, 7), True)])
def test_partial_context_is_refused_when_one_side_is_counted_right(counts, places):
    text = " def one():\n     a = 1\n     d = 4\n-    return a\n+    return d\n \n def two():"
    counted = hunk(text, old_count=counts[0], new_count=counts[1])
    assert (outcome(place_hunk, counted, BLOCK) is not None) is places


def test_untagged_lines_are_refused_when_one_side_is_counted_right():
    text = "?a\n?b\n-c\n+d"
    counted = hunk(text, old_count=3, new_count=2)  # b is to be removed, too
    assert outcome(place_hunk, counted, "a\nb\nc\n") is None
    assert outcome(place_hunk, hunk(text, old_count=3, new_count=3), "a\nb\nc\n") == "a\nb\nd\n"


def test_a_block_has_neither_context_to_skip_nor_tags_to_lose():
    skips = " def one():\n     a = 1\n     d = 4\n-    return a\n+    return d\n \n def two():"
    assert outcome(rules.use_partial_context, hunk(skips, origin=Origin.BLOCK), BLOCK) is None
    lost = hunk("    def f(self):\n-        return 1\n+        return 2", origin=Origin.BLOCK)
    assert outcome(rules.restore_lost_tags, lost, LOST) is None


def test_partial_context_refuses_two_places():
    file = "a\nb\nk\nx\nc\nd\n---\na\nb\nq\nx\nc\nd\n"
    assert outcome(rules.use_partial_context, " a\n b\n-x\n+y\n c\n e", file) is None


def test_an_anchor_chooses_the_block_below_it():
    file = "class A:\n    def f(self):\n        return 1\n\nclass B:\n    def f(self):\n        return 1\n"
    text = hunk(
        "-        return 1\n+        return 2",
        origin=Origin.ENVELOPE, anchors=("class B:", "def f(self):"),
    )  # fmt: skip
    assert outcome(place_hunk, text, file) == file[:-2] + "2\n"


@pytest.mark.parametrize("anchors", [("def f(self):",), ("class C:",), ("class A:", "x = 1")])
def test_an_ambiguous_anchor_chooses_nothing(anchors):
    file = "class A:\n    def f(self):\n        return 1\n\nclass B:\n    def f(self):\n        return 1\n"
    text = hunk("-        return 1\n+        return 2", origin=Origin.ENVELOPE, anchors=anchors)
    assert outcome(place_hunk, text, file) == (2, 6)


def test_a_hunk_marked_as_the_end_of_the_file():
    text = hunk(" a\n+b", origin=Origin.ENVELOPE, at_end=True)
    assert outcome(place_hunk, text, "a\nx\na\n") == "a\nx\na\nb\n"
    assert outcome(place_hunk, text, "a\nx\n") == "a\nb\nx\n"  # it is not there, but is somewhere


def test_a_hunk_for_an_empty_file():
    assert outcome(place_hunk, "+a\n+b", "") == "a\nb\n"
    assert outcome(place_hunk, "+a\n+b", "x\n") is None


def test_blank_lines_do_not_locate_a_hunk():
    assert outcome(place_hunk, hunk(" \n+a", start=2, is_counted=True), "x\n\ny\n") is None


def test_the_first_rule_that_finds_two_places_ends_the_search():
    found = place_hunk(hunk(" a\n-b\n+c"), target("a\nb\nx\na\nb\n  a\n  b\n"))
    assert isinstance(found, Ambiguity)
    assert found.places == (0, 3)


def test_a_hunk_repeated_for_two_places_goes_to_both():
    said = hunk(" a\n-b\n+c", times=2)
    places = rules.place_everywhere(said, target("a\nb\nx\na\nb\n"))
    assert [place.start for place in places] == [0, 3]
    assert rules.place_everywhere(said, target("a\nb\na\nb\na\nb\n")) == ()
    assert rules.place_everywhere(hunk(" a\n a\n+c", times=2), target("a\na\na\n")) == ()


@pytest.mark.parametrize(
    ("facts", "places"),
    [
        ({"old_count": 5, "new_count": 5}, False),  # a line to be removed is missing, at the edge
        ({"old_count": 3, "new_count": 5}, True),  # counted well enough
        ({"old_count": 3, "new_count": 4}, False),  # one line of context is missing, it seems
        ({"old_count": 5, "new_count": 6}, True),  # all of the other side's
        ({"old_count": 2, "new_count": 3}, True),
        ({"old_count": 3, "new_count": 3}, False),  # a line to be removed is missing somewhere
        ({}, True),
    ],
)
def test_a_change_at_the_edge_of_an_incomplete_hunk_is_refused(facts, places):
    assert (outcome(place_hunk, hunk(" a\n b\n+x", **facts), "a\nb\nc\nd\n") is not None) is places


@pytest.mark.parametrize("counted", [3, 2])
def test_lines_are_not_added_between_brackets_that_may_belong_together(counted):
    file = "f {\n  {\n    a\n  }\n}\n"
    text = hunk("     a\n   }\n+g {\n+}", old_count=counted, new_count=counted + 2)
    assert (outcome(place_hunk, text, file) is not None) is (counted == 2)


def test_blank_lines_at_the_end_choose_a_place_only_if_counted():
    file = "a\n\nb\na\n"
    assert outcome(place_hunk, " a\n+x\n", file) is None  # the second one may be meant, at the end
    assert outcome(place_hunk, hunk(" a\n+x\n", is_counted=True), file) == "a\nx\n\nb\na\n"
    assert outcome(place_hunk, " b\n a\n+x\n", file) == "a\n\nb\na\nx\n"


def test_lines_are_not_added_within_a_run_of_equal_lines():
    file = "a\nb\nb\nc\n"
    assert outcome(place_hunk, " a\n b\n+x", file) is None
    assert outcome(place_hunk, " b\n+x\n c", file) == "a\nb\nb\nx\nc\n"
    assert (
        outcome(place_hunk, hunk(" a\n b\n+x", start=1, is_counted=True), file) == "a\nb\nx\nb\nc\n"
    )


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (" a:\n+\tb\n c:", False),
        (" a:\n+    b\n c:", True),
        (" a:\n+\tb\n c:\n     d", True),  # the file's own blanks are there, and are kept
    ],
)
def test_tabs_are_refused_in_a_file_of_blanks(text, places):
    assert (outcome(place_hunk, text, "a:\nc:\n    d\n") is not None) is places


def test_at_the_edge_of_the_file_nothing_can_be_missing():
    text = hunk(" a\n b\n+x", old_count=5, new_count=5)
    assert outcome(place_hunk, text, "z\na\nb\n") == "z\na\nb\nx\n"


def test_untagged_lines_after_a_hunk_are_context_where_the_file_has_them():
    file = "import a\n\n\ndef f():\n    pass\n"
    assert outcome(place_hunk, hunk(" import a\n+import b", tail=("",)), file).startswith(
        "import a\nimport b\n"
    )
    text = hunk(" import a\n+import b", tail=("", "def f():", "This is why."))
    assert outcome(place_hunk, text, file) is None  # a line is missing between them
    assert outcome(place_hunk, text, file.replace("\n\n\n", "\n\n")).startswith(
        "import a\nimport b\n\n"
    )
