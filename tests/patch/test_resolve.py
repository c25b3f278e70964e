"""Resolving replies: added, deleted and renamed files, and replies that are refused."""

from contextlib import suppress
from time import process_time

import pytest
import replies
from memory_tree import MemoryTree
from replies import tree

from dursor.errors import ApplyFailedError, NoChangeError, NoPatchError, PatchError
from dursor.patch.resolve import resolve, summarize_reply
from dursor.tree import EXECUTABLE, FILE, SUBMODULE, SYMLINK, FileState

TEXT = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n"


def after(reply, base, **options):
    """Resolve; return {path: text or None}."""
    changes = resolve(reply, base, **options).changes
    return {path: state and state.data.decode() for path, state in changes.items()}


def failed(reply, base, **options):
    with pytest.raises(ApplyFailedError) as caught:
        resolve(reply, base, **options)
    return caught.value


def diff(path, *changes):
    """Return a bare diff that replaces each old line by the new one."""
    hunks = "".join(f"@@ @@\n-{old}\n+{new}\n" for old, new in changes)
    return f"--- a/{path}\n+++ b/{path}\n{hunks}"


def block(old, new):
    return f"<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n"


# -- files ---------------------------------------------------------------------------------------


def test_a_changed_file():
    assert after(diff("a.py", ("two", "2")), tree(a__py=TEXT)) == {"a.py": TEXT.replace("two", "2")}


def test_several_files_and_formats_in_one_reply():
    reply = (
        "First:\n" + diff("a.py", ("one", "1")) + "\nThen `b.py`:\n\n"
        "<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n\n"
        "*** Begin Patch\n*** Add File: c.py\n+new\n*** End Patch\n"
    )
    base = tree(a__py=TEXT, b__py="x\n")
    assert after(reply, base) == {
        "a.py": TEXT.replace("one", "1"),
        "b.py": "y\n",
        "c.py": "new\n",
    }


@pytest.mark.parametrize(
    ("reply", "path"),
    [
        ("--- /dev/null\n+++ b/d/n.py\n@@ -0,0 +1,2 @@\n+x\n+\n", "d/n.py"),
        ("--- /dev/null\n+++ d/n.py\n@@ -0,0 +1,9 @@\n+x\n+\n", "d/n.py"),
        ("--- a/d/n.py\n+++ b/d/n.py\n@@ -0,0 +1,2 @@\n+x\n+\n", "d/n.py"),
        ("diff --git a/d/n.py b/d/n.py\nnew file mode 100644\n@@ -0,0 +1,2 @@\n+x\n+\n", "d/n.py"),
        ("*** Begin Patch\n*** Add File: d/n.py\n+x\n+\n*** End Patch\n", "d/n.py"),
        (
            "*** Begin Patch\n*** Add File: d/n.py\nx\n\n\n*** Add File: e\ny\n*** End Patch",
            "d/n.py",
        ),
        ("d/n.py\n```python\nx\n\n```\n", "d/n.py"),
        ("d/n.py\n<<<<<<< SEARCH\n=======\nx\n\n>>>>>>> REPLACE\n", "d/n.py"),
    ],
)
def test_a_new_file_in_every_format(reply, path):
    assert after(reply, tree(a__py=TEXT))[path].rstrip("\n") == "x"


def test_a_new_file_without_a_final_newline():
    reply = "--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n"
    assert after(reply, tree(a=TEXT)) == {"n": "x"}


def test_a_new_empty_file_and_a_new_executable():
    reply = (
        "diff --git a/e b/e\nnew file mode 100644\n"
        "diff --git a/run b/run\nnew file mode 100755\n--- /dev/null\n+++ b/run\n@@ -0,0 +1 @@\n+x\n"
    )
    changes = resolve(reply, tree(a=TEXT)).changes
    assert changes == {"e": FileState(FILE, b""), "run": FileState(EXECUTABLE, b"x\n")}


def test_blank_lines_below_a_new_file_are_dropped():
    assert after("--- /dev/null\n+++ b/n\n@@ @@\n+x\n+\n \n\n", BASE) == {"n": "x\n\n"}


def test_an_untagged_line_right_below_a_new_file_is_refused():
    new = "--- /dev/null\n+++ b/n\n@@ @@\n+x\n"
    assert "right below" in failed(new + "y\n", BASE).failures[0].reason
    assert after(new + "\nThat is all.\n", BASE) == {"n": "x\n"}
    assert set(after(new + diff("a", ("one", "1")), BASE)) == {"n", "a"}


def test_an_empty_fence_makes_an_empty_file_only_where_it_names_a_language():
    assert after("n/__init__.py\n```python\n```\n", BASE) == {"n/__init__.py": ""}
    with pytest.raises(NoPatchError):
        resolve("n/__init__.py\n```\n```\n", BASE)


def test_an_empty_file_can_be_filled():
    reply = "--- a/e\n+++ b/e\n@@ -0,0 +1 @@\n+x\n"
    assert after(reply, tree(e="")) == {"e": "x\n"}
    assert after("--- /dev/null\n+++ b/e\n@@ -0,0 +1 @@\n+x\n", tree(e="")) == {"e": "x\n"}


def test_a_new_file_must_be_new():
    error = failed("--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+x\n", tree(a=TEXT))
    assert error.failures[0].reason == "this file already exists"


def test_a_new_file_that_already_exists_unchanged_changes_nothing():
    with pytest.raises(NoChangeError):
        resolve("--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+x\n", tree(a="x\n"))


@pytest.mark.parametrize("body", ["+x\n-y\n", "+x\n y\n"])
def test_a_new_file_has_only_added_lines(body):
    error = failed(f"--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n{body}", tree(a=TEXT))
    assert "only added lines" in error.failures[0].reason


@pytest.mark.parametrize(
    "reply",
    [
        "diff --git a/a b/a\ndeleted file mode 100644\n--- a/a\n+++ /dev/null\n",
        "--- a/a\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-x\n-y\n",
        "*** Begin Patch\n*** Delete File: a\n*** End Patch\n",
    ],
)
def test_a_deleted_file(reply):
    assert after(reply, tree(a="x\ny\n", b="z\n")) == {"a": None}


def test_a_file_is_deleted_whole_or_not_at_all():
    error = failed("--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n", tree(a="x\ny\n"))
    assert "not all of its lines" in error.failures[0].reason


def test_a_file_can_become_empty():
    assert after("--- a/a\n+++ b/a\n@@ -1 +0,0 @@\n-x\n", tree(a="x\n")) == {"a": ""}


RENAME = "diff --git a/a.py b/d/b.py\nsimilarity index 100%\nrename from a.py\nrename to d/b.py\n"


def test_a_renamed_file():
    result = resolve(RENAME, tree(a__py=TEXT))
    assert result.changes == {"a.py": None, "d/b.py": FileState(FILE, TEXT.encode())}
    assert result.renames == {"d/b.py": "a.py"}


def test_a_rename_without_gits_line():
    move = "rename from b\nrename to c\n"
    assert after(diff("a", ("one", "1")) + move, BASE) == {
        "a": TEXT.replace("one", "1"),
        "b": None,
        "c": "x\n",
    }
    twice = move + "rename from a\nrename to d\n"
    assert after(twice, BASE) == {"b": None, "c": "x\n", "a": None, "d": TEXT}
    reply = "similarity index 50%\n" + move + "--- a/b\n+++ b/c\n@@ @@\n-x\n+y\n"
    assert after(reply, BASE) == {"b": None, "c": "y\n"}


def test_a_renamed_and_changed_file():
    reply = (
        RENAME.replace("100", "90") + "--- a/a.py\n+++ b/d/b.py\n@@ -1,2 +1,2 @@\n-one\n+1\n two\n"
    )
    assert after(reply, tree(a__py=TEXT)) == {"a.py": None, "d/b.py": TEXT.replace("one", "1")}


def test_an_envelope_moves_a_file():
    reply = "*** Begin Patch\n*** Update File: a\n*** Move to: b\n@@\n-one\n+1\n*** End Patch\n"
    result = resolve(reply, tree(a=TEXT))
    assert result.renames == {"b": "a"}
    assert result.changes["b"].data.startswith(b"1\n")


def test_a_file_renamed_twice_and_then_changed_by_its_old_name():
    reply = (
        "diff --git a/a b/b\nrename from a\nrename to b\n"
        "diff --git a/b b/c\nrename from b\nrename to c\n" + diff("a", ("one", "1"))
    )
    result = resolve(reply, tree(a=TEXT))
    assert result.renames == {"c": "a"}
    assert result.changes["c"].data == TEXT.replace("one", "1").encode()


def test_a_file_that_replaces_a_deleted_one_is_no_rename():
    reply = (
        "diff --git a/b b/b\ndeleted file mode 100644\n"
        "diff --git a/a b/b\nrename from a\nrename to b\n"
    )
    result = resolve(reply, tree(a="x\n", b="y\n"))
    assert result.changes == {"a": None, "b": FileState(FILE, b"x\n")}
    assert result.renames == {}


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (RENAME, "does not exist"),
        ("diff --git a/c.py b/x\nrename from c.py\nrename to x\n", "already exists"),
        ("diff --git a/c.py b/x\ncopy from c.py\ncopy to x\n", "already exists"),
        (diff("none.py", ("one", "1")), "does not exist"),
        ("--- a/c.py\n+++ b/new.py\n@@ @@\n-one\n+1\n", "two paths without a rename"),
        ("@@ -1 +1 @@\n-one\n+1\n", "does not name its file"),
        ("diff --git a/c.py b/c.py\nGIT binary patch\nliteral 3\nKcm\n", "binary"),
        (
            "diff --git a/c.py b/c.py\nold mode 100644\nnew mode 777\n",
            "mode '777' is not supported",
        ),
        ("diff --git a/z b/z\ndeleted file mode 100644\n", "does not exist"),
        ("--- a/z\n+++ b/z\n@@ -40,0 +41 @@\n+x\n", "does not exist"),
        ("--- /dev/null\n+++ b/m.py\n@@ -0,0 +1 @@\n+x\n", "may be a prefix"),
    ],
)
def test_invalid_sections_are_refused(reply, reason):
    base = tree(c__py=TEXT, x="x\n", **{"b/real__py": "r\n"})
    assert reason in failed(reply, base).failures[0].reason


def test_a_git_header_settles_how_names_are_written():
    reply = "diff --git a/m.py b/m.py\nnew file mode 100644\n--- /dev/null\n+++ b/m.py\n@@ -0,0 +1 @@\n+x\n"
    assert after(reply, tree(**{"b/real__py": "r\n"})) == {"m.py": "x\n"}


def test_two_names_without_prefixes_mean_the_existing_file():
    reply = "--- before.ts\n+++ patched.ts\n@@ @@\n-one\n+1\n"
    assert after(reply, tree(before__ts=TEXT)) == {"before.ts": TEXT.replace("one", "1")}
    reply = "--- a.orig\n+++ a\n@@ @@\n-one\n+1\n"
    assert after(reply, tree(a=TEXT)) == {"a": TEXT.replace("one", "1")}


@pytest.mark.parametrize("others", [{}, {"src/b__py": TEXT}])
def test_two_names_without_prefixes_that_mean_two_files_are_refused(others):
    reply = "--- src/a.py\n+++ src/b.py\n@@ @@\n-one\n+1\n"
    error = failed(reply, tree(**{"src/a__py": TEXT}, **others))
    assert "two paths" in error.failures[0].reason


def test_a_copied_file():
    reply = "diff --git a/a b/b\ncopy from a\ncopy to b\n@@ @@\n-one\n+1\n"
    assert after(reply, tree(a=TEXT)) == {"b": TEXT.replace("one", "1")}


def test_modes_change_with_and_without_lines():
    reply = "diff --git a/a b/a\nold mode 100644\nnew mode 100755\n"
    assert resolve(reply, tree(a=TEXT)).changes == {"a": FileState(EXECUTABLE, TEXT.encode())}
    state = resolve(reply + "--- a/a\n+++ b/a\n@@ @@\n-one\n+1\n", tree(a=TEXT)).changes["a"]
    assert (state.mode, state.data[:2]) == (EXECUTABLE, b"1\n")


def test_an_executable_stays_executable():
    base = MemoryTree({"run": FileState(EXECUTABLE, b"one\ntwo\n")})
    assert resolve(diff("run", ("one", "1")), base).changes["run"].mode == EXECUTABLE


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (FileState(SYMLINK, b"elsewhere"), "symbolic link"),
        (FileState(SUBMODULE, b""), "submodule"),
        (FileState(FILE, b"a\0b\n"), "binary"),
    ],
)
def test_files_without_text_cannot_be_changed(state, what):
    assert what in failed(diff("x", ("a", "b")), MemoryTree({"x": state})).failures[0].reason


def test_the_result_must_not_be_binary():
    assert "binary" in failed(diff("a", ("one", "1\0")), tree(a=TEXT)).failures[0].reason


# -- bytes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "result"),
    [
        (b"one\r\ntwo\r\n", b"1\r\ntwo\r\n"),
        (b"one\ntwo", b"1\ntwo"),
        (b"\xef\xbb\xbfone\n", b"\xef\xbb\xbf1\n"),
        (b"caf\xe9\none\n", b"caf\xe9\n1\n"),
        (b"\xff\xfe\xc3\xa9\none\n", b"\xff\xfe\xc3\xa9\n1\n"),
        (b"one\n\x0c\n\x1b[0m\n", b"1\n\x0c\n\x1b[0m\n"),
        (b"a\r\none\nb\r\n", b"a\r\n1\nb\r\n"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_files_keep_their_own_bytes(base, result, end):
    reply = diff("a", ("one", "1")).replace("\n", end)
    assert resolve(reply, tree(a=base)).changes["a"].data == result


def test_latin_1_is_read_and_written():
    assert (
        resolve(diff("a", ("café", "thé")), tree(a=b"caf\xe9\n")).changes["a"].data == b"th\xe9\n"
    )
    error = failed(diff("a", ("café", "日本")), tree(a=b"caf\xe9\n"))
    assert "not UTF-8" in error.failures[0].reason


@pytest.mark.parametrize(
    ("body", "base", "result"),
    [
        ("-one\n\\ No newline at end of file\n+one\n", b"one", b"one\n"),
        ("-one\n+one\n\\ No newline at end of file\n", b"one\n", b"one"),
        ("-one\n\\ No newline at end of file\n+1\n\\ No newline at end of file\n", b"one", b"1"),
        (" one\n+two\n\\ No newline at end of file\n", b"one\n", b"one\ntwo"),
    ],
)
def test_a_marker_sets_the_final_newline(body, base, result):
    reply = f"--- a/a\n+++ b/a\n@@ -1 +1 @@\n{body}"
    assert resolve(reply, tree(a=base)).changes["a"].data == result


# -- whole files ---------------------------------------------------------------------------------


def test_a_whole_file_replaces_a_similar_one():
    new = TEXT.replace("four\n", "4\nand more\n")
    assert after(f"a.txt\n```\n{new}```\n", tree(a__txt=TEXT)) == {"a.txt": new}


def test_a_whole_file_keeps_line_ends_and_the_last_line():
    base = tree(a__txt=TEXT.replace("\n", "\r\n").removesuffix("\r\n"))
    new = TEXT.replace("four", "4")
    result = after(f"a.txt\n```\n{new}```\n", base)["a.txt"]
    assert result == new.replace("\n", "\r\n").removesuffix("\r\n")


@pytest.mark.parametrize(
    "body",
    [
        "def unrelated():\n    pass\n",
        "one\n# ... existing code ...\nseven\n",
    ],
)
def test_an_excerpt_does_not_replace_a_file(body):
    error = failed(f"a.txt\n```\n{body}```\n", tree(a__txt=TEXT))
    assert "excerpt" in error.failures[0].reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n  "a": 1,\n  "b": 2\n}\n', '{\n  "a": 2\n}\n'),
        ("".join(f"x{i}\n" for i in range(20)), "".join(f"x{i}\n" for i in range(14)) + "y\n"),
        (
            (
                '{\n  "name": "x",\n  "version": "1",\n  "main": "m.js",\n  "scripts": {\n    "a": "b"\n'
                '  },\n  "private": true,\n  "license": "MIT"\n}\n'
            ),
            '{\n  "scripts": {\n    "a": "b",\n    "c": "d"\n  }\n}\n',
        ),
        (
            (
                "package m\n\nfunc A() int {\n\tx := 1\n\treturn x\n}\n\nfunc B() int {\n\ty := 2\n"
                "\treturn y\n}\n\nfunc C() int {\n\tz := 3\n\treturn z\n}\n"
            ),
            "package m\n\nfunc B() int {\n\ty := 4\n\treturn y\n}\n",
        ),
    ],
)
def test_an_excerpt_with_both_ends_of_the_file_does_not_replace_it(text, said):
    reply = f"a.txt\n```\n{said}```\n"
    assert "excerpt" in failed(reply, tree(a__txt=text)).failures[0].reason


def test_a_quoted_part_of_a_file_is_ignored_beside_a_patch():
    quoted = "a.txt\n```\ntwo\nthree\n```\n"
    assert "the rest" in failed(quoted, tree(a__txt=TEXT)).failures[0].reason
    reply = quoted + "should become\n" + diff("a.txt", ("two", "2"))
    assert after(reply, tree(a__txt=TEXT)) == {"a.txt": TEXT.replace("two", "2")}
    with pytest.raises(NoChangeError):
        resolve(f"a.txt\n```\n{TEXT}```\n", tree(a__txt=TEXT))


@pytest.mark.parametrize("path", ["AUTHORS", ".gitignore", "Makefile", "src/x", "a.b/.c"])
def test_a_whole_file_may_have_any_name(path):
    assert after(f"`{path}`\n\n```\nx\n```\n", BASE) == {path: "x\n"}


@pytest.mark.parametrize(
    "reply",
    [
        "n.md\n```md\n# T\n```\nrun it\n```\nend\n```\n",  # which fence is the last?
        "n.py\n```python\nx = 1\n\nm.py\n```python\ny = 1\n```\n",  # the first is not closed
    ],
)
def test_a_whole_file_whose_fence_is_unclear_is_refused(reply):
    assert "breaks off" in failed(reply, BASE).failures[0].reason


@pytest.mark.parametrize(
    ("fences", "inner"),
    [(("```md", "```"), "```sh"), (("````", "````"), "```"), (("~~~", "~~~"), "```")],
)
def test_a_whole_file_may_hold_fences(fences, inner):
    text = f"# T\n{inner}\nrun it\n```\nend\n"
    assert after(f"n.md\n{fences[0]}\n{text}{fences[1]}\n", BASE) == {"n.md": text}


@pytest.mark.parametrize(
    "reply",
    [
        diff("a", ("one", "# ... existing code ...")),
        "--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+// ... rest of the code ...\n",
        "n.py\n```\nx = 1\n# ... rest remains the same ...\n```\n",
    ],
)
def test_comments_for_omitted_code_are_not_written(reply):
    assert "left out" in failed(reply, tree(a=TEXT)).failures[0].reason


def test_such_a_comment_may_be_written_if_the_file_has_it():
    base = tree(a="one\n    # ... existing code ...\n")
    reply = (
        "--- a/a\n+++ b/a\n@@ @@\n-one\n-    # ... existing code ...\n+# ... existing code ...\n"
    )
    assert after(reply, base) == {"a": "# ... existing code ...\n"}


@pytest.mark.parametrize(
    "sentence",
    ["Here is the full updated `a.txt`:", "Done. The complete new file `a.txt` with the fix:"],
)
def test_a_sentence_names_a_whole_file(sentence):
    new = TEXT.replace("four", "4")
    assert after(f"{sentence}\n\n```\n{new}```\n", tree(a__txt=TEXT)) == {"a.txt": new}


def test_a_sentence_creates_a_file():
    reply = "Create `pkg/new.py`:\n```python\nx = 1\n```\n"
    assert after(reply, tree(a__txt=TEXT)) == {"pkg/new.py": "x = 1\n"}


@pytest.mark.parametrize("body", ["one\nnew\n", "one\n# ... existing code ...\nseven\n"])
def test_an_excerpt_that_a_sentence_calls_a_file_is_refused(body):
    reply = f"Here is the full updated `a.txt`:\n```\n{body}```\n"
    assert "excerpt" in failed(reply, tree(a__txt=TEXT)).failures[0].reason


@pytest.mark.parametrize(
    "sentence",
    ["Update `a.txt`:", "The updated function in `a.txt`:", "The full `a.txt` and `b.txt`:",
     "Example usage of the complete `a.txt`", "I updated `a.txt`."],
)  # fmt: skip
def test_other_sentences_name_no_file(sentence):
    with pytest.raises(NoPatchError):
        resolve(f"{sentence}\n```\n{TEXT.replace('four', '4')}```\n", tree(a__txt=TEXT))


# -- several hunks -------------------------------------------------------------------------------


def test_blocks_build_on_one_another():
    reply = "".join(
        f"a.txt\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n"
        for old, new in [("one", "1"), ("1\ntwo", "1\n2"), ("2\nthree", "2\n3")]
    )
    assert after(reply, tree(a__txt=TEXT)) == {"a.txt": TEXT.replace("one\ntwo\nthree", "1\n2\n3")}


def test_a_block_for_lines_that_another_changed_is_refused():
    reply = "".join(
        f"a.txt\n<<<<<<< SEARCH\none\ntwo\n=======\n{new}\n>>>>>>> REPLACE\n"
        for new in ("1\ntwo", "one\n2")
    )
    assert failed(reply, tree(a__txt=TEXT)).failures[0].path == "a.txt"


def test_hunks_that_change_the_same_lines_are_refused():
    error = failed(diff("a", ("one", "1"), ("one", "uno")), tree(a=TEXT))
    assert error.failures[0].reason == "two hunks change the same lines"


def test_a_repeated_hunk_counts_once():
    assert after(diff("a", ("one", "1"), ("one", "1")), tree(a=TEXT))["a"].startswith("1\ntwo")


def test_equal_blocks_are_placed_once_each_if_counts_agree():
    block = "a.txt\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n"
    base = tree(a__txt="x\na\nx\nb\n")
    assert after(block * 2, base) == {"a.txt": "y\na\ny\nb\n"}
    assert "more than one place" in failed(block, base).failures[0].reason
    assert "more than one place" in failed(block * 3, base).failures[0].reason


def test_a_repeated_block_that_could_apply_twice_is_refused():
    block = "a.txt\n<<<<<<< SEARCH\none\n=======\none\nx\n>>>>>>> REPLACE\n"
    assert "repeated" in failed(block * 2, tree(a__txt=TEXT)).failures[0].reason


def test_a_replacement_that_repeats_the_next_line_is_refused():
    reply = "a.txt\n" + block("one", "1\ntwo")
    assert "ambiguous" in failed(reply, tree(a__txt=TEXT)).failures[0].reason
    reply = "a.txt\n" + block("one", "1\nseven")
    assert after(reply, tree(a__txt=TEXT))["a.txt"].startswith("1\nseven\ntwo")


def test_the_reading_that_fits_counts():
    reply = "a.rst\n" + block("Old\n=======\nsome longer text", "New\n=======\nmore")
    base = tree(a__rst="Old\n=======\nsome longer text\n")
    assert after(reply, base) == {"a.rst": "New\n=======\nmore\n"}
    assert after(reply, tree(a__rst="Old\n----\n"))["a.rst"].startswith("some longer text\n====")


def test_a_reading_counts_in_the_text_that_earlier_blocks_leave():
    base = tree(a__rst="Old\nTop\n=======\nsome longer text\n")
    second = block("Old\n=======\nsome longer text", "New\n=======\ny")
    assert after("a.rst\n" + block("Top", "Old") + second, base) == {
        "a.rst": "Old\nNew\n=======\ny\n"
    }


def test_a_vetoed_reading_still_counts_as_fitting():
    reply = "a.rst\n" + block("Old\n=======", "x")
    assert "ambiguous" in failed(reply, tree(a__rst="Old\n=======\nx\n")).failures[0].reason


def test_two_fitting_readings_are_refused():
    block = "a.rst\n<<<<<<< SEARCH\nOld\n=======\n=======\nNew\n>>>>>>> REPLACE\n"
    error = failed(block, tree(a__rst="Old\n=======\n\nOld\n"))
    assert "more than one" in error.failures[0].reason


TWINS = tree(a__py="x\ny\n", **{"d/b__py": "x\ny\n"})


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        ("And further down:", {"a.py"}),
        ("// d/b.py", {"a.py", "d/b.py"}),
        ("Now in `d/b.py`:", {"a.py", "d/b.py"}),
        ("Now change b.py, which calls it.\n\nIt is short:", None),
        ("From `a.py` to `d/b.py`:", None),
        ("As the docs (e.g. x.y.z) say:", {"a.py"}),
    ],
)
def test_a_block_inherits_the_last_file_unless_prose_names_another(words, paths):
    reply = "a.py\n" + block("x", "1") + f"\n{words}\n\n" + block("y", "2")
    if paths is None:
        assert "Name the file" in failed(reply, TWINS).failures[0].reason
    else:
        assert set(after(reply, TWINS)) == paths


def test_a_file_tag_overrides_the_prose_above():
    pair = "<original>\nx\n</original>\n<patched>\n1\n</patched>\n"
    assert set(after(f"See d/b.py.\n<file>a.py</file>\n{pair}", TWINS)) == {"a.py"}
    twice = f"<file>a.py</file>\n{pair}Now d/b.py:\n{pair}"
    assert "Name the file" in failed(twice, TWINS).failures[0].reason


def test_a_block_below_another_format_needs_a_name():
    error = failed(diff("a.py", ("x", "1")) + "\nAnd:\n\n" + block("y", "2"), TWINS)
    assert "does not name its file" in error.failures[0].reason


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("old/a.py", "new/a.py"),
        ("a.py (before)", "a.py (after)"),
        ("a.py.orig\t2024-01-01 10:00:00", "a.py\t2024-01-02 10:00:00"),
        ("x/a.py", "y/a.py"),
    ],
)
def test_two_names_for_one_file(old, new):
    reply = f"--- {old}\n+++ {new}\n@@ @@\n-x\n+1\n"
    assert set(after(reply, TWINS)) == {"a.py"}


@pytest.mark.parametrize(
    ("old", "new"), [("old", "new"), ("old/a.py", "old/a.py"), ("/a.py", "/a.py")]
)
def test_names_of_missing_files_are_refused(old, new):
    error = failed(f"--- {old}\n+++ {new}\n@@ @@\n-x\n+1\n", TWINS)
    assert "does not exist" in error.failures[0].reason


# -- revisions -----------------------------------------------------------------------------------


def fenced(text):
    return f"```diff\n{text}```\n"


BASE = tree(a=TEXT, b="x\n")


def test_the_last_revision_counts():
    reply = (
        fenced(diff("a", ("one", "1")))
        + "\nWait, let me reconsider.\n\n"
        + fenced(diff("a", ("one", "uno"), ("two", "dos")))
    )
    assert after(reply, BASE) == {"a": TEXT.replace("one", "uno").replace("two", "dos")}


@pytest.mark.parametrize(
    "first",
    [
        diff("a", ("seven", "7")),
        diff("b", ("x", "y")),
        "--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n",
    ],
)
def test_a_revision_that_covers_less_is_refused(first):
    reply = (
        fenced(first)
        + "\nActually, here is the corrected patch:\n\n"
        + fenced(diff("a", ("one", "1")))
    )
    assert "withdraws a patch" in failed(reply, BASE).failures[0].reason


def test_a_revision_that_did_not_fit_needs_no_replacement():
    reply = (
        fenced(diff("a", ("nine", "9")))
        + "\nWait, wrong line.\n\n"
        + fenced(diff("a", ("one", "1")))
    )
    assert after(reply, BASE) == {"a": TEXT.replace("one", "1")}


def test_parts_of_one_answer_add_up():
    reply = (
        fenced(diff("a", ("one", "1"))) + "\nNext, the end:\n\n" + fenced(diff("a", ("seven", "7")))
    )
    assert after(reply, BASE) == {"a": TEXT.replace("one", "1").replace("seven", "7")}


def test_a_repeated_patch_counts_once():
    whole = diff("a", ("one", "1"))
    reply = fenced(whole) + "\nHere is the full patch again:\n\n" + fenced(whole)
    assert after(reply, BASE) == {"a": TEXT.replace("one", "1")}


def test_equal_hunks_for_two_lines_do_not_share_one_place():
    hunk = "@@ -{0},2 +{0},2 @@\n one\n-two\n+2\n"
    reply = "--- a/a\n+++ b/a\n" + hunk.format(1) + hunk.format(5)
    assert "one place" in failed(reply, BASE).failures[0].reason


def test_equal_patches_for_two_lines_are_two():
    base = tree(a="x\ny\nz\nx\ny\nz\n")
    hunk = "--- a/a\n+++ b/a\n@@ -{0},2 +{0},2 @@\n x\n-y\n+Y\n"
    reply = fenced(hunk.format(1)) + "\nThen:\n\n" + fenced(hunk.format(4))
    assert after(reply, base) == {"a": "x\nY\nz\nx\nY\nz\n"}


def test_two_patches_that_cover_the_same_lines_are_refused():
    reply = (
        fenced("--- a/a\n+++ b/a\n@@ @@\n one\n-two\n+2\n three\n")
        + "\nAnd then:\n\n"
        + fenced("--- a/a\n+++ b/a\n@@ @@\n two\n three\n+3.5\n four\n")
    )
    assert "same lines" in failed(reply, BASE).failures[0].reason


def test_a_patch_that_is_withdrawn_is_refused():
    reply = fenced(diff("a", ("one", "1"))) + "\nWait, that breaks the other caller.\n"
    assert "withdraws" in failed(reply, BASE).failures[0].reason


def test_too_many_patches_are_refused():
    assert "more than" in failed(diff("a", ("one", "1")) * 20_001, BASE).failures[0].reason


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("reply", ["", "I cannot do that.", "```python\nx = 1\n```\n"])
def test_a_reply_without_a_patch(reply):
    with pytest.raises(NoPatchError) as caught:
        resolve(reply, BASE)
    assert caught.value.code == "no_patch"


@pytest.mark.parametrize(
    "reply",
    [
        diff("a", ("one", "one")),
        "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n one\n two\n",
    ],
)
def test_a_reply_that_changes_nothing(reply):
    with pytest.raises(NoChangeError):
        resolve(reply, BASE)


def test_a_hunk_without_changes_must_not_claim_any():
    idle = "--- a/a\n+++ b/a\n@@ -1,3 +1,{} @@\n one\n {}\n"
    with pytest.raises(NoChangeError):
        resolve(idle.format(3, "three"), BASE)  # it claims nothing
    with pytest.raises(NoChangeError):
        resolve(idle.format(2, "two"), BASE)  # it is all there
    assert "does not match" in failed(idle.format(2, "three"), BASE).failures[0].reason


PAIR = "<file>a</file>\n<original>\none\n</original>\n<patched>\n1\n</patched>\n"


@pytest.mark.parametrize(
    "reply",
    [
        "--- a/a\n+++ b/a\n@@ -1,7 +1,9 @@\n-one\n+1\n+and the",
        "a\n<<<<<<< SEARCH\none\n=======\n1",
        "*** Begin Patch\n*** Update File: a\n@@\n-one\n+1",
        "a.txt\n```\none\ntwo",
        diff("a", ("one", "1")) + "--- a/b\n+++ b/b\n",
        diff("a", ("one", "1")) + "--- a/b",
        diff("a", ("one", "1")) + "diff --git a/b b/b\n",
        diff("a", ("one", "1")) + "diff --git a/b b/b\nold mode 100644\n",
        diff("a", ("one", "1")) + "diff --git a/b",
        diff("a", ("one", "1")) + "@@ -5,2 +",
        diff("a", ("one", "1")) + "@@ -5,3 +5,4 @@\n five\n six",
        RENAME.replace("to d/b.py\n", "to d/b"),
        RENAME.replace("100%", "90%"),
        "--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n-one\n+1\n two\n three\ndiff",
        diff("a", ("one", "1")) + "--- /dev/null\n+++ b/new\n\n",
        "```diff\n" + diff("a", ("one", "1")) + "--- a/b\n+++ /dev/null\n",
        "```diff\n--- a/a\n+++ b/a\n@@ -1,1 +1,4 @@\n-one\n+1\n```\n+2\n+3\n```\n",
        "--- a/a\n+++ b/a\n@@ -1,5 +1,5 @@\n-one\n+1\n two\n```\ntext\n-four\n+4\n",
        "--- a/a\n+++ b/a\n@@ @@\n-one\n+1\n two\n```\ntext\n-four\n+4\n",
        "--- a/a\n+++ b/a\n@@ @@\n-one\n+1\n two\n```\n- four\n+ 4\n",
        "*** Begin Patch\n*** Update File: a\n@@\n-one\n+1\n```\n+x\n+y\n*** End Patch\n",
        (
            "```\n*** Begin Patch\n*** Update File: a\n@@\n-one\n+1\n```\n*** Delete File: b\n"
            "*** End Patch\n```\n"
        ),
        "<file>a</file>\n<original>one</original>\n<patched>\n1",
        PAIR + "<original>\nfour\nfi",
        PAIR + "<original>\nfour\n</original>\n<patched",
        "```diff\n" + diff("a", ("one", "1")) + "```\nNext:\n```diff\n",
        PAIR + "<original>\nfour\n",
        "--- a/a\n+++ b/a\n@@\n-one\n+1\n@@\n-four\n+4, and so",
        "```diff\n--- a/a\n+++ b/a\n@@ ... @@\n-one\n+1\n@@ ... @@\n four\n five",
    ],
)
def test_a_reply_that_is_cut(reply):
    assert "breaks off" in failed(reply, BASE).failures[0].reason


def test_half_a_last_line_is_refused():
    reply = "--- a/a\n+++ b/a\n@@ -1,7 +1,7 @@\n one\n-two\n+2\n three\n four\n fi"
    assert "does not match" in failed(reply, BASE).failures[0].reason
    assert after(reply.removesuffix("\n fi"), BASE)["a"].startswith("one\n2")


def test_counts_show_a_cut_in_an_open_fence():
    reply = "```diff\n--- a/a\n+++ b/a\n@@ -1,7 +1,30 @@\n one\n-two\n+2\n+and\n"
    assert "breaks off" in failed(reply, BASE).failures[0].reason
    whole = reply.replace("1,7 +1,30", "1,2 +1,3")
    for end in ("", "\n", "\n\n"):
        assert after(whole + end, BASE)["a"].startswith("one\n2\nand\nthree")
    assert after(reply, BASE, finished=True) == after(whole, BASE)


def test_half_a_last_line_is_refused_without_counts():
    reply = "```diff\n--- a/a\n+++ b/a\n@@\n one\n-two\n+2\n thr"
    assert "does not match" in failed(reply, BASE).failures[0].reason
    assert after(reply + "ee", BASE)["a"].startswith("one\n2\nthree")


CLOSE = "--- a/a\n+++ b/a\n@@ -1,2 +1,9 @@\n-one\n+1\n+and more"


def test_a_finished_reply_is_not_cut():
    assert after(CLOSE, BASE, finished=True) == {"a": TEXT.replace("one\n", "1\nand more\n")}
    assert "breaks off" in failed(CLOSE, BASE).failures[0].reason


@pytest.mark.parametrize(
    "start", ["*** Begin Patch\n*** Update File: a\n@@\n", "a\n<<<<<<< SEARCH\n"]
)
def test_a_format_with_an_end_marker_must_have_it(start):
    error = failed(f"{start}-one\n+1\n", BASE, finished=True)
    assert "breaks off" in error.failures[0].reason


def test_a_list_below_a_hunk_is_prose_but_changed_lines_are_not():
    hunk = "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n-one\n+1\n two\n\n"
    assert after(hunk + "- it works\n- it is short\n", BASE)["a"].startswith("1\ntwo")
    error = failed(hunk + "-four\n+4\n", BASE)
    assert "does not match" in error.failures[0].reason


def test_an_unproved_margin_is_refused_beside_a_reindented_hunk():
    base = tree(a="x = [\n]\n\ndef f():\n    if g():\n        h()\n")
    off = "@@ @@\n def f():\n-  if g():\n+  if g(1):\n     h()\n"
    reply = "--- a/a\n+++ b/a\n@@ @@\n x = [\n+  1,\n ]\n"
    assert after(reply, base)["a"].startswith("x = [\n  1,\n")
    assert "indented" in failed(reply + off, base).failures[0].reason


def test_an_untagged_line_that_the_header_counts_is_no_prose():
    reply = "--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n-one\n+1\n two\nthree!\n \n"
    assert "does not match" in failed(reply, BASE).failures[0].reason
    assert after(reply.replace("1,3", "1,2"), BASE) == {"a": TEXT.replace("one", "1")}


def test_the_hunks_of_one_diff_refer_to_one_text():
    error = failed(diff("a", ("one", "1"), ("1", "uno")), BASE)
    assert "no line of the hunk" in error.failures[0].reason
    assert after(diff("a", ("one", "1")) + diff("a", ("1", "uno")), BASE)["a"].startswith("uno")


def test_a_rename_whose_names_disagree_is_refused():
    error = failed(RENAME.replace("to d/b", "to d/c") + diff("a", ("one", "1")), BASE)
    assert "does not name its file" in error.failures[0].reason


def test_a_failure_shows_the_first_line_that_differs_and_the_nearest_text():
    reply = "--- a/a\n+++ b/a\n@@ -9 +9 @@\n three\n four\n-5\n+five!\n six\n"
    (failure,) = failed(reply, BASE).failures
    assert failure.path == "a"
    assert failure.line == "5"
    assert failure.nearest == TEXT.removesuffix("\n")
    assert failure.nearest_line == 1
    assert failure.hunk.startswith("@@ -9 +9 @@")


def test_a_failure_in_a_long_file_shows_a_screenful():
    lines = [f"line {i}" for i in range(2000)]
    base = tree(a="\n".join(lines) + "\n")
    hunk = "".join(f" line {i}\n" for i in range(900, 1000)) + "-line 7000\n+x\n"
    (failure,) = failed(f"--- a/a\n+++ b/a\n@@ @@\n{hunk}", base).failures
    assert failure.line == "line 7000"
    shown = failure.nearest.split("\n")
    assert len(shown) <= 60
    assert lines[failure.nearest_line - 1] == shown[0]
    assert "line 1000" in shown


@pytest.mark.parametrize(
    ("hunk", "base", "reason"),
    [
        ("+x\n", TEXT, "no line of the file"),
        (" z\n+x\n", TEXT, "no line of the hunk is in the file"),
        ("-z\n+x\n", "", "the file is empty"),
    ],
)
def test_reasons_of_failures(hunk, base, reason):
    assert (
        reason in failed(f"--- a/a\n+++ b/a\n@@ -3 +3 @@\n{hunk}", tree(a=base)).failures[0].reason
    )


def test_a_vetoed_hunk_asks_for_context():
    reply = "--- a/a\n+++ b/a\n@@ -1,5 +1,5 @@\n one\n two\n+x\n"
    assert "context on both sides" in failed(reply, BASE).failures[0].reason


def test_all_failures_are_reported_at_once():
    error = failed(diff("a", ("x1", "y"), ("one", "1"), ("x2", "y")) + diff("c", ("x", "y")), BASE)
    assert [failure.path for failure in error.failures] == ["a", "a", "c"]
    assert "(and 2 more)" in error.message


# -- repairs -------------------------------------------------------------------------------------


def test_a_repair_may_contain_only_the_failed_hunks():
    error = failed(diff("a", ("one", "1"), ("wrong", "7")) + diff("b", ("x", "y")), BASE)
    assert set(error.kept.changes) == {"a", "b"}
    wanted = {"a": TEXT.replace("one", "1").replace("seven", "7"), "b": "y\n"}
    assert after(diff("a", ("seven", "7")), BASE, kept=error.kept) == wanted
    # Saying all of it again is no error, and applies nothing twice.
    everything = diff("a", ("one", "1"), ("seven", "7")) + diff("b", ("x", "y"))
    assert after(everything, BASE, kept=error.kept) == wanted


def test_a_repeated_insertion_applies_once():
    add = "@@ @@\n one\n+one and a half\n two\n"
    error = failed(f"--- a/a\n+++ b/a\n{add}@@ @@\n-wrong\n+7\n", BASE)
    reply = f"--- a/a\n+++ b/a\n{add}@@ @@\n-seven\n+7\n"
    assert after(reply, BASE, kept=error.kept)["a"] == (
        TEXT.replace("one\n", "one\none and a half\n").replace("seven", "7")
    )


def test_a_repeated_insertion_at_the_end_applies_once():
    add = "@@ @@\n six\n seven\n+eight\n"
    error = failed(f"--- a/a\n+++ b/a\n{add}@@ @@\n-wrong\n+1\n", BASE)
    reply = f"--- a/a\n+++ b/a\n{add}@@ @@\n-one\n+1\n"
    assert after(reply, BASE, kept=error.kept)["a"] == TEXT.replace("one", "1") + "eight\n"


def test_a_repeated_insertion_applies_once_with_a_new_final_newline():
    base = tree(a="one\ntwo\n\nthree", b="x\n")
    add = (
        "--- a/a\n+++ b/a\n@@ @@\n one\n+one and a half\n two\n"
        "@@ @@\n \n-three\n\\ No newline at end of file\n+three\n"
    )
    error = failed(add + diff("b", ("wrong", "y")), base)
    wanted = {"a": "one\none and a half\ntwo\n\nthree\n", "b": "y\n"}
    assert after(add + diff("b", ("x", "y")), base, kept=error.kept) == wanted


def test_a_repair_may_build_on_the_kept_changes():
    error = failed(diff("a", ("one", "1"), ("wrong", "7")), BASE)
    reply = "--- a/a\n+++ b/a\n@@ @@\n 1\n-two\n+2\n three\n"
    assert after(reply, BASE, kept=error.kept)["a"] == TEXT.replace("one", "1").replace("two", "2")


def test_a_repair_may_replace_a_kept_change():
    error = failed(diff("a", ("one", "1"), ("wrong", "7")), BASE)
    assert after(diff("a", ("one", "uno")), BASE, kept=error.kept)["a"] == TEXT.replace(
        "one", "uno"
    )


def test_a_repair_keeps_new_deleted_and_renamed_files():
    first = (
        "--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+new\n"
        "diff --git a/b b/c\nrename from b\nrename to c\n" + diff("a", ("wrong", "1"))
    )
    error = failed(first, BASE)
    wanted = {"n": "new\n", "b": None, "c": "x\n", "a": TEXT.replace("one", "1")}
    assert after(diff("a", ("one", "1")), BASE, kept=error.kept) == wanted
    assert after(first.replace("wrong", "one"), BASE, kept=error.kept) == wanted
    again = resolve(diff("a", ("one", "1")) + diff("b", ("x", "y")), BASE, kept=error.kept)
    assert again.renames == {"c": "b"}
    assert again.changes["c"].data == b"y\n"


def test_a_repair_keeps_a_file_that_replaced_another():
    base = tree(a__py="one\ntwo\nthree\n", b__py="b1\nb2\nb3\nb4\n", c__py="x\n")
    first = (
        "diff --git a/b.py b/b.py\ndeleted file mode 100644\n--- a/b.py\n+++ /dev/null\n"
        "diff --git a/a.py b/b.py\nrename from a.py\nrename to b.py\n"
        "--- a/a.py\n+++ b/b.py\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n" + diff("c.py", ("wrong", "y"))
    )
    error = failed(first, base)
    assert after(diff("c.py", ("x", "y")), base, kept=error.kept) == {
        "a.py": None,
        "b.py": "one\n2\nthree\n",
        "c.py": "y\n",
    }


def test_a_repair_that_undoes_everything_changes_nothing():
    error = failed(diff("a", ("one", "1"), ("wrong", "7")), BASE)
    with pytest.raises(NoChangeError):
        resolve("--- a/a\n+++ b/a\n@@ @@\n-1\n+one\n two\n", BASE, kept=error.kept)


# -- hostile replies -----------------------------------------------------------------------------


def test_a_header_with_absurd_numbers_is_ignored():
    reply = f"--- a/a\n+++ b/a\n@@ -{'9' * 5000},1 +1,1 @@\n-two\n+2\n"
    assert after(reply, BASE)["a"] == TEXT.replace("two", "2")


@pytest.mark.parametrize("name", ["n\ud800.py", '"n\ud800\\t.py"'])
def test_a_name_that_is_not_unicode_is_refused(name):
    reply = f"--- /dev/null\n+++ {name}\n@@ -0,0 +1 @@\n+x\n"
    assert "not Unicode" in failed(reply, BASE).failures[0].reason


def test_a_file_of_too_many_lines_is_refused():
    base = tree(a="\n".join(map(str, range(1_000_100))))
    assert "not searched" in failed(diff("a", ("7", "8")), base).failures[0].reason


@pytest.mark.parametrize(
    "reply",
    [
        diff("a", ("two", "2")) + "\n" + "-\n" * 30_000,
        f"--- a/a{' ' * 60_000}x\n+++ b/a\n@@ @@\n-two\n+2\n",
        f"*** Begin Patch\n*** Update File: a{' ' * 60_000}x\n@@\n-two\n+2\n*** End Patch\n",
    ],
)
def test_long_runs_are_fast(reply):
    began = process_time()
    with suppress(PatchError):
        resolve(reply, BASE)
    assert process_time() - began < 2


# -- words ---------------------------------------------------------------------------------------


def test_the_summary_is_the_prose():
    reply = (
        "## The fix\n\nIt was **off** by `one`.\n\n"
        + fenced(diff("a", ("one", "1")))
        + "\na.py\n\nDone.\n"
    )
    assert summarize_reply(reply) == "The fix It was off by one. Done."
    assert summarize_reply(diff("a", ("one", "1"))) is None


def test_the_summary_is_short():
    text = summarize_reply("word " * 1000)
    assert len(text) < 510
    assert text.endswith("word …")


def test_notes_name_the_rule_of_each_hunk():
    assert resolve(diff("a", ("two", "2")), BASE).notes == ("a:2: exact",)


def test_rendered_edits_resolve():
    lines = TEXT.splitlines()
    edits = [replies.Edit(1, 2, ("2", "2.5")), replies.Edit(5, 6, ())]
    for render in (replies.diff, replies.blocks, replies.envelope, replies.pairs):
        reply = "\n".join(render("a.txt", lines, edits)) + "\n"
        assert after(reply, tree(a__txt=TEXT))["a.txt"].splitlines() == replies.apply_edits(
            lines, edits
        )


@pytest.mark.parametrize(
    ("search", "new"),
    [
        ("\nthree\n", "\ntwo\nthree\nand more\n"),
        ("\nthree", "\ntwo\n3"),
        ("three\n\n", "three\nfour\n"),
        ("three\n", "three\n4\n"),
        ("\nthree\n", "\n3\n"),
    ],
)
def test_a_block_that_omits_a_line_beside_its_blank_edge_is_refused(search, new):
    reply = "a.py\n" + block(search, new)
    assert failed(reply, tree(a__py=TEXT)).failures[0].path == "a.py"


def test_a_repeated_hunk_with_a_blank_line_below_is_the_same():
    hunk = "@@ -2,2 +2,3 @@\n two\n+more\n three\n"
    other = diff("b", ("one", "1"))
    for again in (hunk, "@@ @@\n two\n+more\n"):
        reply = f"--- a/a\n+++ b/a\n{again * 2}\n{other}"
        assert after(reply, tree(a=TEXT, b=TEXT))["a"].count("more") == 1


def test_a_repeated_patch_for_one_line_does_not_go_to_two():
    base = tree(a="x\ny\nx\n")
    one = "--- a/a\n+++ b/a\n@@ -1,4 +1,4 @@\n-x\n+1\n"
    assert "more than one" in failed(one * 2, base).failures[0].reason
    assert after(one.replace("-1,4 +1,4 ", "") * 2, base) == {"a": "1\ny\n1\n"}


def test_two_hunks_that_add_the_same_lines_in_one_place_are_refused():
    reply = "--- a/a\n+++ b/a\n@@ @@\n two\n+more\n@@ @@\n+more\n three\n"
    assert "one place" in failed(reply, tree(a=TEXT)).failures[0].reason
    reply = "--- a/a\n+++ b/a\n@@ @@\n two\n+more\n@@ @@\n+more\n three\n-four\n+4\n"
    assert "same lines" in failed(reply, tree(a=TEXT)).failures[0].reason


def test_an_anchor_and_a_blank_line_name_no_place():
    base = tree(a__py="def f():\n    x\n\n    y\ndef g():\n    pass\n")
    reply = "*** Begin Patch\n*** Update File: a.py\n@@ def f():\n \n+# g\n*** End Patch\n"
    assert failed(reply, base).failures[0].path == "a.py"


# -- nothing is dropped silently -----------------------------------------------------------


@pytest.mark.parametrize("mark", ["### `{}`\n\n", "{}\n", "**File: {}**\n", "2. `{}`:\n"])
def test_consecutive_whole_files_in_plain_fences(mark):
    new = {"a.py": TEXT.replace("two", "2"), "b.py": TEXT.replace("six", "6")}
    reply = "".join(f"{mark.format(path)}```\n{text}```\n\n" for path, text in new.items())
    assert after(reply, tree(a__py=TEXT, b__py=TEXT)) == new


def test_consecutive_diffs_in_plain_fences():
    reply = f"```\n{diff('a.py', ('one', '1'))}```\n\n```\n{diff('b.py', ('one', '1'))}```\n"
    assert set(after(reply, tree(a__py=TEXT, b__py=TEXT))) == {"a.py", "b.py"}


@pytest.mark.parametrize(
    "part",
    [
        "--- a/b.py\n+++ b/b.py\n one\n-two\n+2\n three\n",
        "diff --git a/b.py b/b.py\nindex 1234567..89abcde 100644\n",
        "diff --git a/b.py b/b.py\n--- a/b.py\n",
        "--- /dev/null\n+++ b/c.py\n+new\n",
        "diff --git a/c.py b/c.py\nnew file mode 100644\n--- /dev/null\n+++ b/c.py\n+new\n",
        "-two\n+2\n",
        " one\n-two\n+2\n three\n",
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_part_without_hunks_is_refused(part, is_first):
    parts = [
        f"In `a.py`:\n```diff\n{diff('a.py', ('one', '1'))}```\n",
        f"In `b.py`:\n```diff\n{part}```\n",
    ]
    reply = "\n".join(reversed(parts) if is_first else parts)
    assert "has no hunks" in failed(reply, tree(a__py=TEXT, b__py=TEXT)).failures[0].reason
