import difflib
import os
import subprocess
import sys

import pytest
import repos
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dursor.errors import ApplyFailedError, ConflictError, NoChangeError, PolicyError, UsageError
from dursor.vcs.apply.apply import apply_patch
from dursor.vcs.repository import Repository

BASE = {
    "a.txt": "".join(f"line {n}\n" for n in range(1, 21)),
    "b.txt": "b\n",
    "d/e/f.txt": "f\n",
    "run.sh": "echo\n",
    "old name.txt": "".join(f"text {n}\n" for n in range(9)),
}


def written(path, old, new):
    """A patch of one file, made without git."""
    ids = [repos.blob_id(text.encode()) if text else "0" * 40 for text in (old, new)]
    kind = "new file mode 100644\n" if not old else "deleted file mode 100644\n" if not new else ""
    lines = difflib.unified_diff(
        old.splitlines(keepends=True),
        new.splitlines(keepends=True),
        f"a/{path}" if old else "/dev/null",
        f"b/{path}" if new else "/dev/null",
    )
    head = f"diff --git a/{path} b/{path}\n{kind}index {ids[0]}..{ids[1]}\n"
    return (head + "".join(lines)).encode()


@pytest.fixture
def top(tmp_path):
    return repos.build(tmp_path / "r", BASE)


def git_folder(top):
    """Snapshot the repository's folder without objects, since tests write some to make patches."""
    seen = repos.fingerprint(top / ".git")
    return {k: v for k, v in seen.items() if not k.startswith("objects")}


def test_every_kind_of_change_is_applied_and_nothing_is_staged(top, reopen):
    files = {
        "a.txt": repos.replace_line(BASE["a.txt"], 3, "three\n"),
        "b.txt": None,
        "d/e/f.txt": None,
        "run.sh": repos.Script("echo\n"),
        "old name.txt": None,
        "nëw/name.txt": repos.replace_line(BASE["old name.txt"], 2, "changed\n"),
        "x/y z/new.txt": "no newline at the end",
        "link": repos.Link("a.txt"),
        "empty": "",
    }
    patch = repos.patch(top, files)
    assert b"rename from old name.txt" in patch
    before = git_folder(top)
    assert apply_patch(reopen(top / "d"), patch) is None
    assert git_folder(top) == before
    for name, content in files.items():
        path = top / name
        if content is None:
            assert not os.path.lexists(path)
        elif isinstance(content, repos.Link):
            assert str(path.readlink()) == content
        else:
            assert path.read_bytes() == content.encode()
    assert os.access(top / "run.sh", os.X_OK)
    assert not (top / "d").exists()
    assert not list((top / ".git").glob("dursor-*"))


def test_result_equals_git_apply(top, tmp_path, reopen):
    patch = repos.patch(
        top, {"a.txt": repos.replace_line(BASE["a.txt"], 9, "nine\n"), "n/n": "n\n", "b.txt": None}
    )
    repos.git(tmp_path, "clone", "-q", str(top), "twin")
    repos.git(tmp_path / "twin", "apply", "-", stdin=patch)
    apply_patch(reopen(top), patch)

    def worktree(path):
        return {k: v for k, v in repos.fingerprint(path).items() if not k.startswith(".git")}

    assert worktree(top) == worktree(tmp_path / "twin")


def test_permissions_change_only_as_the_patch_requires(top, reopen):
    repos.commit(top, {"more.sh": repos.Script("echo\n")})
    for name, mode in {"a.txt": 0o600, "run.sh": 0o640, "more.sh": 0o750, "b.txt": 0o444}.items():
        (top / name).chmod(mode)
    new = {"a.txt": "A\n", "run.sh": repos.Script("e\n"), "more.sh": "e\n", "b.txt": "B\n"}
    if os.geteuid() == 0:
        os.chown(top / "a.txt", 1234, 1235)
        os.chown(top / "d", -1, 1235)
        (top / "d").chmod(0o2775)
    (top / "old name.txt").chmod(0o600)
    moved = {"old name.txt": None, "moved.txt": BASE["old name.txt"] + "more\n"}
    apply_patch(reopen(top), repos.patch(top, new | moved | {"d/n/new.txt": "n\n"}))
    assert (top / "moved.txt").stat().st_mode & 0o777 == 0o600
    if os.geteuid() == 0:
        assert ((top / "a.txt").stat().st_uid, (top / "a.txt").stat().st_gid) == (1234, 1235)
        assert (top / "d/n/new.txt").stat().st_gid == 1235
    modes = {name: (top / name).stat().st_mode & 0o777 for name in new}
    assert modes == {"a.txt": 0o600, "run.sh": 0o750, "more.sh": 0o640, "b.txt": 0o444}


def test_unrelated_edits_are_kept(top, reopen):
    patch = repos.patch(top, {"a.txt": repos.replace_line(BASE["a.txt"], 3, "three\n")})
    repos.write(
        top,
        {"a.txt": repos.replace_line(BASE["a.txt"], 18, "mine\n"), "b.txt": "mine\n", "own": "u\n"},
    )
    repos.git(top, "add", "b.txt")
    index = (top / ".git/index").read_bytes()
    apply_patch(reopen(top), patch)
    assert (top / "a.txt").read_text() == repos.replace_line(
        repos.replace_line(BASE["a.txt"], 3, "three\n"), 18, "mine\n"
    )
    assert (top / "b.txt").read_text() == "mine\n"
    assert (top / ".git/index").read_bytes() == index


@pytest.mark.parametrize("three_way", [False, True])
@pytest.mark.parametrize(
    "mine",
    [
        {"a.txt": repos.replace_line(BASE["a.txt"], 3, "mine\n")},
        {"a.txt": None},
        {"new/n.txt": "an untracked file\n"},
        {"new": "a file where a folder must be\n"},
        {"new": repos.Link("/tmp")},
        {"new/n.txt": repos.Link("nowhere")},
        {"new/n.txt/deep": "a folder where a file must be\n"},
        {"b.txt": "edited, and the patch deletes it\n"},
    ],
)
def test_every_obstacle_is_a_conflict_and_changes_nothing(top, reopen, untouched, mine, three_way):
    change = {
        "a.txt": repos.replace_line(BASE["a.txt"], 3, "three\n"),
        "b.txt": None,
        "new/n.txt": "n\n",
    }
    patch = repos.patch(top, {"run.sh": "changed\n"} | change)
    repos.write(top, mine)
    name = next(iter(mine)).removesuffix("/deep")
    with untouched(top), pytest.raises(ConflictError) as caught:
        apply_patch(reopen(top), patch, three_way=three_way)
    assert name in caught.value.message


def test_three_way_merges_later_changes(top, reopen):
    patch = repos.patch(top, {"a.txt": repos.replace_line(BASE["a.txt"], 10, "ten\n")})
    moved = repos.replace_line(repos.replace_line(BASE["a.txt"], 7, "seven\n"), 13, "thirteen\n")
    repos.commit(top, {"a.txt": moved.replace("line 8\n", "line 8\nline 8b\n")})
    repos.write(top, {"a.txt": (top / "a.txt").read_text() + "mine\n"})
    index = (top / ".git/index").read_bytes()
    repo = reopen(top)
    with pytest.raises(ConflictError, match=r"a\.txt has changed since") as caught:
        apply_patch(repo, patch)
    assert caught.value.hint is None  # the command that was used says how to merge
    apply_patch(repo, patch, three_way=True)
    merged = (
        repos.replace_line(moved, 10, "ten\n").replace("line 8\n", "line 8\nline 8b\n") + "mine\n"
    )
    assert (top / "a.txt").read_text() == merged
    assert (top / ".git/index").read_bytes() == index


def test_three_way_never_writes_conflict_markers(top, reopen, untouched):
    patch = repos.patch(
        top, {"a.txt": repos.replace_line(BASE["a.txt"], 10, "theirs\n"), "new": "n\n"}
    )
    repos.commit(top, {"a.txt": repos.replace_line(BASE["a.txt"], 10, "mine\n")})
    with (
        untouched(top),
        pytest.raises(ConflictError, match=r"a\.txt: your uncommitted changes conflict"),
    ):
        apply_patch(reopen(top), patch, three_way=True)


def test_change_already_applied_is_reported(top, reopen, untouched):
    patch = repos.patch(
        top, {"a.txt": repos.replace_line(BASE["a.txt"], 3, "three\n"), "new": "n\n", "b.txt": None}
    )
    repo = reopen(top)
    apply_patch(repo, patch)
    with untouched(top), pytest.raises(ConflictError, match="already applied"):
        apply_patch(repo, patch)


def test_file_and_folder_swap_names(tmp_path, reopen):
    top = repos.build(tmp_path / "r", {"x": "file\n", "y/z": "folder\n"})
    apply_patch(
        reopen(top),
        repos.patch(top, {"x": None, "x/z": "now a folder\n", "y/z": None, "y": "now a file\n"}),
    )
    assert (top / "x/z").read_text() == "now a folder\n"
    assert (top / "y").read_text() == "now a file\n"


def test_folder_with_an_untracked_file_is_not_replaced(tmp_path, reopen, untouched):
    top = repos.build(tmp_path / "r", {"y/z": "folder\n"})
    patch = repos.patch(top, {"y/z": None, "y": "now a file\n"})
    repos.write(top, {"y/own": "mine\n"})
    with untouched(top), pytest.raises(ConflictError, match="untracked file y would be"):
        apply_patch(reopen(top), patch)


@pytest.mark.parametrize("setting", ["true", "input", "false"])
def test_line_endings_follow_the_users_setting(tmp_path, reopen, setting):
    top = repos.build(tmp_path / "r", {"lf": "1\n2\n3\n", "crlf": b"1\r\n2\r\n3\r\n"})
    patch = repos.patch(top, {"lf": "1\ntwo\n3\n", "crlf": b"1\r\ntwo\r\n3\r\n", "new": "n\n"})
    repos.git(top, "config", "core.autocrlf", setting)
    (top / "lf").unlink()
    repos.git(top, "checkout", "-q", "--", "lf")
    apply_patch(reopen(top), patch)
    end = b"\r\n" if setting == "true" else b"\n"
    assert (top / "lf").read_bytes() == b"1\ntwo\n3\n".replace(b"\n", end)
    assert (top / "crlf").read_bytes() == b"1\r\ntwo\r\n3\r\n"
    assert (top / "new").read_bytes() == b"n" + end


def test_whitespace_is_never_fixed_despite_user_configuration(top, reopen):
    repos.git(top, "config", "apply.whitespace", "fix")
    patch = repos.patch(top, {"b.txt": "hard break  \n\tb \n\n\n"})
    apply_patch(reopen(top), patch)
    assert (top / "b.txt").read_text() == "hard break  \n\tb \n\n\n"


def test_whitespace_must_match_despite_user_configuration(top, reopen, untouched):
    repos.git(top, "config", "apply.ignoreWhitespace", "change")
    patch = repos.patch(top, {"a.txt": repos.replace_line(BASE["a.txt"], 3, "three\n")})
    repos.write(top, {"a.txt": BASE["a.txt"].replace("line 2", "line  2")})
    with untouched(top), pytest.raises(ConflictError):
        apply_patch(reopen(top), patch)


def test_edits_hidden_from_git_are_not_overwritten(top, reopen, untouched):
    patch = repos.patch(
        top, {"a.txt": repos.replace_line(BASE["a.txt"], 3, "three\n"), "b.txt": "new\n"}
    )
    repos.git(top, "update-index", "--assume-unchanged", "a.txt")
    repos.git(top, "update-index", "--skip-worktree", "b.txt")
    repo = reopen(top)
    for name in ("a.txt", "b.txt"):
        repos.write(top, BASE | {name: "my secret settings\n"})
        with untouched(top), pytest.raises(ConflictError, match=name):
            apply_patch(repo, patch)


def test_links_are_changed_and_never_followed(tmp_path, reopen, untouched):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f.txt").write_text("f\n")
    top = repos.build(tmp_path / "r", {"link": repos.Link("one"), "d/f.txt": "f\n"})
    apply_patch(reopen(top), repos.patch(top, {"link": repos.Link("two")}))
    assert str((top / "link").readlink()) == "two"
    patch = repos.patch(top, {"d/f.txt": "changed\n"})
    create = repos.patch(top, {"d/new.txt": "n\n"})
    repos.write(top, {"d/f.txt": None})
    (top / "d").rmdir()
    (top / "d").symlink_to(outside)
    for each in (patch, create):
        with untouched(top, outside), pytest.raises(ConflictError):
            apply_patch(reopen(top), each)


def test_submodules_are_not_changed(tmp_path, reopen, untouched):
    inner = repos.build(tmp_path / "inner")
    top = repos.build(tmp_path / "r")
    repos.git(top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    head = repos.commit(top)
    repos.commit(top / "sub", {"x": "x\n"})
    move = repos.diff(top, head)
    repos.git(top / "sub", "checkout", "-q", "HEAD~1")
    inside = b"diff --git a/sub/x b/sub/x\nnew file mode 100644\n--- /dev/null\n+++ b/sub/x\n@@ -0,0 +1 @@\n+x\n"
    for patch in (move, inside):
        with untouched(top), pytest.raises((PolicyError, ConflictError), match="sub"):
            apply_patch(reopen(top), patch)


@pytest.mark.parametrize(
    "path",
    [".git/hooks/post-commit", "../out", "/etc/out", "a/../../out", ".GIT/config", "d/.git/x"],
)
def test_paths_that_leave_the_tree_are_refused(top, tmp_path, reopen, untouched, path):
    patch = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n"
    with untouched(tmp_path), pytest.raises((ConflictError, ApplyFailedError, PolicyError)):
        apply_patch(reopen(top), patch.encode())


@pytest.mark.parametrize(
    ("patch", "error"),
    [
        (b"", NoChangeError),
        (b" \n\n", NoChangeError),
        (b"hello\n", ApplyFailedError),
        (b"--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n line 1\n", ApplyFailedError),
        (b"diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ nonsense\n", ApplyFailedError),
    ],
)
def test_text_that_is_not_a_patch_is_refused(top, reopen, untouched, patch, error):
    with untouched(top), pytest.raises(error):
        apply_patch(reopen(top), patch)


def test_filtered_files_are_refused(hostile, reopen, untouched):
    patch = written("b.evil", "plain\n", "changed\n")
    with untouched(hostile), pytest.raises(ConflictError, match=r"b\.evil has a git filter"):
        apply_patch(reopen(hostile), patch)


@pytest.mark.parametrize("three_way", [False, True])
def test_hostile_repository_runs_nothing(hostile, reopen, three_way):
    patch = written("a.txt", "1\n2\n3\n", "1\n2\n3\n4\n") + written("sub/c.txt", "c\n", "")
    patch += written("new.txt", "", "n\n")
    repos.write(hostile, {"a.txt": "0\n1\n2\n3\n"} if three_way else {})
    apply_patch(reopen(hostile), patch, three_way=three_way, branch="side")
    assert (hostile / "a.txt").read_text().endswith("3\n4\n")
    assert (
        repos.git(hostile, "-c", "core.fsmonitor=false", "symbolic-ref", "HEAD")
        == "refs/heads/side"
    )


def test_bare_repository_and_one_without_commits_are_refused(tmp_path, top, reopen):
    repos.git(tmp_path, "clone", "-q", "--bare", str(top), "b.git")
    with pytest.raises(UsageError, match="bare"):
        apply_patch(reopen(tmp_path / "b.git"), b"x")
    with pytest.raises(UsageError, match="has no commits yet"):
        apply_patch(reopen(repos.init(tmp_path / "empty")), b"x")


def test_linked_worktree_is_written_and_its_repository_is_not(top, tmp_path, reopen, untouched):
    repos.git(top, "worktree", "add", "-q", "-b", "side", str(tmp_path / "w"))
    patch = repos.patch(top, {"a.txt": repos.replace_line(BASE["a.txt"], 3, "three\n")})
    with untouched(top):
        apply_patch(reopen(tmp_path / "w"), patch)
    assert "three" in (tmp_path / "w/a.txt").read_text()


def test_sparse_checkout_gets_a_changed_file(tmp_path, reopen):
    top = repos.build(tmp_path / "r", {"in/a": "a\n", "out/b": "b\n"})
    patch = repos.patch(top, {"in/a": "A\n", "out/b": "B\n"})
    repos.git(top, "sparse-checkout", "set", "--cone", "in")
    apply_patch(reopen(top), patch)
    assert ((top / "in/a").read_text(), (top / "out/b").read_text()) == ("A\n", "B\n")


def test_sparse_checkout_can_delete_an_absent_file(tmp_path, reopen):
    top = repos.build(tmp_path / "r", {"in/a": "a\n", "out/b": "b\n"})
    patch = repos.patch(top, {"in/a": None, "out/b": None})
    repos.git(top, "sparse-checkout", "set", "--cone", "in")
    apply_patch(reopen(top), patch)
    assert not (top / "in").exists()
    assert not (top / "out").exists()


def test_empty_folder_can_be_replaced_by_a_file(top, reopen):
    (top / "new/deeper").mkdir(parents=True)
    (top / "new/deeper").rmdir()
    apply_patch(reopen(top), repos.patch(top, {"new": "n\n"}))
    assert (top / "new").read_text() == "n\n"


def test_current_folder_is_not_removed(top, reopen, monkeypatch):
    monkeypatch.chdir(top / "d/e")
    apply_patch(reopen(top), repos.patch(top, {"d/e/f.txt": None}))
    assert (top / "d/e").is_dir()


def test_read_only_folder_changes_nothing(top, reopen, untouched):
    patch = repos.patch(top, {"a.txt": None, "b.txt": "B\n", "d/e/f.txt": "F\n", "new": "n\n"})
    (top / "d/e").chmod(0o555)
    try:
        if os.access(top / "d/e", os.W_OK):  # the superuser writes anyway
            apply_patch(reopen(top), patch)
            assert (top / "d/e/f.txt").read_text() == "F\n"
        else:
            with untouched(top), pytest.raises(Exception, match="nothing was changed"):
                apply_patch(reopen(top), patch)
    finally:
        (top / "d/e").chmod(0o755)


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "\td \n", "é\n", "\n"]), max_size=12)
FILES = st.dictionaries(
    st.sampled_from(["x", "y", "d/z", "d/w w", "e/ü"]), st.one_of(st.none(), LINES)
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(base=FILES, new=FILES)
def test_patch_between_two_trees_turns_the_first_into_the_second(tmp_path_factory, base, new):
    top = tmp_path_factory.mktemp("p") / "r"
    repos.build(top, {k: "".join(v) for k, v in base.items() if v is not None})
    files = {k: None if v is None else "".join(v) for k, v in new.items()}
    have = set(repos.git(top, "ls-files").splitlines()) | {
        k for k, v in base.items() if v is not None
    }
    patch = repos.patch(top, {k: v for k, v in files.items() if v is not None or k in have})
    before = (top / ".git/index").read_bytes()
    with Repository.open(top) as repo:
        if patch:
            apply_patch(repo, patch)
    expected = {k: "".join(v) for k, v in base.items() if v is not None} | files
    for name, text in expected.items():
        path = top / name
        assert path.read_bytes() == text.encode() if text is not None else not path.exists()
    assert (top / ".git/index").read_bytes() == before


def test_interrupt_between_files_restores_everything(top, untouched):
    patch = repos.patch(top, {"a.txt": "A\n", "b.txt": None, "d/e/f.txt": None, "new/n": "n\n"})
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from dursor.vcs.apply import apply, rename\n"
        "from dursor.vcs.repository import Repository\n"
        "real = rename.move\n"
        "def move(source, target):\n"
        "    real(source, target)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "rename.move = move\n"
        "repo = Repository.open(Path(sys.argv[1]))\n"
        "try:\n"
        "    apply.apply_patch(repo, sys.stdin.buffer.read())\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    with untouched(top):
        done = subprocess.run(
            [sys.executable, "-c", code, str(top)],
            input=patch,
            capture_output=True,
            check=True,
            env=os.environ,
        )
    assert done.stdout == b"interrupted\n"
