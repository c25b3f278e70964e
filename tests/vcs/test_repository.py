import threading

import pytest
import repos

from dursor.errors import NotFoundError, PolicyError, UsageError
from dursor.tree import EXECUTABLE, FILE, SUBMODULE, SYMLINK
from dursor.vcs import objects
from dursor.vcs.dirty import read_changes
from dursor.vcs.repository import Branch

ODD = (
    "a b.txt",
    "naïve/äö.txt",
    "quo\"te's.txt",
    "new\nline.txt",
    "tab\t.txt",
    "-x",
    "back\\slash",
    "日本.md",
)


@pytest.mark.parametrize("sha256", [False, True])
def test_tree_has_every_kind_of_entry(tmp_path, reopen, sha256):
    inner = repos.build(tmp_path / "inner", sha256=sha256)
    files = {
        "a.txt": "one\n",
        "run.sh": repos.Script("#!/bin/sh\n"),
        "link": repos.Link("a.txt"),
        "dangling": repos.Link("nowhere"),
        "outside": repos.Link("/etc/passwd"),
        "crlf.txt": b"1\r\n2\r\n",
        "binary": bytes(range(256)),
        "empty": b"",
    }
    top = repos.build(tmp_path / "r", files | {name: name for name in ODD}, sha256=sha256)
    repos.git(top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    repos.commit(top)
    repo = reopen(top)
    commit = repo.resolve("HEAD")
    assert len(commit) == (64 if sha256 else 40)
    tree = repo.tree(commit)
    entries = tree.entries()
    modes = {
        "a.txt": FILE,
        "run.sh": EXECUTABLE,
        "link": SYMLINK,
        "outside": SYMLINK,
        "sub": SUBMODULE,
    }
    assert {name: entries[name].mode for name in modes} == modes
    assert set(entries) == {*files, *ODD, "sub", ".gitmodules"}
    assert list(entries) == sorted(entries, key=lambda name: name.encode())
    assert entries["crlf.txt"].size == 6
    contents = tree.read_many([*files, *ODD])
    for name, content in (files | {name: name for name in ODD}).items():
        assert contents[name] == (content if isinstance(content, bytes) else content.encode())
        assert entries[name].size == len(contents[name])
    assert tree.read("outside") == b"/etc/passwd"


def test_names_that_are_not_utf8_become_surrogates(tmp_path, reopen):
    top = repos.init(tmp_path / "r")
    blob = repos.git(top, "hash-object", "-w", "--stdin", stdin=b"x")
    listing = b"100644 blob " + blob.encode() + b"\tcaf\xe9\0"
    tree = repos.git(top, "mktree", "-z", stdin=listing)
    commit = repos.git(top, "commit-tree", "-m", "x", tree)
    tree = reopen(top).tree(commit)
    assert list(tree.entries()) == ["caf\udce9"]
    assert tree.read("caf\udce9") == b"x"


def test_missing_path_and_submodule_are_key_errors(tmp_path, reopen):
    inner = repos.build(tmp_path / "inner")
    top = repos.build(tmp_path / "r")
    repos.git(top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    tree = reopen(top).tree(repos.commit(top))
    for path in ("nope", "sub", "README.md/x", "../README.md"):
        with pytest.raises(KeyError):
            tree.read(path)


def test_two_processes_open_resolve_list_and_read(tmp_path, spy, reopen):
    top = repos.build(tmp_path / "r", {f"d{n % 7}/f{n}.txt": f"{n}\n" * n for n in range(120)})
    before = len(spy.calls)
    tree = reopen(top / "d1").tree(reopen(top).resolve("HEAD"))
    contents = tree.read_many(list(tree.entries()))
    assert contents["d3/f3.txt"] == b"3\n3\n3\n"
    assert len(contents) == 120
    names = [
        call.split()[-2] if "cat-file" in call else call.split() for call in spy.calls[before:]
    ]
    assert len(names) == 3  # two repositories were opened: two readers and one listing


def test_many_threads_share_one_reader(tmp_path, reopen):
    files = {f"f{n}": str(n) * (n * 200) for n in range(40)}
    repo = reopen(repos.build(tmp_path / "r", files))
    tree = repo.tree(repo.resolve("HEAD"))
    wrong = []

    def work(start):
        for step in range(60):
            name = f"f{(start * 17 + step) % 40}"
            if tree.read(name) != files[name].encode():
                wrong.append(name)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_large_batches_do_not_block(tmp_path, reopen):
    files = {f"f{n}": bytes([n % 251]) * 10_000 for n in range(250)}
    repo = reopen(repos.build(tmp_path / "r", files))
    tree = repo.tree(repo.resolve("HEAD"))
    assert tree.read_many(files) == files


def test_reader_restarts_after_close_and_after_its_process_died(tmp_path, reopen):
    repo = reopen(repos.build(tmp_path / "r"))
    tree = repo.tree(repo.resolve("HEAD"))
    tree.close()
    assert tree.read("README.md").startswith(b"line 1")
    repo.reader._process.proc.kill()
    repo.reader._process.proc.wait()
    assert tree.read("README.md").startswith(b"line 1")  # still known
    with pytest.raises(Exception, match="git cat-file failed"):
        tree.read_many(["README.md"])
    assert tree.read_many(["README.md"])["README.md"].startswith(b"line 1")


def test_blob_beyond_the_limit_is_refused(tmp_path, reopen, monkeypatch):
    repo = reopen(repos.build(tmp_path / "r", {"big": b"x" * 3_000_000, "small": "s"}))
    tree = repo.tree(repo.resolve("HEAD"))
    monkeypatch.setattr(objects, "BLOB_LIMIT", 1 << 20)
    with pytest.raises(PolicyError, match="big is too large: 2 MiB"):
        tree.read("big")
    with pytest.raises(PolicyError, match="2 MiB"):
        repo.reader.read(["HEAD:big"])
    assert tree.read("small") == b"s"


def test_refs_resolve_as_in_git(tmp_path, reopen):
    top = repos.build(tmp_path / "r")
    first = repos.head(top)
    second = repos.commit(top, {"b": "b\n"})
    repos.git(top, "tag", "-a", "-m", "t", "v1", first)
    repos.git(top, "branch", "feature/x", first)
    repos.git(top, "update-ref", "refs/heads/-x", first)
    repos.git(top, "update-ref", "refs/remotes/origin/far", first)
    repo = reopen(top)
    for ref in (
        first,
        first[:10],
        "v1",
        "HEAD~1",
        "HEAD^",
        "feature/x",
        "-x",
        "origin/far",
        "refs/tags/v1",
    ):
        assert repo.resolve(ref) == first, ref
    for ref in ("HEAD", "@", "main", "refs/heads/main", ":/change"):
        assert repo.resolve(ref) == second, ref


def test_packed_refs_alternates_and_packs(tmp_path, reopen):
    origin = repos.build(tmp_path / "origin", {"a": "a\n"})
    repos.git(tmp_path, "clone", "-q", "--shared", str(origin), "r")
    top = tmp_path / "r"
    commit = repos.commit(top, {"b": "b\n"})
    repos.git(top, "branch", "packed")
    repos.git(top, "gc", "-q")
    assert not (top / ".git/refs/heads/packed").exists()
    repo = reopen(top)
    assert repo.resolve("packed") == commit
    assert repo.tree(commit).read_many(["a", "b"]) == {"a": b"a\n", "b": b"b\n"}


def test_shallow_clone(tmp_path, reopen):
    origin = repos.build(tmp_path / "origin")
    repos.commit(origin, {"b": "b\n"})
    repos.git(tmp_path, "clone", "-q", "--depth=1", f"file://{origin}", "r")
    repo = reopen(tmp_path / "r")
    assert set(repo.tree(repo.resolve("HEAD")).entries()) == {"README.md", "b"}
    with pytest.raises(UsageError, match="ref HEAD~1 does not exist") as caught:
        repo.resolve("HEAD~1")
    assert caught.value.hint == "git fetch --unshallow"


def test_reading_a_partial_clone_fetches_nothing(tmp_path, reopen, untouched):
    origin = repos.build(tmp_path / "origin", {"a": "old\n"})
    repos.commit(origin, {"a": "new\n"})
    repos.git(origin, "config", "uploadpack.allowFilter", "true")
    repos.git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{origin}", "r")
    repo = reopen(tmp_path / "r")
    with untouched(tmp_path / "r"):
        assert repo.tree(repo.resolve("HEAD")).read("a") == b"new\n"
        with pytest.raises(UsageError, match="partial clone"):
            repo.tree(repo.resolve("HEAD~1")).read("a")


def test_detached_head(tmp_path, reopen):
    top = repos.build(tmp_path / "r")
    repos.git(top, "checkout", "-q", "--detach")
    repo = reopen(top)
    assert repo.resolve("HEAD") == repos.head(top)
    assert repo.find_current_branch() is None
    assert repo.find_default_branch() == "main"


def test_linked_worktree_has_its_own_head(tmp_path, reopen):
    top = repos.build(tmp_path / "r")
    repos.git(top, "worktree", "add", "-q", "-b", "side", str(tmp_path / "w"))
    commit = repos.commit(tmp_path / "w", {"b": "b\n"})
    repo = reopen(tmp_path / "w")
    assert (repo.top, repo.resolve("HEAD"), repo.find_current_branch()) == (
        tmp_path / "w",
        commit,
        "side",
    )
    assert (repo.git_dir, repo.common_dir) == (top / ".git/worktrees/w", top / ".git")


def test_unknown_ref_suggests_a_similar_one(tmp_path, reopen):
    top = repos.build(tmp_path / "r")
    head = repos.head(top)
    for ref in ("refs/heads/develop", "refs/tags/v1.0", "refs/remotes/origin/topic"):
        repos.git(top, "update-ref", ref, head)
    repo = reopen(top)
    hints = {"develp": "--base develop", "v1": "--base v1.0", "topic": "--base origin/topic"}
    for ref, hint in hints.items():
        with pytest.raises(UsageError, match=f"ref {ref} does not exist") as caught:
            repo.resolve(ref)
        assert caught.value.hint == hint
    for ref in (
        "zzz",
        "-y",
        "--help",
        "main..develop",
        "f" * 40,
        "HEAD:nope",
        "HEAD@{5}",
        "[",
        "*",
    ):
        with pytest.raises(UsageError):
            repo.resolve(ref)
    for ref in ("", "a\nb", "x" * 2000, "a\0b", "\udc80"):
        with pytest.raises(UsageError, match="not a valid ref"):
            repo.resolve(ref)


def test_objects_that_are_not_commits_are_named(tmp_path, reopen):
    top = repos.build(tmp_path / "r")
    blob = repos.git(top, "rev-parse", "HEAD:README.md")
    repos.git(top, "tag", "blob", blob)
    repo = reopen(top)
    for ref, kind in {
        "HEAD^{tree}": "tree",
        "HEAD:README.md": "blob",
        "blob": "blob",
        blob: "blob",
    }.items():
        with pytest.raises(UsageError, match=f"is a {kind}, not a commit"):
            repo.resolve(ref)


def test_name_of_a_branch_and_a_tag_is_refused_unless_they_agree(tmp_path, reopen):
    top = repos.build(tmp_path / "r")
    first = repos.head(top)
    repos.git(top, "tag", "both", first)
    repos.git(top, "branch", "both", first)
    repo = reopen(top)
    assert repo.resolve("both") == first
    second = repos.commit(top, {"b": "b\n"})
    repos.git(top, "branch", "-f", "both", second)
    with pytest.raises(UsageError, match="both a branch and a tag"):
        repo.resolve("both")
    assert repo.resolve("refs/heads/both") == second
    assert repo.resolve("refs/tags/both") == first


def test_short_id_of_several_objects_is_ambiguous(tmp_path, reopen):
    top = repos.build(tmp_path / "r")
    seen = {}
    for n in range(2000):
        oid = repos.blob_id(b"%d" % n)
        if oid[:4] in seen:
            break
        seen[oid[:4]] = n
    for number in (n, seen[oid[:4]]):
        repos.git(top, "hash-object", "-w", "--stdin", stdin=b"%d" % number)
    with pytest.raises(UsageError, match="is ambiguous"):
        reopen(top).resolve(oid[:4])


def test_repository_without_commits(tmp_path, reopen):
    repo = reopen(repos.init(tmp_path / "r"))
    with pytest.raises(UsageError, match="has no commits yet") as caught:
        repo.resolve("HEAD")
    assert caught.value.hint
    assert (repo.list_branches(), repo.find_current_branch()) == ([], "main")
    with pytest.raises(UsageError, match="has no commits yet"):
        read_changes(repo, "0" * 40)


def test_outside_a_repository(tmp_path, reopen):
    (tmp_path / "file").write_text("x")
    for name in ("", "file", "none", "x" * 300, "a\0b"):
        path = tmp_path / name
        with pytest.raises(UsageError):
            reopen(path)
    repos.write(tmp_path, {"broken/.git": "gitdir: /nowhere\n"})
    with pytest.raises(UsageError, match="not in a git repository"):
        reopen(tmp_path / "broken")


def test_invalid_git_configuration_is_a_one_line_error(tmp_path, reopen):
    top = repos.build(tmp_path / "r")
    (top / ".git/config").write_text("[core\nnonsense")
    with pytest.raises(UsageError, match="configuration") as caught:
        reopen(top).resolve("HEAD")
    assert "\n" not in caught.value.message


def test_bare_repository(tmp_path, reopen):
    top = repos.build(tmp_path / "r")
    repos.git(tmp_path, "clone", "-q", "--bare", str(top), "b.git")
    repo = reopen(tmp_path / "b.git/refs")
    assert repo.is_bare
    assert repo.top == tmp_path / "b.git"
    assert repo.tree(repo.resolve("main")).read("README.md").startswith(b"line 1")
    assert repo.find_default_branch() == "main"
    with pytest.raises(UsageError, match="no working tree"):
        read_changes(repo, repo.resolve("main"))


@pytest.mark.parametrize("named", ["all", "explicit"])
def test_bare_repository_without_that_setting(tmp_path, monkeypatch, reopen, named):
    top = repos.build(tmp_path / "r")
    repos.git(tmp_path, "clone", "-q", "--bare", str(top), "b.git")
    repos.git(tmp_path, "clone", "-q", "--bare", str(top), "c.git")
    repos.git(tmp_path / "b.git", "config", "--unset", "core.bare")
    (tmp_path / "c.git/config").unlink()
    (tmp_path / "gitconfig").write_text(f"[safe]\n\tbareRepository = {named}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    for name in ("b.git", "c.git"):
        repo = reopen(tmp_path / name)
        assert (repo.is_bare, repo.top) == (True, tmp_path / name)
        assert repo.tree(repo.resolve("HEAD")).read("README.md").startswith(b"line 1")


def test_bare_repository_with_safe_bare_repository_explicit(tmp_path, monkeypatch, reopen):
    top = repos.build(tmp_path / "r")
    repos.git(tmp_path, "clone", "-q", "--bare", str(top), "b.git")
    (tmp_path / "gitconfig").write_text("[safe]\n\tbareRepository = explicit\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    assert reopen(tmp_path / "b.git").resolve("main")


def test_branches_and_the_default_one(tmp_path, reopen):
    top = repos.build(tmp_path / "r", branch="trunk")
    head = repos.head(top)
    repo = reopen(top)
    assert repo.list_branches() == [Branch("trunk", head, True)]
    repos.git(top, "branch", "ünï/x")
    repos.git(top, "branch", "a\"b'c")
    assert [b.name for b in repo.list_branches()] == ["a\"b'c", "trunk", "ünï/x"]
    assert repo.find_default_branch() == "trunk"
    repos.git(top, "branch", "main")
    assert repo.find_default_branch() == "main"
    repos.git(top, "update-ref", "refs/remotes/origin/ünï/x", head)
    repos.git(top, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/ünï/x")
    assert [b.name for b in repo.list_branches() if b.default] == ["ünï/x"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@host/o/r.git", "https://host/o/r.git"),
        ("https://token@host:8443/o/r", "https://host:8443/o/r"),
        ("git@host:o/r.git", "git@host:o/r.git"),
        ("ssh://git:pw@host/o/r", "ssh://git@host/o/r"),
        ("/some/place", "/some/place"),
    ],
)
def test_origin_url_has_no_credentials(tmp_path, reopen, url, shown):
    top = repos.build(tmp_path / "r")
    repo = reopen(top)
    assert repo.read_origin_url() is None
    repos.git(top, "remote", "add", "origin", url)
    assert repo.read_origin_url() == shown


def test_commit_ids_are_checked_before_git_sees_them(tmp_path, reopen):
    repo = reopen(repos.build(tmp_path / "r"))
    for commit in ("HEAD", "-x", "--output=x", "f" * 39, "F" * 40):
        with pytest.raises(NotFoundError, match="not a full commit id"):
            repo.tree(commit)
        with pytest.raises(NotFoundError, match="not a full commit id"):
            read_changes(repo, commit)


def test_sparse_checkout_hides_nothing_from_the_tree(tmp_path, reopen):
    top = repos.build(tmp_path / "r", {"in/a": "a\n", "out/b": "b\n"})
    repos.git(top, "sparse-checkout", "set", "--cone", "--sparse-index", "in")
    repo = reopen(top)
    commit = repo.resolve("HEAD")
    assert set(repo.tree(commit).entries()) == {"in/a", "out/b"}
    assert read_changes(repo, commit) == {}


def test_lost_object_is_named(tmp_path, reopen):
    top = repos.build(tmp_path / "r", {"a": "a\n", "b": "b\n"})
    repo = reopen(top)
    tree = repo.tree(repo.resolve("HEAD"))
    assert len(tree.entries()) == 2
    oid = tree.entries()["a"].oid
    (top / ".git/objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(UsageError, match=f"lacks object {oid} of a") as caught:
        tree.read("a")
    assert caught.value.hint == "git fsck"
    assert tree.read("b") == b"b\n"
