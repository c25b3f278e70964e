import pytest
import repos

from dursor.errors import DursorError
from dursor.vcs.dirty import read_changes
from dursor.vcs.repository import Repository


@pytest.fixture
def everything(tmp_path):
    """Make a repository with hooks, a dirty tree, a submodule, links, CRLF and odd names."""
    inner = repos.build(tmp_path / "inner")
    top = repos.build(
        tmp_path / "r",
        {
            "a b/ü.txt": "x\n",
            "line\nbreak": "x\n",
            "crlf.txt": b"1\r\n2\r\n",
            "link": repos.Link("a b"),
            "dangling": repos.Link("nowhere"),
            "outside": repos.Link("/etc"),
            "gone": "x\n",
            "run.sh": repos.Script("#!/bin/sh\n"),
            ".gitattributes": "*.txt text=auto\n",
        },
    )
    repos.git(top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    repos.commit(top)
    for key, value in {"core.autocrlf": "true", "core.untrackedCache": "true"}.items():
        repos.git(top, "config", key, value)
    repos.git(top, "update-index", "--untracked-cache")
    repos.git(top, "tag", "v1")
    for name in ("post-index-change", "reference-transaction", "post-checkout"):
        hook = f"#!/bin/sh\ntouch '{tmp_path}/hook-ran'\n"
        repos.write(top, {f".git/hooks/{name}": repos.Script(hook)})
    repos.write(
        top,
        {
            "a b/ü.txt": "edited\n",
            "gone": None,
            "staged": "s\n",
            "untracked": "u\n",
            "sub/README.md": "edited\n",
            "link": repos.Link("/etc/passwd"),
        },
    )
    repos.git(top, "-c", "core.hooksPath=/dev/null", "add", "staged")
    (top / "run.sh").touch()  # stale stat data, which git would like to refresh
    return top


def read_all(top, path):
    """Call every reading function for PATH."""
    with Repository.open(path) as repo:
        commit = repo.resolve("HEAD")
        tree = repo.tree(commit)
        tree.read_many([p for p, e in tree.entries().items() if e.mode != "160000"])
        assert read_changes(repo, commit)
        assert repo.list_branches()
        repo.find_default_branch()
        repo.find_current_branch()
        repo.read_origin_url()
        for ref in ("main", "v1", "nope", "HEAD@{9}", "-x"):
            try:
                repo.resolve(ref)
            except DursorError:
                assert ref in {"nope", "HEAD@{9}", "-x"}


@pytest.mark.parametrize("folder", ["", "a b"])
def test_reading_changes_no_byte(everything, tmp_path, untouched, folder):
    with untouched(everything):
        read_all(everything, everything / folder)
    assert not (tmp_path / "hook-ran").exists()


def test_reading_changes_no_linked_worktree(everything, tmp_path, untouched):
    repos.git(
        everything,
        "-c",
        "core.hooksPath=/dev/null",
        "worktree",
        "add",
        "-q",
        "-b",
        "w",
        str(tmp_path / "w"),
    )
    repos.write(tmp_path / "w", {"gone": "edited\n"})
    with untouched(everything, tmp_path / "w"):
        read_all(everything, tmp_path / "w")


def test_reading_a_hostile_repository_runs_nothing(hostile, untouched):
    repos.write(hostile, {"a.txt": "edited\n", "b.evil": "edited\n"})
    with untouched(hostile):
        read_all(hostile, hostile)


def test_traps_of_the_hostile_repository_work(hostile, tmp_path):
    repos.write(hostile, {"a.txt": "edited\n", "b.evil": "edited\n"})
    repos.git(hostile, "diff", "HEAD", "--", "a.txt", ok=(0, 128))
    repos.git(hostile, "status", ok=(0, 128))
    repos.git(hostile, "add", ".", ok=(128,))
    repos.git(hostile, "add", "a.txt")
    sprung = {item.name for item in (tmp_path / "trace").iterdir()}
    assert {"fsmonitor", "process", "diff", "post-index-change"} <= sprung
    for item in (tmp_path / "trace").iterdir():
        item.unlink()


def test_read_only_git_folder_is_enough(everything, untouched):
    for folder in [everything / ".git", *(everything / ".git").rglob("*")]:
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o555)
    try:
        with untouched(everything):
            read_all(everything, everything)
    finally:
        for folder in [everything / ".git", *(everything / ".git").rglob("*")]:
            if folder.is_dir() and not folder.is_symlink():
                folder.chmod(0o755)
