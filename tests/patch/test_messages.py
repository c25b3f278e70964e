"""Refusals from which a model can repair its patch."""

import pytest
from replies import tree

from dursor.errors import ApplyFailedError
from dursor.patch.resolve import resolve

LONG = "".join(f"line {number}\n" for number in range(300))
BASE = tree(**{"lib/one__py": "one\n2\nthree\n", "long__txt": LONG})


def fail(reply):
    with pytest.raises(ApplyFailedError) as caught:
        resolve(reply, BASE)
    return caught.value.failures[0]


@pytest.mark.parametrize("path", ["src/one.py", "one.py", "lib/oen.py", "lib\\on.py"])
def test_a_missing_file_names_the_close_ones(path):
    failure = fail(f"--- a/{path}\n+++ b/{path}\n@@ @@\n-one\n+1\n")
    assert failure.reason == "this file does not exist; did you mean lib/one.py?"
    assert failure.hunk


def test_a_missing_file_without_close_ones():
    reply = "--- a/zzz\n+++ b/zzz\n@@ @@\n-one\n+1\n"
    assert fail(reply).reason == "this file does not exist"


@pytest.mark.parametrize(
    "body", [" one\n-two\n+2\n three\n", "-two\n+2\n three\n", " one\n-x\n+2\n"]
)
def test_a_patch_that_is_applied_or_reversed_is_named(body):
    failure = fail(f"--- a/lib/one.py\n+++ b/lib/one.py\n@@ @@\n{body}")
    assert failure.reason == "the file already has this change, or the patch is reversed"
    assert failure.nearest == "one\n2\nthree"


@pytest.mark.parametrize(
    ("reply", "part"),
    [
        ("lib/one.py\n<<<<<<< SEARCH\none\n=======\n1\n", ">>>>>>> REPLACE is missing"),
        ("lib/one.py\n------- SEARCH\none\n=======\n1\n", "+++++++ REPLACE is missing"),
        ("lib/one.py\n<<<<<<< SEARCH\none\n>>>>>>> REPLACE\n", "======= is missing"),
        (
            "lib/one.py\n<<<<<<< SEARCH\none\n=======\n1\n=======\n>>>>>>> REPLACE\n",
            "a second divider",
        ),
        ("*** Begin Patch\n*** Update File: lib/one.py\n@@\n-one\n+1\n", "*** End Patch is missing"),
        ("lib/one.py\n```python\none\n", "fence is not closed"),
        ('<edit path="lib/one.py">\n<search>\none\n</search>\n<replace>\n1\n', "tags"),
        ("x = 1\n>>>>>>> REPLACE\nlib/one.py\n<<<<<<< SEARCH\none\n=======\n1\n>>>>>>> REPLACE\n", "line 2"),
    ],
)  # fmt: skip
def test_what_is_not_closed_is_named(reply, part):
    assert part in fail(reply).reason


@pytest.mark.parametrize("header", ["@@ @@", "@@ -200,1 +200,1 @@", "@@ -900,1 +900,1 @@"])
def test_some_text_of_the_file_is_always_shown(header):
    failure = fail(f"--- a/long.txt\n+++ b/long.txt\n{header}\n-nothing like it\n+1\n")
    assert failure.nearest
    assert failure.nearest in LONG


def test_a_choice_names_both_files():
    reply = "".join(
        f"{lead}:\n\n```diff\n--- a/{path}\n+++ b/{path}\n@@ @@\n-{old}\n+x\n```\n\n"
        for lead, path, old in [("So", "lib/one.py", "one"), ("Or so", "long.txt", "line 7")]
    )
    reason = fail(reply).reason
    assert "lib/one.py" in reason
    assert "long.txt" in reason
