"""Forbidden changes, and attempts to hide them."""

import pytest
from memory_tree import MemoryTree
from replies import tree

from dursor.errors import PatchError, PolicyError
from dursor.patch.policy import check_policy, escape_path
from dursor.patch.resolve import Resolution, resolve
from dursor.pathrules import PathRules
from dursor.tree import EXECUTABLE, FILE, SUBMODULE, SYMLINK, FileState

RULES = PathRules()
TEXT = FileState(FILE, b"x\n")


def blocked(base, resolution, rules=RULES, max_files=50):
    with pytest.raises(PolicyError) as caught:
        check_policy(base, resolution, rules, max_files)
    assert caught.value.exit_code == 7
    return caught.value.message


def test_ordinary_changes_pass():
    base = tree(a="x\n", b="x\n", **{"d/c": "x\n"})
    changes = {
        "a": FileState(EXECUTABLE, b"y\n"),
        "b": None,
        "new/deep/e": TEXT,
        "d/f": TEXT,
        "g": TEXT,
    }
    check_policy(base, Resolution(changes, {"g": "b"}), RULES, 4)


def test_the_number_of_files_is_limited_and_a_rename_counts_once():
    base = tree(a="x\n", b="x\n")
    check_policy(base, Resolution({"a": None, "n": TEXT}, {"n": "a"}), RULES, 1)
    message = blocked(base, Resolution({"a": None, "n": TEXT}), max_files=1)
    assert message == "the patch changes 2 files, more than 1"


@pytest.mark.parametrize(
    "resolution",
    [
        Resolution({".env": TEXT}),
        Resolution({"old": None, ".env": TEXT}, {".env": "old"}),
        Resolution({".env": None}),
        Resolution({".env": None, "new": TEXT}, {"new": ".env"}),
        Resolution({"d/.ENV": TEXT}),
    ],
)
def test_a_forbidden_path_is_blocked_as_source_and_as_target(resolution):
    base = MemoryTree({"old": TEXT, ".env": TEXT})
    assert "matches '.env'" in blocked(base, resolution)


def test_only_paths_that_may_be_allowed_get_a_hint():
    with pytest.raises(PolicyError) as caught:
        check_policy(tree(), Resolution({"d/.env": TEXT}), RULES, 50)
    assert caught.value.hint == "--allow-path d/.env"
    with pytest.raises(PolicyError) as caught:
        check_policy(tree(), Resolution({".git/x": TEXT}), RULES, 50)
    assert caught.value.hint is None


def test_an_allowed_path_is_not_blocked():
    check_policy(
        tree(), Resolution({".env.example": TEXT}), PathRules(allowed=(".env.example",)), 50
    )


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        (None, FileState(SYMLINK, b"/etc/passwd"), "creates a symbolic link"),
        (TEXT, FileState(SYMLINK, b"/etc/passwd"), "creates a symbolic link"),
        (FileState(SYMLINK, b"a"), FileState(SYMLINK, b"b"), "changes a symbolic link"),
        (FileState(SYMLINK, b"a"), TEXT, "changes a symbolic link"),
        (FileState(SYMLINK, b"a"), None, "changes a symbolic link"),
        (None, FileState(SUBMODULE, b""), "creates a submodule"),
        (FileState(SUBMODULE, b""), None, "changes a submodule"),
        (None, FileState("100666", b""), "sets mode 100666"),
    ],
)
def test_only_ordinary_files_may_change(before, after, what):
    base = MemoryTree({"x": before} if before else {})
    assert what in blocked(base, Resolution({"x": after}))


@pytest.mark.parametrize(
    ("files", "path", "what"),
    [
        ({"link": FileState(SYMLINK, b"/etc")}, "link/cron", "which is a symbolic link"),
        ({"sub": FileState(SUBMODULE, b"")}, "sub/x", "which is a submodule"),
        ({"file": TEXT}, "file/x", "which is a file"),
        ({"dir/file": TEXT}, "dir", "a folder of that name"),
        ({"README.md": TEXT}, "readme.md", "differs only in case"),
        ({"Src/a.py": TEXT}, "src/b.py", "differs only in case"),
        ({"caf\u00e9": TEXT}, "cafe\u0301", "differs only in case"),
        ({"stra\u00dfe": TEXT}, "STRASSE", "differs only in case"),
    ],
)
def test_a_new_file_may_not_collide(files, path, what):
    assert what in blocked(MemoryTree(files), Resolution({path: TEXT}))


def test_two_new_files_may_not_differ_only_in_case():
    assert "only in case" in blocked(tree(), Resolution({"A/x": TEXT, "a/y": TEXT}))


def test_a_path_that_the_patch_frees_may_be_used():
    base = MemoryTree({"README": TEXT, "d": TEXT})
    check_policy(
        base, Resolution({"README": None, "readme": TEXT, "d": None, "d/x": TEXT}), RULES, 50
    )


def test_existing_twins_are_ignored():
    base = MemoryTree({"A": TEXT, "a": TEXT})
    check_policy(base, Resolution({"A": FileState(FILE, b"y\n"), "b": TEXT}), RULES, 50)


def test_messages_show_no_raw_control_characters():
    assert escape_path("a\x1b[31mb") == "'a\\x1b[31mb'"
    assert "\x1b" not in blocked(tree(), Resolution({"a\x1b[31mb": TEXT}))


TRICKS = [
    "../x",
    "a/../../x",
    "/etc/cron.d/x",
    "//server/x",
    "C:\\x",
    "C:x",
    "..\\x",
    ".git/hooks/pre-commit",
    ".GIT/hooks/pre-commit",
    "sub/.Git/config",
    "git~1/config",
    ".g\u200cit/config",
    ".git./config",
    ".git /config",
    ".git::$DATA",
    ".env",
    "x/.ENV.local",
    "server.pem ",
    "credentials.json.",
    "link/x",
    "a//x",
    "a/./x",
    "d/CON",
    "nul.txt",
    "COM\u00b9",
    "x./y",
    "d /x",
    "a.py::$DATA",
    "a\\b",
    "GITMOD~1",
    "gitmod~1.txt",
    ".gitmodules\u200c",
    ".GITATTRIBUTES",
    "\u202ex.py",
    "a\u2028x.py",
]
FORMS = {
    "bare": "--- /dev/null\n+++ {}\n@@ -0,0 +1 @@\n+x\n",
    "git": "diff --git a/{0} b/{0}\nnew file mode 100644\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n+x\n",
    "envelope": "*** Begin Patch\n*** Add File: {}\n+x\n*** End Patch\n",
    "block": "`{}`\n<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE\n",
    "tag": "<file>{}</file>\n<original>\n</original>\n<patched>\nx\n</patched>\n",
    "rename": "diff --git a/a.py b/b\nrename from a.py\nrename to {}\n",
    "copy": "diff --git a/a.py b/b\ncopy from a.py\ncopy to {}\n",
    "move": "*** Begin Patch\n*** Update File: a.py\n*** Move to: {}\n@@\n-one\n+1\n*** End Patch\n",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", TRICKS)
def test_forbidden_paths_are_blocked_in_every_format(form, path):
    base = MemoryTree(
        {"a.py": FileState(FILE, b"one\n"), "link": FileState(SYMLINK, b"/etc"), "a/b": TEXT}
    )
    with pytest.raises((PolicyError, PatchError)):
        check_policy(base, resolve(FORMS[form].format(path), base), RULES, 50)


@pytest.mark.parametrize("path", ["../x", ".git/config", "été/../../x"])
def test_quoting_does_not_hide_a_forbidden_path(path):
    quoted = '"b/' + "".join(f"\\{byte:03o}" for byte in path.encode()) + '"'
    base = tree(a="x\n")
    with pytest.raises(PolicyError):
        check_policy(
            base, resolve(f"--- /dev/null\n+++ {quoted}\n@@ -0,0 +1 @@\n+x\n", base), RULES, 50
        )


def test_a_diff_cannot_create_a_symbolic_link():
    reply = (
        "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc/passwd\n"
        "\\ No newline at end of file\n"
    )
    base = tree(a="x\n")
    assert "symbolic link" in blocked(base, resolve(reply, base))


def test_a_diff_cannot_create_a_submodule():
    reply = (
        "diff --git a/s b/s\nnew file mode 160000\n--- /dev/null\n+++ b/s\n@@ -0,0 +1 @@\n"
        "+Subproject commit 0123456789012345678901234567890123456789\n"
    )
    base = tree(a="x\n")
    assert "submodule" in blocked(base, resolve(reply, base))
