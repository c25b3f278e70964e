"""Canonical patches: git applies them, and the result is the tree byte for byte."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_tree import MemoryTree
from replies import tree
from unidiff import PatchSet

from dursor.domain import Change, FileChange
from dursor.errors import ConflictError
from dursor.patch.diff.apply_canonical import apply_canonical
from dursor.patch.diff.canonical import render_canonical
from dursor.patch.diff.index_lines import add_index_lines
from dursor.patch.diff.resolution import compose
from dursor.patch.lines import Splice
from dursor.patch.resolve import Resolution, resolve
from dursor.tree import EXECUTABLE, FILE, FileState, Overlay

PATHS = (
    "a.py",
    "d/b.txt",
    "with blank.md",
    "été.txt",
    'q"uote',
    "t\tab",
    "b/c.py",
    "a/a.py",
    "back\\slash",
)


def state(text="", mode=FILE):
    return FileState(mode, text if isinstance(text, bytes) else text.encode())


def write(top: Path, files):
    for path, (mode, data) in files.items():
        target = top / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        target.chmod(0o755 if mode == EXECUTABLE else 0o644)


def read(top: Path):
    return {
        path.relative_to(top).as_posix(): FileState(
            EXECUTABLE if path.stat().st_mode & 0o100 else FILE, path.read_bytes()
        )
        for path in top.rglob("*")
        if path.is_file()
    }


def git_apply(top: Path, patch: str, *options: str):
    env = {
        **os.environ,
        "GIT_CEILING_DIRECTORIES": str(top.parent),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    return subprocess.run(
        ["git", "apply", "--whitespace=nowarn", *options, "-"],
        input=patch.encode("utf-8", "surrogateescape"),
        cwd=top, env=env, capture_output=True, check=False,
    )  # fmt: skip


lines = st.sampled_from(
    [b"a", b"b", b"c", b"", b"  x", b"\xe9t\xe9", "😀".encode(), b"d\r", b"-- x", b"++ y", b"\\ No newline",
     b"\x0c", b"a\rb", "\u2028c\x85".encode(), b"\x1b[1m", b"tab\t", b"@@ -1 +1 @@", b"diff --git a/x b/x"]
)  # fmt: skip
datas = st.builds(
    lambda body, cut: body[:-1] if cut and body else body,
    st.lists(lines, max_size=12).map(lambda ls: b"".join(line + b"\n" for line in ls)),
    st.booleans(),
)
states = st.builds(FileState, st.sampled_from([FILE, FILE, EXECUTABLE]), datas)


@st.composite
def changed_trees(draw: st.DrawFn):
    """Draw a base and a resolution that adds, changes, deletes and renames."""
    base = draw(st.dictionaries(st.sampled_from(PATHS), states, max_size=5))
    changes, renames = {}, {}
    for path in PATHS:
        what = draw(st.sampled_from(["leave", "put", "drop", "move"]))
        if what == "put":
            changes[path] = draw(states)
        elif what == "drop" and path in base:
            changes[path] = None
        elif what == "move" and path in base:
            data = draw(st.sampled_from([base[path].data, base[path].data + b"more\n"]))
            changes[path], changes[f"new/{path}"] = None, FileState(base[path].mode, data)
            renames[f"new/{path}"] = path
    real = {path: new for path, new in changes.items() if new != base.get(path, ...)}
    return MemoryTree(base), Resolution(real, renames)


@given(changed_trees())
@settings(max_examples=80)
def test_a_canonical_patch_applies_to_its_base(case):
    base, resolution = case
    patch = render_canonical(base, resolution)
    again = apply_canonical(patch.text, base)
    assert again.changes == resolution.changes
    assert again.renames == resolution.renames


@given(case=changed_trees())
@settings(max_examples=25)
def test_git_applies_the_patch_with_the_same_result(tmp_path_factory, case):
    base, resolution = case
    patch = render_canonical(base, resolution).text
    top = tmp_path_factory.mktemp("tree")
    write(top, base.files)
    if patch:
        assert git_apply(top, patch, "--check").stderr == b""
        assert git_apply(top, patch).returncode == 0
    after = {**base.files, **resolution.changes}
    assert read(top) == {path: new for path, new in after.items() if new is not None}


@given(changed_trees())
@settings(max_examples=40)
def test_unidiff_counts_the_same_lines(case):
    base, resolution = case
    patch = render_canonical(base, resolution)
    shown = [file for file in PatchSet(patch.text) if file.added or file.removed]
    ours = [file for file in patch.files if file.added_lines or file.removed_lines]
    assert [(file.added, file.removed) for file in shown] == [
        (file.added_lines, file.removed_lines) for file in ours
    ]


@given(changed_trees(), changed_trees())
@settings(max_examples=50)
def test_two_resolutions_compose(case, other):
    base, first = case
    middle = Overlay(base, first.changes)
    present = set(middle.entries())
    second = Resolution(
        {
            path: new
            for path, new in other[1].changes.items()
            if (new is not None or path in present)
            and not (
                path in present and new == FileState(middle.entries()[path].mode, middle.read(path))
            )
        }
    )
    both = compose(base, first, second)
    wanted = Overlay(middle, second.changes)
    got = Overlay(base, both.changes)
    assert {p: got.read(p) for p in got.entries()} == {p: wanted.read(p) for p in wanted.entries()}
    assert all(both.changes[old] is None for old in both.renames.values())
    assert apply_canonical(render_canonical(base, both).text, base).changes == both.changes


def test_renames_are_chained():
    base = tree(a="x\n")
    first = Resolution({"a": None, "b": state("x\n")}, {"b": "a"})
    second = Resolution({"b": None, "c": state("y\n")}, {"c": "b"})
    assert compose(base, first, second).renames == {"c": "a"}
    back = Resolution({"b": None, "a": state("x\n")}, {"a": "b"})
    assert compose(base, first, back).changes == {}
    assert compose(base, first, back).renames == {}
    gone = Resolution({"b": None})
    assert compose(base, first, gone).changes == {"a": None}
    assert compose(base, first, gone).renames == {}


def test_a_file_added_and_deleted_is_no_change():
    first, second = Resolution({"n": state("x\n")}), Resolution({"n": None})
    assert compose(tree(a="x\n"), first, second).changes == {}


def test_the_text_of_a_patch():
    base = MemoryTree(
        {"a": state("1\n2\n3\n4\n5\n6\n7\n8\n9"), "run": state("x\n"), "old": state("z\n")}
    )
    resolution = Resolution(
        {
            "a": state("1\n2\n3\n4\nfive\n6\n7\n8\n9"),
            "run": state("x\n", EXECUTABLE),
            "old": None,
            "new": state("z\n"),
            "d/é": state("n"),
        },
        {"new": "old"},
    )
    patch = render_canonical(base, resolution)
    assert patch.text == (
        "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
        'diff --git "a/d/\\303\\251" "b/d/\\303\\251"\nnew file mode 100644\n--- /dev/null\n'
        '+++ "b/d/\\303\\251"\n@@ -0,0 +1 @@\n+n\n\\ No newline at end of file\n'
        "diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n"
        "diff --git a/run b/run\nold mode 100644\nnew mode 100755\n"
    )
    assert patch.files == (
        FileChange("a", None, Change.MODIFIED, 1, 1),
        FileChange("d/é", None, Change.ADDED, 1, 0),
        FileChange("new", "old", Change.RENAMED, 0, 0),
        FileChange("run", None, Change.MODIFIED, 0, 0),
    )


def test_a_deleted_file_in_a_patch():
    patch = render_canonical(tree(a="x\ny\n"), Resolution({"a": None}))
    assert patch.text.startswith(
        "diff --git a/a b/a\ndeleted file mode 100644\n--- a/a\n+++ /dev/null\n"
    )
    assert patch.files == (FileChange("a", None, Change.DELETED, 0, 2),)


def test_distant_changes_are_separate_hunks():
    text = "".join(f"{i}\n" for i in range(30))
    new = (
        text.replace("\n5\n", "\nfive\n").replace("\n12\n", "\ntwelve\n").replace("\n25\n", "\nx\n")
    )
    patch = render_canonical(tree(a=text), Resolution({"a": state(new)})).text
    assert patch.count("@@ -") == 2


def test_a_change_among_repeated_lines_stays_where_the_model_put_it():
    base = tree(a="x\n" * 9)
    result = resolve("--- a/a\n+++ b/a\n@@ -4,2 +4,3 @@\n x\n+y\n x\n", base)
    assert render_canonical(base, result).text.endswith(
        "@@ -2,6 +2,7 @@\n x\n x\n x\n+y\n x\n x\n x\n"
    )


def test_splices_that_contradict_the_trees_are_ignored():
    lie = Resolution({"a": state("x\ny\n")}, splices={"a": (Splice(0, 0, ("z",)),)})
    base = tree(a="x\n")
    assert apply_canonical(render_canonical(base, lie).text, base).changes == lie.changes


def test_a_folder_may_end_in_a_prefix():
    base = tree(**{"x b/y": "1\n"})
    change = Resolution({"x b/y": state("2\n")})
    assert apply_canonical(render_canonical(base, change).text, base).changes == change.changes


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"a": "1\n2\n3\n"}, "has changed at line 2"),
        ({"a": "1\n"}, "has changed at line 2"),
        ({}, "a does not exist"),
    ],
)
def test_a_patch_applies_exactly_or_not_at_all(files, reason):
    patch = render_canonical(tree(a="1\ntwo\n3\n"), Resolution({"a": state("1\n2\n3\n")})).text
    with pytest.raises(ConflictError, match=reason):
        apply_canonical(patch, tree(**files))


@pytest.mark.parametrize(
    ("before", "change", "now", "reason"),
    [
        ({}, {"n": state("x\n")}, {"n": state("y\n")}, "n already exists"),
        ({"a": state("x\n")}, {"a": None}, {"a": state("x\ny\n")}, "more lines"),
        (
            {"a": state("x\n")},
            {"a": state("x\n", EXECUTABLE)},
            {"a": state("x\n", EXECUTABLE)},
            "has mode",
        ),
    ],
)
def test_files_must_be_as_they_were(before, change, now, reason):
    patch = render_canonical(MemoryTree(before), Resolution(change)).text
    with pytest.raises(ConflictError, match=reason):
        apply_canonical(patch, MemoryTree(now))


def test_a_rename_refuses_an_existing_target():
    resolution = Resolution({"a": None, "b": state("x\n")}, {"b": "a"})
    patch = render_canonical(tree(a="x\n"), resolution).text
    with pytest.raises(ConflictError, match="b already exists"):
        apply_canonical(patch, tree(a="x\n", b="y\n"))


@pytest.mark.parametrize(
    "text",
    ["hello\n", "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n-1\n+one\n"],
)
def test_other_text_is_refused(text):
    with pytest.raises(ConflictError):
        apply_canonical(text, tree(a="1\n2\n"))


def test_hunks_that_overlap_are_refused():
    text = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -2 +2 @@\n-2\n+x\n@@ -1 +1 @@\n-1\n+y\n"
    with pytest.raises(ConflictError, match="overlap"):
        apply_canonical(text, tree(a="1\n2\n"))


def test_index_lines_name_the_old_blobs():
    base = MemoryTree({"a b": state("1\n"), "old": state("z\n"), "run": state("x\n")})
    change = Resolution(
        {
            "a b": state("2\n"),
            "old": None,
            "new": state("y\n"),
            "run": state("x\n", EXECUTABLE),
            "d/n": state("n\n"),
        },
        {"new": "old"},
    )
    patch = render_canonical(base, change).text
    lines = add_index_lines(patch, lambda path: {"a b": "aaaa", "old": "bbbb"}[path]).splitlines()
    zeros = "0" * 40
    assert [line for line in lines if line.startswith("index ")] == [
        "index aaaa..0000",
        f"index {zeros}..{zeros}",
        "index bbbb..0000",
    ]
    assert [line for line in lines if not line.startswith("index ")] == patch.splitlines()
