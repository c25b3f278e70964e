"""Parsing replies: every format, and text that is none."""

import pytest

from dursor.patch.edits import Action, Origin
from dursor.patch.formats.extract import MAX_EDITS, extract

HUNK = "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
DIFF = f"--- a/x.py\n+++ b/x.py\n{HUNK}"


def only(reply):
    (edit,) = extract(reply).edits
    return edit


@pytest.mark.parametrize(
    "reply",
    [
        DIFF,
        "diff --git a/x.py b/x.py\nindex 1..2 100644\n" + DIFF,
        f"Sure!\n\n```diff\n{DIFF}```\nDone.\n",
        f"```\n{DIFF}```\n",
        f"~~~diff\n{DIFF}~~~\n",
        f"````patch\n{DIFF}````\n",
        f"```diff\n{DIFF}",
        f"1. Change it:\n\n   ```diff\n   {DIFF.strip().replace(chr(10), chr(10) + '   ')}\n   ```\n",
        DIFF + "```\n\nThat is all.\n",
        DIFF.replace("\n", "\r\n"),
        f"--- a/x.py\t2024-01-01 10:00:00\n+++ b/x.py\t2024-01-01 10:00:01\n{HUNK}",
        f"<diff>\n{DIFF}</diff>\n",
        f"--- a/x.py\n{HUNK}",
        f"+++ b/x.py\n{HUNK}",
        f"diff --git a/x.py b/x.py\n{HUNK}",
        f"From: me\nSubject: it\n\n---\n x.py | 2 +-\n\n{DIFF}-- \n2.39.2\n",
    ],
)
def test_a_diff_is_found_in_any_wrapping(reply):
    edit = only(reply)
    assert edit.action is Action.MODIFY
    assert edit.path.removeprefix("a/").removeprefix("b/") == "x.py"
    assert [line.tag + line.text for line in edit.hunks[0].lines][:3] == [" a", "-b", "+c"]
    assert edit.new_path is None


@pytest.mark.parametrize(
    ("reply", "action", "path", "new_path"),
    [
        ("--- /dev/null\n+++ b/n.py\n@@ -0,0 +1 @@\n+x\n", Action.ADD, "b/n.py", None),
        ("diff --git a/n b/n\nnew file mode 100755\n", Action.ADD, "b/n", None),
        ("--- a/o.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n", Action.DELETE, "a/o.py", None),
        ("diff --git a/o b/o\ndeleted file mode 100644\n", Action.DELETE, "a/o", None),
        ("diff --git a/o b/n\nrename from o\nrename to n\n", Action.MODIFY, "o", "n"),
        ("diff --git a/o b/n\ncopy from o\ncopy to n\n", Action.MODIFY, "o", "n"),
        (
            'diff --git "a/\\303\\251" b/n\nrename from "\\303\\251"\nrename to n\n',
            Action.MODIFY,
            "é",
            "n",
        ),
        ('--- "a/t\\tb"\n+++ "b/t\\tb"\n@@ -1 +1 @@\n-x\n+y\n', Action.MODIFY, "a/t\tb", None),
    ],
)
def test_headers(reply, action, path, new_path):
    edit = only(reply)
    assert (edit.action, edit.path, edit.new_path) == (action, path, new_path)


def test_modes_copies_and_binaries():
    assert only("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n").new_mode == "100755"
    assert only("diff --git a/x b/y\ncopy from x\ncopy to y\n").copies
    binary = only("diff --git a/x b/x\nindex 1..2\nGIT binary patch\nliteral 3\nKcmZ\n\n")
    assert binary.is_binary
    assert only("diff --git a/x b/x\nBinary files a/x and b/x differ\n").is_binary


@pytest.mark.parametrize("margin", ["", "   "])
@pytest.mark.parametrize("info", ["diff", ""])
def test_an_indented_fence_may_have_an_indented_body(margin, info):
    body = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n    a\n-   b\n+   c\n"
    reply = f"1. So:\n\n   ```{info}\n" + "".join(f"{margin}{x}\n" for x in body.splitlines())
    (hunk,) = only(reply + "   ```\n\nDone.\n").hunks
    assert [line.tag + line.text for line in hunk.lines] == body.splitlines()[3:]


def test_a_whole_file_in_an_indented_fence_loses_its_margin():
    edit = only("- `n.py`:\n\n  ```python\n  def f():\n      pass\n  ```\n")
    assert edit.lines == ("def f():", "    pass")


def test_several_files_in_one_diff():
    edits = extract(DIFF + DIFF.replace("x.py", "y.py")).edits
    assert [edit.path for edit in edits] == ["a/x.py", "a/y.py"]
    assert {edit.passage for edit in edits} == {0}


@pytest.mark.parametrize(
    "reply",
    [
        "x.py\n```python\n<<<<<<< SEARCH\na\nb\n=======\na\nc\n>>>>>>> REPLACE\n```\n",
        "### `x.py`\n\n```\n<<<<<<< SEARCH\na\nb\n=======\na\nc\n>>>>>>> REPLACE\n```\n",
        "```python\nx.py\n<<<<<<< SEARCH\na\nb\n=======\na\nc\n>>>>>>> REPLACE\n```\n",
        "```python x.py\n<<<<<<< SEARCH\na\nb\n=======\na\nc\n>>>>>>> REPLACE\n```\n",
        "In `x.py`, change:\n<<<<<<< SEARCH\na\nb\n=======\na\nc\n>>>>>>> REPLACE\n",
        "x.py\n<source>python\n<<<<<<< SEARCH\na\nb\n=======\na\nc\n>>>>>>> REPLACE\n</source>\n",
        "<file>x.py</file>\n<original>\na\nb\n</original>\n<patched>\na\nc\n</patched>\n",
        "```\n<file>x.py</file>\n<original>a\nb</original>\n<patched>a\nc</patched>\n```\n",
        "<path>x.py</path><search>\na\nb\n</search>\n\n<replace>\na\nc\n</replace>\n",
    ],
)
def test_blocks_and_pairs_in_every_form(reply):
    edit = only(reply)
    assert (edit.path, edit.is_cut) == ("x.py", False)
    assert edit.hunks[0].origin is Origin.BLOCK
    assert [line.tag + line.text for line in edit.hunks[0].lines] == [" a", "-b", "+c"]


def test_a_block_without_a_name_inherits_the_file():
    block = "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n"
    assert [edit.path for edit in extract(f"x.py\n{block}\n{block}").edits] == ["x.py", "x.py"]


def test_a_path_inside_a_block_does_not_name_the_next_one():
    pair = "<original>\na\n</original>\n<patched>\nother.py\n</patched>\n"
    edits = extract(f"<file>x.py</file>\n{pair}{pair}<file>y.py</file>\n{pair}").edits
    assert [edit.path for edit in edits] == ["x.py", "x.py", "y.py"]


@pytest.mark.parametrize(
    "reply",
    [
        "<original>\na\n</original>\n<patched>\nb\n</patched>\nc\n</patched>\n",
        "<original>\na\n</original>\nb\n</original>\n<patched>\nc\n</patched>\n",
    ],
)
def test_a_pair_that_may_end_in_several_places_is_refused(reply):
    assert only(f"<file>x.py</file>\n{reply}").is_cut


def test_a_first_half_alone_is_prose():
    half = "<old>\na\n</old>\n"
    assert extract(half).edits == ()
    pair = "<original>\na\n</original>\n<patched>\nb\n</patched>\n"
    assert not only(f"<file>x.py</file>\n{half}\n{pair}").is_cut


def test_a_text_with_a_line_of_equals_signs_has_several_readings():
    edit = only(
        "x.rst\n<<<<<<< SEARCH\nTitle\n=======\n\n=======\nTopic\n=======\n>>>>>>> REPLACE\n"
    )
    hunk = edit.hunks[0]
    assert [reading.old for reading in (hunk, *hunk.other_readings)] == [
        ["Title"],
        ["Title", "=======", ""],
        ["Title", "=======", "", "=======", "Topic"],
    ]


@pytest.mark.parametrize(
    "reply",
    [
        "x.py\n<<<<<<< SEARCH\na\n=======\nb\n",
        "x.py\n<<<<<<< SEARCH\na\n",
        "x.py\n<<<<<<< SEARCH\na\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n",
        "<file>x.py</file>\n<original>a</original>\n<patched>\nb\n",
        "*** Begin Patch\n*** Update File: x.py\n@@\n-a\n+b\n",
        "x.py\n```python\na = 1\n",
    ],
)
def test_unterminated_edits_are_cut(reply):
    assert extract(reply).edits[0].is_cut


def test_half_a_pair_is_prose():
    assert extract("<original>\na\n</original>\nNothing follows.\n").edits == ()
    assert extract("<search>\n" * 1000).edits == ()


def test_an_envelope():
    reply = (
        "*** Begin Patch\n*** Update File: x.py\n*** Move to: y.py\n@@ class A:\n@@ def f(self):\n"
        " a\n-b\n+c\n@@\n d\n+e\n*** End of File\n*** Add File: n.py\n+one\n+\n"
        "*** Delete File: o.py\n*** End Patch\n"
    )
    update, add, delete = extract(reply).edits
    assert (update.path, update.new_path, update.renames) == ("x.py", "y.py", True)
    assert [hunk.anchors for hunk in update.hunks] == [("class A:", "def f(self):"), ()]
    assert [hunk.at_end for hunk in update.hunks] == [False, True]
    assert (add.action, add.hunks[0].new) == (Action.ADD, ["one", ""])
    assert (delete.action, delete.path) == (Action.DELETE, "o.py")


def test_an_envelope_in_a_fence_may_lack_its_end():
    edit = only("```\n*** Begin Patch\n*** Update File: x.py\n@@\n-a\n+b\n```\n")
    assert not edit.is_cut
    assert edit.hunks[0].new == ["b"]


@pytest.mark.parametrize(
    ("head", "path"),
    [
        ("src/new.py\n```python", "src/new.py"),
        ("**`src/new.py`**:\n\n```python", "src/new.py"),
        ("### File: src/new.py\n```", "src/new.py"),
        ("**File: `src/__init__.py`**\n```", "src/__init__.py"),
        ("__main__.py\n```", "__main__.py"),
        ("1. `Makefile`\n```make", "Makefile"),
        ("New file: src/new.py (new)\n```python", "src/new.py"),
        ("```python src/new.py", "src/new.py"),
        ("```python:src/new.py", "src/new.py"),
        ('```python title="src/new.py"', "src/new.py"),
    ],
)
def test_a_whole_file_has_its_name_above_or_beside_the_fence(head, path):
    edit = only(f"Here you go.\n\n{head}\nprint()\n```\n")
    assert (edit.action, edit.path, edit.lines) == (Action.WRITE, path, ("print()",))


def test_a_whole_file_may_hold_fences():
    edit = only("README.md\n```markdown\n# X\n```sh\nls\n```\nbye\n```\n")
    assert edit.lines == ("# X", "```sh", "ls", "```", "bye")


def test_a_whole_file_may_hold_a_diff():
    text = "test_x.py\n```python\nimport os\n\nA = 1\nB = 2\n\nDIFF = '''\\\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n'''\n```\n"
    assert only(text).action is Action.WRITE


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "Just words.",
        "```python\nprint('an example')\n```\n",
        "Run the tests:\n```bash\npytest tests/test_x.py\n```\n",
        "tests/test_x.py\n```console\n$ pytest\n```\n",
        "See src/x.py for more, and `a.b` too:\n```python\nx = 1\n```\n",
        "--- not a diff ---\n",
        "@@counter = 1 in Ruby\n",
        "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main\n",
    ],
)
def test_replies_without_edits(reply):
    assert extract(reply).edits == ()


def test_prose_between_edits_begins_a_new_passage():
    found = extract(f"First.\n```diff\n{DIFF}```\nThen:\n```diff\n{DIFF}```\n")
    assert [edit.passage for edit in found.edits] == [0, 1]
    assert [edit.revision for edit in found.edits] == [0, 0]
    assert [text for text in found.prose if text] == ["First.", "Then:"]


@pytest.mark.parametrize(
    "between",
    ["Wait, that is wrong.", "Actually, let me reconsider.", "Here is the corrected patch:"],
)
def test_prose_that_withdraws_begins_a_new_revision(between):
    found = extract(f"```diff\n{DIFF}```\n{between}\n```diff\n{DIFF}```\n")
    assert [edit.revision for edit in found.edits] == [0, 1]


def test_paths_and_headings_between_blocks_begin_no_passage():
    block = "x.py\n```\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n```\n\n"
    assert {edit.passage for edit in extract(block + block).edits} == {0}


def test_prose_below_the_last_patch_may_withdraw_it():
    assert "withdraws" in extract(DIFF + "\nWait, this is not right.\n").doubt
    reply = "Wait, I see it.\n" + DIFF + "\nThis is what was actually wrong.\n"
    assert extract(reply).doubt is None


@pytest.mark.parametrize(
    "lead",
    [
        "Alternatively, you could do less:",
        "**Alternative**",
        "### Option 2: a cache",
        "Approach B:",
        "Another way is this.",
        "Or:",
        "or, if you prefer speed,",
        "If you need it for old versions, use this instead:",
        "You could do this instead:",
    ],
)
def test_an_alternative_patch_raises_doubt(lead):
    assert "alternatives" in extract(f"{DIFF}\n{lead}\n\n{DIFF.replace('+c', '+d')}").doubt
    assert extract(f"{lead}\n\n{DIFF}\nAnd the caller:\n{DIFF.replace('x', 'y')}").doubt is None


@pytest.mark.parametrize(
    "lead",
    ["Do not do this:", "Avoid the following.", "## Wrong", "Before:", "What not to do:",
     "A wrong fix would be", "Something like this would not work:"],
)  # fmt: skip
def test_a_patch_shown_as_a_warning_raises_doubt(lead):
    assert "warns" in extract(f"{lead}\n\n{DIFF}").doubt


@pytest.mark.parametrize(
    "lead",
    ["Don't forget the test:", "Before that, the import:", "Step 2:", "Use b() instead of a() here:",
     "The old way was wrong, so:", "Option 2 of the menu gets a label:", "Or-ing the flags:"],
)  # fmt: skip
def test_other_prose_raises_no_doubt(lead):
    assert extract(f"{DIFF}\n{lead}\n\n{DIFF.replace('x.py', 'y.py')}").doubt is None


def test_hunks_without_a_header_take_the_path_above():
    assert only(f"**x.py**\n```diff\n{HUNK}```\n").path == "x.py"
    assert only(f"```diff\n{HUNK}```\n").path == ""


def test_edits_beyond_the_limit_are_not_read():
    found = extract(DIFF * (MAX_EDITS + 10))
    assert len(found.edits) == MAX_EDITS + 1
