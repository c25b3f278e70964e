import os

import pytest
import repos

from dursor.errors import InternalError
from dursor.tree import EXECUTABLE, FILE, SYMLINK, FileState, Overlay
from dursor.vcs.dirty import read_changes


def dirty(repo):
    return dict(read_changes(repo, repo.resolve("HEAD")))


def stashed(top):
    """Return the tree that git itself would record for the tracked files."""
    index = top.parent / "index.copy"
    index.write_bytes((top / ".git/index").read_bytes())
    env = {"GIT_INDEX_FILE": str(index)}
    repos.git(top, "add", "-u", env=env)
    return repos.git(top, "write-tree", env=env)


def test_clean_tree_has_no_changes(tmp_path, reopen):
    assert dirty(reopen(repos.build(tmp_path / "r"))) == {}


def test_every_kind_of_change(tmp_path, reopen, untouched):
    names = (
        "mod",
        "gone",
        "exec",
        "link",
        "to-link",
        "sp ace",
        "ünï",
        "new\nline",
        'q"uote',
        "d/x",
    )
    top = repos.build(
        tmp_path / "r", {n: f"{n}\n" for n in names} | {"link": repos.Link("mod"), "same": "s\n"}
    )
    repos.write(
        top,
        {
            "mod": b"changed\r\n\xff",
            "gone": None,
            "exec": repos.Script("exec\n"),
            "link": repos.Link("/etc/passwd"),
            "to-link": repos.Link("nowhere"),
            "sp ace": "1\n",
            "ünï": "2\n",
            "new\nline": "3\n",
            'q"uote': "4\n",
            "d/x": None,
            "untracked": "not mine\n",
            "added": "5\n",
        },
    )
    repos.git(top, "add", "added")
    (top / "same").write_text("s\n")
    os.utime(top / "same", (1, 1))
    repo = reopen(top)
    with untouched(top):
        changes = dirty(repo)
    assert changes == {
        "mod": FileState(FILE, b"changed\r\n\xff"),
        "gone": None,
        "exec": FileState(EXECUTABLE, b"exec\n"),
        "link": FileState(SYMLINK, b"/etc/passwd"),
        "to-link": FileState(SYMLINK, b"nowhere"),
        "sp ace": FileState(FILE, b"1\n"),
        "ünï": FileState(FILE, b"2\n"),
        "new\nline": FileState(FILE, b"3\n"),
        'q"uote': FileState(FILE, b"4\n"),
        "d/x": None,
        "added": FileState(FILE, b"5\n"),
    }


def test_result_is_the_tree_that_git_would_record(tmp_path, reopen):
    top = repos.build(tmp_path / "r", {f"f{n}": f"{n}\n" * 9 for n in range(40)})
    for n in range(0, 40, 3):
        repos.write(top, {f"f{n}": f"new {n}\n", f"f{n + 1}": None})
    repo = reopen(top)
    commit = repo.resolve("HEAD")
    overlay = Overlay(repo.tree(commit), read_changes(repo, commit))
    recorded = repos.git(top, "ls-tree", "-r", "-z", stashed(top)).split("\0")[:-1]
    listed = {line.split("\t")[1]: line.split()[0] for line in recorded}
    assert {path: entry.mode for path, entry in overlay.entries().items()} == listed
    for path in listed:
        assert overlay.read(path) == (top / path).read_bytes()


def test_staged_then_edited_and_staged_then_restored(tmp_path, reopen):
    top = repos.build(tmp_path / "r", {"a": "1\n", "b": "1\n"})
    repos.write(top, {"a": "2\n", "b": "2\n"})
    repos.git(top, "add", "-A")
    repos.write(top, {"a": "3\n", "b": "1\n"})
    assert dirty(reopen(top)) == {"a": FileState(FILE, b"3\n")}


def test_removal_from_the_index_is_a_deletion_and_intent_to_add_an_addition(tmp_path, reopen):
    top = repos.build(tmp_path / "r", {"a": "1\n", "b": "1\n"})
    repos.git(top, "rm", "-q", "--cached", "a")
    repos.write(top, {"new": "n\n"})
    repos.git(top, "add", "-N", "new")
    assert dirty(reopen(top)) == {"a": None, "new": FileState(FILE, b"n\n")}


def test_changes_since_an_older_commit(tmp_path, reopen):
    top = repos.build(tmp_path / "r", {"a": "1\n", "b": "1\n"})
    first = repos.head(top)
    repos.commit(top, {"a": "2\n"})
    repos.write(top, {"b": "2\n"})
    changes = dict(read_changes(reopen(top), first))
    assert changes == {"a": FileState(FILE, b"2\n"), "b": FileState(FILE, b"2\n")}


@pytest.mark.parametrize("setting", ["true", "input"])
def test_autocrlf_is_applied_by_git(tmp_path, reopen, untouched, setting):
    top = repos.build(tmp_path / "r", {"lf": "1\n2\n", "crlf": b"1\r\n2\r\n", "edit": "1\n2\n"})
    repos.git(top, "config", "core.autocrlf", setting)
    repos.git(top, "config", "core.safecrlf", "true")
    repos.write(top, {"lf": b"1\r\n2\r\n", "edit": b"1\r\nnew\r\n", "crlf": b"1\r\nmore\r\n"})
    with untouched(top):
        changes = dirty(reopen(top))
    # a file that was committed with CRLF keeps it, as in git
    assert changes == {
        "edit": FileState(FILE, b"1\nnew\n"),
        "crlf": FileState(FILE, b"1\r\nmore\r\n"),
    }


def test_attributes_convert_line_endings_and_encodings(tmp_path, reopen):
    top = repos.build(
        tmp_path / "r",
        {
            ".gitattributes": "*.bat text eol=crlf\n*.u16 text working-tree-encoding=UTF-16LE\n",
            "a.bat": "x\n",
        },
    )
    repos.write(top, {"a.bat": b"y\r\nz\r\n", "b.u16": "hé\n".encode("utf-16le")})
    repos.git(top, "add", "-N", "b.u16")
    changes = dirty(reopen(top))
    assert changes == {
        "a.bat": FileState(FILE, b"y\nz\n"),
        "b.u16": FileState(FILE, "hé\n".encode()),
    }


def test_attributes_outside_the_tree_are_read(tmp_path, reopen):
    top = repos.build(tmp_path / "r", {"a.bat": "x\n", "b.cmd": "x\n"})
    repos.write(top, {".git/info/attributes": "*.bat text eol=crlf"})
    repos.write(tmp_path, {"attributes": "*.cmd text eol=crlf\n"})
    repos.git(top, "config", "core.attributesFile", str(tmp_path / "attributes"))
    repos.write(top, {"a.bat": b"y\r\n", "b.cmd": b"y\r\n"})
    changes = dirty(reopen(top))
    assert changes == {"a.bat": FileState(FILE, b"y\n"), "b.cmd": FileState(FILE, b"y\n")}


def test_planted_commands_never_run_and_filtered_files_count_as_unchanged(
    hostile, reopen, untouched
):
    repos.write(hostile, {"a.txt": "new\n", "b.evil": "new\n", "sub/c.txt": None})
    repo = reopen(hostile)
    with untouched(hostile):
        assert dirty(repo) == {"a.txt": FileState(FILE, b"new\n"), "sub/c.txt": None}
        os.utime(hostile / "b.evil")
        assert "b.evil" not in dirty(repo)


def test_user_filters_are_not_run(tmp_path, monkeypatch, reopen):
    mark = tmp_path / "ran"
    (tmp_path / "gitconfig").write_text(
        f'[filter "lfs"]\n\tclean = "touch {mark}; cat"\n\trequired\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    top = repos.build(tmp_path / "r", {".gitattributes": "*.bin filter=lfs\n", "a.bin": "v\n"})
    repos.write(top, {"a.bin": "changed\n"})
    assert dirty(reopen(top)) == {}
    assert not mark.exists()


def test_submodules_count_as_unchanged(tmp_path, reopen, untouched):
    inner = repos.build(tmp_path / "inner")
    top = repos.build(tmp_path / "r")
    repos.git(top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    repos.commit(top)
    repos.commit(top / "sub", {"x": "x\n"})
    repos.write(top / "sub", {"README.md": "edited\n"})
    mark = tmp_path / "ran"
    repos.git(top / "sub", "config", "core.fsmonitor", f"touch {mark}; false")
    with untouched(top):
        assert dirty(reopen(top)) == {}
    repos.write(top, {"README.md": "edited\n"})
    assert list(dirty(reopen(top))) == ["README.md"]
    assert not mark.exists()


def test_folder_or_repository_instead_of_a_file_is_a_deletion(tmp_path, reopen):
    top = repos.build(tmp_path / "r", {"a": "1\n", "b": "1\n", "d/x": "1\n"})
    repos.write(top, {"a": None, "b": None, "d/x": None})
    repos.write(top, {"a/inside": "x\n"})
    repos.build(top / "b")
    (top / "d").rmdir()
    (top / "d").symlink_to("/etc")
    assert dirty(reopen(top)) == {"a": None, "b": None, "d/x": None}


def test_files_hidden_from_git_stay_hidden(tmp_path, reopen):
    top = repos.build(tmp_path / "r", {"a": "1\n", "b": "1\n", "c": "1\n"})
    repos.git(top, "update-index", "--assume-unchanged", "a")
    repos.git(top, "update-index", "--skip-worktree", "b")
    repos.write(top, {"a": "2\n", "b": None, "c": "2\n"})
    assert list(dirty(reopen(top))) == ["c"]


def test_sparse_and_split_indexes(tmp_path, reopen, untouched):
    top = repos.build(tmp_path / "r", {"in/a": "a\n", "out/b": "b\n", "top": "t\n"})
    repos.git(top, "sparse-checkout", "set", "--cone", "--sparse-index", "in")
    repos.write(top, {"in/a": "new\n"})
    with untouched(top):
        assert list(dirty(reopen(top))) == ["in/a"]
    split = repos.build(tmp_path / "s", {f"f{n}": "x\n" for n in range(50)})
    repos.git(split, "update-index", "--split-index")
    repos.commit(split, {"f1": "y\n"})
    repos.write(split, {"f2": "z\n"})
    repos.git(split, "config", "core.splitIndex", "true")
    assert list((split / ".git").glob("sharedindex.*"))
    with untouched(split):
        assert list(dirty(reopen(split))) == ["f2"]


def test_an_edit_in_the_same_second_as_the_commit_is_seen(tmp_path, reopen):
    top = repos.build(tmp_path / "r", {"a": "1\n"})
    os.utime(top / "a", (1, 1))
    repos.git(top, "update-index", "--refresh")
    repos.write(top, {"a": "2\n"})  # as long as before
    for file in (top / "a", top / ".git/index"):
        os.utime(file, (1, 1))
    assert list(dirty(reopen(top))) == ["a"]


def test_merge_in_progress_is_read_as_it_is(tmp_path, reopen, untouched):
    top = repos.build(tmp_path / "r", {"a": "1\n", "b": "1\n"})
    repos.git(top, "checkout", "-q", "-b", "other")
    repos.commit(top, {"a": "other\n"})
    repos.git(top, "checkout", "-q", "main")
    repos.commit(top, {"a": "mine\n"})
    repos.git(top, "merge", "-q", "other", ok=(1,))
    with untouched(top):
        changes = dirty(reopen(top))
    assert changes == {"a": FileState(FILE, (top / "a").read_bytes())}
    assert b"<<<<<<<" in changes["a"].data
    (top / "a").unlink()
    assert dirty(reopen(top)) == {"a": None}


def test_linked_worktree_sha256_and_paths_git_must_quote(tmp_path, reopen, untouched):
    place = tmp_path / 'odd "place\\ ü\n#'
    place.mkdir()
    top = repos.build(place / "r", sha256=True)
    repos.git(top, "worktree", "add", "-q", "-b", "side", str(place / "w"))
    repos.write(place / "w", {"README.md": "edited\n"})
    with untouched(top, place / "w"):
        assert dirty(reopen(place / "w")) == {"README.md": FileState(FILE, b"edited\n")}
        assert dirty(reopen(top)) == {}


def test_missing_index_means_everything_is_deleted(tmp_path, reopen):
    origin = repos.build(tmp_path / "o")
    repos.git(tmp_path, "clone", "-q", "--no-checkout", str(origin), "r")
    assert dirty(reopen(tmp_path / "r")) == {"README.md": None}


def test_file_that_cannot_be_stored_is_named(tmp_path, reopen, untouched):
    top = repos.build(tmp_path / "r", {".gitattributes": "*.x working-tree-encoding=UTF-16LE\n"})
    repos.write(top, {"a.x": b"odd"})
    repos.git(top, "add", "-N", "a.x")
    with untouched(top), pytest.raises(InternalError, match=r"a\.x"):
        dirty(reopen(top))


def test_no_temporary_folder_remains(tmp_path, monkeypatch, reopen):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    top = repos.build(tmp_path / "r")
    repos.write(top, {"README.md": "edited\n"})
    assert dirty(reopen(top))
    assert list((tmp_path / "tmp").iterdir()) == []
