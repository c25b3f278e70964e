import os
import subprocess
import sys

import pytest
import repos

from dursor.vcs.locate import find_top


def test_top_from_top_subfolder_and_git_folder(tmp_path):
    top = repos.build(tmp_path / "r", {"a/b/c.txt": "x\n"})
    for start in (top, top / "a", top / "a/b", top / ".git", top / ".git/refs"):
        assert find_top(start) == top


def test_linked_worktree_and_submodule_are_their_own_top(tmp_path):
    inner = repos.build(tmp_path / "inner")
    top = repos.build(tmp_path / "r")
    repos.git(top, "worktree", "add", "-q", "-b", "side", str(tmp_path / "w t"))
    repos.git(top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "s")
    (tmp_path / "w t/deep").mkdir()
    assert find_top(tmp_path / "w t/deep") == tmp_path / "w t"
    assert find_top(top / "s") == top / "s"
    assert (top / "s/.git").is_file()


def test_relative_gitfile_is_followed_from_its_folder(tmp_path):
    top = repos.build(tmp_path / "r")
    (tmp_path / "w").mkdir()
    (tmp_path / "w/.git").write_text("gitdir: ../r/.git\n")
    assert find_top(tmp_path / "w") == tmp_path / "w"
    assert find_top(top) == top


def test_symbolic_link_leads_to_the_real_top(tmp_path):
    top = repos.build(tmp_path / "r", {"a/b.txt": "x\n"})
    (tmp_path / "link").symlink_to(top / "a")
    assert find_top(tmp_path / "link") == top


def test_no_top_outside_a_repository(tmp_path):
    assert find_top(tmp_path) is None


def test_empty_git_folder_does_not_hide_the_repository_around_it(tmp_path):
    top = repos.build(tmp_path / "r")
    (top / "a/.git").mkdir(parents=True)
    assert find_top(top / "a") == top
    assert repos.git(top / "a", "rev-parse", "--show-toplevel") == str(top)


@pytest.mark.parametrize("text", ["", "nonsense", "gitdir: /no/such/place\n", "gitdir: a\0b\n"])
def test_broken_gitfile_is_not_a_repository(tmp_path, text):
    top = repos.build(tmp_path / "r")
    repos.write(top, {"a/.git": text})
    assert find_top(top / "a") is None


def test_bare_repository_has_no_top(tmp_path):
    top = repos.build(tmp_path / "r")
    repos.git(tmp_path, "clone", "-q", "--bare", str(top), "b.git")
    assert find_top(tmp_path / "b.git") is None


def test_invalid_paths(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for name in ("loop", "loop/x", "x" * 300, "a\0b", "none"):
        assert find_top(tmp_path / name) is None


def test_import_is_light():
    code = "import sys, dursor.vcs.locate; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, env=os.environ
    )
    heavy = {"git", "subprocess", "logging", "asyncio", "tempfile", "re.sub"}
    assert not heavy & set(done.stdout.split())
