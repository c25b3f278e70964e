import os
import threading

import pytest
import repos

from dursor.errors import ConflictError, InternalError, NotFoundError, PolicyError
from dursor.vcs.remote.mirror import Mirror
from dursor.vcs.repository import Repository


@pytest.fixture
def top(tmp_path):
    top = repos.build(tmp_path / "top", {"a": "1\n", "d/b": "2\n"})
    repos.git(top, "branch", "topic")
    return top


@pytest.fixture
def mirror(tmp_path, top, reopen):
    with Mirror.open(tmp_path / "data/publish/x.git", reopen(top)) as opened:
        yield opened


def test_mirror_is_private_and_bare_and_has_the_repositorys_commits(mirror, top, tmp_path):
    folder = tmp_path / "data/publish/x.git"
    head = repos.head(top)
    assert mirror.repository.is_bare
    assert mirror.has(head)
    assert mirror.tree(head).read("d/b") == b"2\n"
    assert not mirror.has("f" * 40)
    assert (folder.stat().st_mode & 0o777, folder.parent.stat().st_mode & 0o777) == (0o700, 0o700)
    assert [item.name for item in folder.parent.iterdir()] == ["x.git"]
    assert not (folder / "hooks").exists()


def test_opening_a_mirror_does_not_write_to_the_repository(top, tmp_path, reopen, untouched):
    with untouched(top):
        Mirror.open(tmp_path / "x.git", reopen(top)).close()
        Mirror.open(tmp_path / "x.git", reopen(top)).close()


def test_commit_is_parsed(mirror, top):
    head = repos.head(top)
    message = "Title\n\nBody: not a trailer\n\nDursor-Run: first\nDursor-Run: abc\nSigned: x: y\n"
    made = repos.git(
        top, "commit-tree", f"{head}^{{tree}}", "-p", head, "-p", head, stdin=message.encode()
    )
    commit = mirror.commit(made)
    assert (commit.id, commit.tree) == (made, repos.git(top, "rev-parse", f"{head}^{{tree}}"))
    assert commit.parents in {(head,), (head, head)}
    assert commit.author == "Ada <ada@example.com>"
    assert commit.message == message
    assert commit.trailers == {"Dursor-Run": "abc", "Signed": "x: y"}
    assert mirror.tree_id(made) == mirror.tree_id(head)


@pytest.mark.parametrize("name", ["f" * 40, "HEAD", "main", "--all", "", "a" * 39])
def test_a_missing_commit(mirror, name):
    with pytest.raises(NotFoundError):
        mirror.commit(name)


def test_a_blob_is_not_a_commit(mirror, top):
    with pytest.raises(NotFoundError):
        mirror.commit(repos.git(top, "rev-parse", "HEAD:a"))


def test_ancestors(mirror, top):
    first = repos.head(top)
    second = repos.commit(top, {"a": "2\n"})
    assert mirror.is_ancestor(first, second)
    assert mirror.is_ancestor(first, first)
    assert not mirror.is_ancestor(second, first)


def test_tips_follow_the_repository(tmp_path, top, reopen):
    def tips():
        with Mirror.open(tmp_path / "x.git", reopen(top)) as mirror:
            listing = mirror.command.run("for-each-ref", "--format=%(objectname)").out
        return set(listing.decode().split())

    first = repos.head(top)
    assert tips() == {first}
    second = repos.commit(top, {"a": "2\n"})
    assert tips() == {first, second}
    repos.git(top, "branch", "-D", "topic")
    assert tips() == {second}


def test_a_branch_with_a_lost_commit_is_ignored(tmp_path, top, reopen):
    Mirror.open(tmp_path / "x.git", reopen(top)).close()
    (top / ".git/refs/heads/lost").write_text("f" * 40 + "\n")
    with Mirror.open(tmp_path / "x.git", reopen(top)) as mirror:
        assert mirror.has(repos.head(top))


def test_a_damaged_mirror_is_reported(tmp_path, top, reopen):
    Mirror.open(tmp_path / "x.git", reopen(top)).close()
    (tmp_path / "x.git/HEAD").unlink()
    with pytest.raises(InternalError, match=r"x\.git is damaged") as failure:
        Mirror.open(tmp_path / "x.git", reopen(top))
    assert failure.value.hint == f"rm -r {tmp_path / 'x.git'}"


def test_a_moved_repository_is_found_again(tmp_path, top, reopen):
    Mirror.open(tmp_path / "x.git", reopen(top)).close()
    moved = top.rename(tmp_path / 'elsewhere "q" : ü')
    head = repos.head(moved)
    with Mirror.open(tmp_path / "x.git", reopen(moved)) as mirror:
        assert mirror.tree(head).read("a") == b"1\n"


def test_a_repository_without_commits(tmp_path, reopen):
    top = repos.init(tmp_path / "empty")
    with Mirror.open(tmp_path / "x.git", reopen(top)) as mirror:
        assert not mirror.has("f" * 40)


def test_objects_that_github_does_not_support(tmp_path, reopen):
    top = repos.build(tmp_path / "new", sha256=True)
    with pytest.raises(ConflictError, match="SHA-256"):
        Mirror.open(tmp_path / "x.git", reopen(top))


def test_a_shallow_history_stays_shallow(tmp_path, top, reopen):
    repos.commit(top, {"a": "2\n"})
    repos.git(tmp_path, "clone", "-q", "--depth=1", f"file://{top}", "shallow")
    head = repos.head(top)
    with Mirror.open(tmp_path / "x.git", reopen(tmp_path / "shallow")) as mirror:
        assert mirror.commit(head).parents != ()
        assert mirror.command.run("rev-list", head).out.decode().split() == [head]
    repos.git(tmp_path / "shallow", "fetch", "-q", "--unshallow")
    with Mirror.open(tmp_path / "x.git", reopen(tmp_path / "shallow")) as mirror:
        assert len(mirror.command.run("rev-list", head).out.split()) == 2


def test_many_processes_open_a_mirror_at_once(tmp_path, top):
    failures = []

    def open_():
        try:
            with Repository.open(top) as repo, Mirror.open(tmp_path / "x.git", repo):
                pass
        except Exception as error:  # noqa: BLE001 - whatever it is, it fails the test
            failures.append(error)

    threads = [threading.Thread(target=open_) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert not [item for item in tmp_path.iterdir() if item.name.startswith(".new-")]


def test_a_folder_open_to_others_is_restricted(tmp_path, top, reopen):
    Mirror.open(tmp_path / "x.git", reopen(top)).close()
    (tmp_path / "x.git").chmod(0o777)
    Mirror.open(tmp_path / "x.git", reopen(top)).close()
    assert (tmp_path / "x.git").stat().st_mode & 0o777 == 0o700


def test_a_link_is_not_followed(tmp_path, top, reopen):
    Mirror.open(tmp_path / "x.git", reopen(top)).close()
    (tmp_path / "link").symlink_to(tmp_path / "x.git")
    with pytest.raises(PolicyError, match="it is a link"):
        Mirror.open(tmp_path / "link", reopen(top))


def test_the_repository_can_read_fetched_objects(tmp_path, top, reopen, mirror):
    other = repos.build(tmp_path / "other", {"a": "new\n"})
    commit = repos.head(other)
    env = {"GIT_DIR": str(tmp_path / "data/publish/x.git")}
    repos.git(tmp_path, "fetch", "-q", str(other), "HEAD", env=env)
    repo = reopen(top)
    with pytest.raises(Exception, match="does not exist"):
        repo.resolve(commit)
    repo.add_alternate(mirror.objects)
    assert repo.resolve(commit) == commit
    assert repo.tree(commit).read("a") == b"new\n"
    assert repo.tree(repo.resolve("HEAD")).read("a") == b"1\n"


def test_an_alternate_may_have_any_name(tmp_path, top, reopen):
    for name in (f'o"t{os.pathsep}h\\er', '"quoted', "plain ü"):
        place = repos.build(tmp_path / name, {"a": name})
        repo = reopen(top)
        repo.add_alternate(tmp_path / "absent")
        repo.add_alternate(place / ".git/objects")
        assert repo.tree(repos.head(place)).read("a") == name.encode()


def test_a_three_way_merge_finds_objects_in_alternates(tmp_path, top, reopen):
    from dursor.vcs.apply.apply import apply_patch

    other = repos.build(tmp_path / "other", {"a": "1\n2\n3\n4\n5\n6\n7\n8\n"})
    base = repos.head(other)
    after = repos.commit(other, {"a": "one\n2\n3\n4\n5\n6\n7\n8\n"})
    patch = repos.diff(other, base, after)
    repos.commit(top, {"a": "1\n2\n3\n4\n5\n6\n7\neight\n"})
    repo = reopen(top)
    repo.add_alternate(other / ".git/objects")
    apply_patch(repo, patch, three_way=True)
    assert (top / "a").read_text() == "one\n2\n3\n4\n5\n6\n7\neight\n"
