"""Exact commits, and pushes that never overwrite anything."""

import threading

import pytest
import repos
from github_project import clone
from hub.server import PROTECTED, RULES
from hub.wire import Response
from hypothesis import given, settings
from hypothesis import strategies as st

from dursor.domain import Secret
from dursor.errors import (
    AuthError,
    ConflictError,
    DursorError,
    NetworkError,
    NoChangeError,
    NotFoundError,
    PolicyError,
    UsageError,
)
from dursor.patch.diff.apply_canonical import apply_canonical
from dursor.tree import EXECUTABLE, FILE, SYMLINK, FileState
from dursor.vcs.remote import push as push_module
from dursor.vcs.remote.mirror import Mirror
from dursor.vcs.remote.push import Identity, commit_change, fetch, find_remote_branch, push
from dursor.vcs.repository import Repository

WHO = Identity("helper[bot]", "1+helper[bot]@users.noreply.example.com")
AT = "2026-11-22T10:00:00.000Z"
MESSAGE = "Fix it\n\nDursor-Run: abc\n"
MISLEADING = (
    "* text eol=crlf filter=lfs diff=lfs merge=lfs ident\n"
    "plain working-tree-encoding=UTF-16\nempty -text\nscript.sh binary\n"
)


def change(mirror, base, changes, **options):
    given = {"parents": [base], "message": MESSAGE, "author": WHO, "date": AT} | options
    return commit_change(mirror, base, changes, **given)


def files(git_dir, commit):
    """Return every path of COMMIT with mode and blob id."""
    listing = repos.git(git_dir, "ls-tree", "-r", "-z", commit)
    records = [record.partition("\t") for record in listing.split("\0")[:-1]]
    return {path: tuple(facts.split()[::2]) for facts, _, path in records}


@pytest.fixture
def top(tmp_path):
    return repos.build(tmp_path / "top", {"a": "1\n", "d/b": "2\n", "d/c": "3\n"})


@pytest.fixture
def head(top):
    return repos.head(top)


@pytest.fixture
def mirror(tmp_path, top, reopen):
    with Mirror.open(tmp_path / "x.git", reopen(top)) as opened:
        yield opened


# commits


def test_a_commit_has_the_given_contents(mirror, top, head):
    made = change(mirror, head, {"a": FileState(FILE, b"one\n")})
    commit = mirror.commit(made)
    assert (commit.parents, commit.message, commit.trailers) == (
        (head,),
        MESSAGE,
        {"Dursor-Run": "abc"},
    )
    raw = mirror.command.run("cat-file", "commit", made).out.decode()
    line = "helper[bot] <1+helper[bot]@users.noreply.example.com> 1795341600 +0000"
    assert f"\nauthor {line}\ncommitter {line}\n\n" in raw
    assert files(mirror.repository.git_dir, made)["a"] == (FILE, repos.blob_id(b"one\n"))


def test_equal_arguments_make_the_same_commit(mirror, head):
    first = change(mirror, head, {"a": FileState(FILE, b"one\n")})
    assert change(mirror, head, {"a": FileState(FILE, b"one\n")}) == first
    assert change(mirror, head, {"a": FileState(FILE, b"two\n")}) != first
    assert change(mirror, head, {"a": FileState(FILE, b"one\n")}, message="x") != first


def test_only_the_commit_remains(mirror, top, head, untouched):
    with untouched(top):
        made = change(mirror, head, {"a": FileState(FILE, b"one\n")})
    listing = mirror.command.run("for-each-ref", "--format=%(refname)").out.decode()
    assert listing.split() == [f"refs/dursor/kept/{made}", f"refs/dursor/tip/{head}"]


CONTENTS = {
    "plain": FileState(FILE, b"x\n"),
    "crlf": FileState(FILE, b"x\r\ny\r\n"),
    "mixed": FileState(FILE, b"x\r\ny\nz\r"),
    "no newline": FileState(FILE, b"x"),
    "empty": FileState(FILE, b""),
    "script.sh": FileState(EXECUTABLE, b"#!/bin/sh\n"),
    "link": FileState(SYMLINK, b"../outside"),
    "latin": FileState(FILE, b"caf\xe9\n"),
    "binary": FileState(FILE, b"\x00\x01done\ndata 5\n"),
    "ident": FileState(FILE, b"$Id$\n"),
    "pointer": FileState(FILE, b"version https://git-lfs.github.com/spec/v1\n"),
    'odd "name"\\ \n\t': FileState(FILE, b"odd\n"),
    "ü/ß/日本": FileState(FILE, b"unicode\n"),
    "bytes\udcff": FileState(FILE, b"raw\n"),
    " blank ": FileState(FILE, b"blank\n"),
}


def test_every_byte_is_kept_despite_misleading_settings(tmp_path, reopen, monkeypatch):
    trap = f"touch '{tmp_path}/trapped'; cat"
    top = repos.build(
        tmp_path / "misled", {".gitattributes": MISLEADING, "old": "1\r\n", "gone": "2\n"}
    )
    settings = {
        "core.autocrlf": "true",
        "core.eol": "crlf",
        "core.safecrlf": "true",
        "filter.lfs.clean": trap,
        "filter.lfs.process": trap,
        "filter.lfs.required": "true",
        "i18n.commitEncoding": "latin1",
        "commit.gpgSign": "true",
        "user.name": "Mallory",
    }
    for key, value in settings.items():
        repos.git(top, "config", key, value)
    everywhere = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(everywhere))
    for key, value in settings.items():
        repos.git(top, "config", "--file", str(everywhere), key, value)
    for hook in ("pre-commit", "commit-msg", "post-commit", "reference-transaction"):
        repos.write(top, {f".git/hooks/{hook}": repos.Script(f"#!/bin/sh\n{trap} </dev/null\n")})
    head = repos.head(top)
    with Mirror.open(tmp_path / "x.git", reopen(top)) as mirror:
        before = files(top, head)
        made = change(mirror, head, {**CONTENTS, "gone": None}, message="Tü\n\n  kept  \n# too\n")
        wanted = {path: (state.mode, repos.blob_id(state.data)) for path, state in CONTENTS.items()}
        del before["gone"]
        assert files(mirror.repository.git_dir, made) == before | wanted
        assert mirror.commit(made).message == "Tü\n\n  kept  \n# too\n"
        assert mirror.commit(made).author == f"{WHO.name} <{WHO.email}>"
    assert not (tmp_path / "trapped").exists()


def test_the_committed_patch_is_the_shown_patch(tmp_path, reopen):
    many = "".join(f"line {number}\n" for number in range(30))
    top = repos.build(
        tmp_path / "r",
        {"keep": many, "moved": many + "end\n", "gone": "x\n", "crlf": "a\r\nb\r\n", "run": "y\n"},
    )
    head = repos.head(top)
    patch = repos.patch(
        top,
        {
            "keep": repos.replace_line(many, 7, "changed\n"),
            "moved": None,
            "away/moved": many + "end",
            "gone": None,
            "crlf": "a\r\nB\r\n",
            "run": repos.Script("y\n"),
            "new": repos.Link("keep"),
        },
    )
    for part in (b"rename from", b"deleted file", b"new mode 100755", b"\\ No newline", b"120000"):
        assert part in patch
    repo = reopen(top)
    with Mirror.open(tmp_path / "x.git", repo) as mirror:
        text = patch.decode("utf-8", "surrogateescape")
        made = change(mirror, head, apply_canonical(text, repo.tree(head)).changes)
        shown = repos.diff(mirror.repository.git_dir, head, made, options=("-M",))
    assert shown == patch


PATHS = st.lists(st.sampled_from(["a", "b", "d", "é", " c"]), min_size=1, max_size=3).map("/".join)
STATES = st.builds(FileState, st.sampled_from([FILE, EXECUTABLE, SYMLINK]), st.binary(max_size=40))


def test_any_tree_becomes_any_other(mirror, top, head):
    """The result has exactly the given files; all others are deleted."""
    before = files(top, head)

    @settings(max_examples=8)
    @given(st.dictionaries(PATHS, STATES, max_size=6))
    def check(given):
        wanted = {p: s for p, s in given.items() if not any(q.startswith(f"{p}/") for q in given)}
        expected = {p: (s.mode, repos.blob_id(s.data)) for p, s in wanted.items()}
        try:
            made = change(mirror, head, {**wanted, **dict.fromkeys(set(before) - set(wanted))})
        except NoChangeError:
            assert before == expected
        else:
            assert files(mirror.repository.git_dir, made) == expected

    check()


def test_a_tree_on_another_parent(mirror, top, head):
    """An update has the run's tree and the branch's current commit as its parent."""
    first = change(mirror, head, {"a": FileState(FILE, b"one\n"), "x": FileState(FILE, b"x")})
    second = change(mirror, head, {"a": FileState(FILE, b"two\n")}, parents=[first])
    assert mirror.commit(second).parents == (first,)
    tree = files(mirror.repository.git_dir, second)
    assert set(tree) == {"a", "d/b", "d/c"}
    assert tree["a"][1] == repos.blob_id(b"two\n")


def test_a_merge(mirror, top, head):
    other = repos.commit(top, {"z": "1\n"})
    made = change(mirror, head, {"a": FileState(FILE, b"one\n")}, parents=[head, other])
    assert mirror.commit(made).parents == (head, other)


@pytest.mark.parametrize("changes", [{}, {"a": FileState(FILE, b"1\n")}])
def test_an_empty_change_is_not_committed(mirror, head, changes):
    with pytest.raises(NoChangeError):
        change(mirror, head, changes)


@pytest.mark.parametrize(
    ("name", "email", "line"),
    [
        ("Ada <x>\n", "a@b>\n", "Ada  x <a@b>"),
        ("", "", "dursor <>"),
        ("<>", "m", "dursor <m>"),
        ("Ü N.", "ü@b", "Ü N <ü@b>"),
    ],
)
def test_names_that_need_quoting(mirror, head, name, email, line):
    made = change(mirror, head, {"a": FileState(FILE, b"x")}, author=Identity(name, email))
    assert mirror.commit(made).author == line


def test_a_missing_base(mirror):
    with pytest.raises(NotFoundError):
        change(mirror, "f" * 40, {"a": None})


# pushes


@pytest.fixture
def lib(hub):
    return hub.repo("ada/lib", {"a": "1\n", "d/b": "2\n"}, private=True)


@pytest.fixture
def url(hub, lib):
    return f"{hub.url}/ada/lib.git"


@pytest.fixture
def token(hub, lib):
    return Secret(hub.token("ada"))


@pytest.fixture
def local(lib, tmp_path, reopen):
    """Ada's clone with a mirror."""
    clone(lib, f"file://{lib.path}", tmp_path / "mine")
    with Mirror.open(tmp_path / "mine.git", reopen(tmp_path / "mine")) as opened:
        yield opened


@pytest.fixture
def made(local, lib):
    return change(local, lib.head("main"), {"a": FileState(FILE, b"one\n")})


def test_only_a_branch_is_created(local, lib, url, token, made, tmp_path, untouched):
    with untouched(tmp_path / "mine"):
        for _ in range(2):  # the second time it is there
            push(local, url, made, "dursor/1234", expect=None, secret=token)
    assert lib.branches == {
        "main": repos.head(tmp_path / "mine"),
        "dursor/1234": made,
    }


def test_a_branch_is_updated(local, lib, url, token, made):
    push(local, url, made, "t", expect=None, secret=token)
    after = change(local, made, {"a": FileState(FILE, b"two\n")})
    push(local, url, after, "t", expect=made, secret=token)
    assert lib.head("t") == after


def test_a_colleagues_push_is_kept(local, lib, url, token, made):
    push(local, url, made, "t", expect=None, secret=token)
    theirs = lib.commit("t", {"b": "theirs\n"})
    after = change(local, made, {"a": FileState(FILE, b"two\n")})
    for expected in (None, made):
        with pytest.raises(ConflictError) as failure:
            push(local, url, after, "t", expect=expected, secret=token)
        assert failure.value.exit_code == 8
        assert "somebody else pushed" in failure.value.message
    assert lib.head("t") == theirs


def test_a_deleted_branch_is_not_created_again(local, lib, url, token, made):
    push(local, url, made, "t", expect=None, secret=token)
    lib.delete_branch("t")
    after = change(local, made, {"a": FileState(FILE, b"two\n")})
    with pytest.raises(ConflictError):
        push(local, url, after, "t", expect=made, secret=token)
    assert lib.head("t") is None


def test_commits_of_the_branch_are_never_dropped(local, lib, url, token, made):
    theirs = lib.commit("t", {"b": "theirs\n"})
    fetch(local, url, "t", token)
    with pytest.raises(ConflictError, match="would lose commits"):
        push(local, url, made, "t", expect=theirs, secret=token)
    with pytest.raises(ConflictError, match="would lose commits"):
        push(local, url, made, "t", expect="f" * 40, secret=token)
    assert lib.head("t") == theirs


def test_two_concurrent_pushes_create_one_branch(local, lib, url, token, tmp_path):
    head, failures = lib.head("main"), []

    def publish():
        try:
            with (
                Repository.open(tmp_path / "mine") as repo,
                Mirror.open(tmp_path / "mine.git", repo) as mirror,
            ):
                made = change(mirror, head, {"a": FileState(FILE, b"one\n")})
                push(mirror, url, made, "t", expect=None, secret=token)
        except Exception as error:  # noqa: BLE001 - whatever it is, it fails the test
            failures.append(error)

    threads = [threading.Thread(target=publish) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [f for f in failures if not isinstance(f, ConflictError)] == []
    assert len(failures) < 3
    assert lib.git("rev-list", "--count", "t") == "2"


def test_only_new_objects_are_sent_to_a_remote_that_has_moved(
    hub, lib, tmp_path, reopen, url, token
):
    big = {f"f{number}": str(number) * 2000 for number in range(200)}
    base = lib.commit("main", big)
    repos.git(tmp_path, "clone", "-q", f"file://{lib.path}", "mine")
    for number in range(3):
        lib.commit("main", {"new": str(number)})
    with Mirror.open(tmp_path / "mine.git", reopen(tmp_path / "mine")) as mirror:
        made = change(mirror, base, {"a": FileState(FILE, b"one\n")})
        push(mirror, url, made, "t", expect=None, secret=token)
    (sent,) = [len(r.body) for r in hub.requests if r.path.endswith("git-receive-pack") and r.body]
    assert sent < 12_000  # the tree of 200 names, one blob, one commit


def test_from_a_shallow_clone(lib, tmp_path, reopen, url, token):
    base = lib.commit("main", {"b": "2\n"})
    repos.git(tmp_path, "clone", "-q", "--depth=1", f"file://{lib.path}", "mine")
    with Mirror.open(tmp_path / "mine.git", reopen(tmp_path / "mine")) as mirror:
        made = change(mirror, base, {"a": FileState(FILE, b"one\n")})
        push(mirror, url, made, "t", expect=None, secret=token)
    assert lib.git("rev-list", "--count", "t") == "3"


def test_from_a_partial_clone(lib, tmp_path, reopen, url, token):
    base = lib.commit("main", {"b": "2\n"})
    lib.commit("main", {"c": "3\n"})
    repos.git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", f"file://{lib.path}", "mine")
    with Mirror.open(tmp_path / "mine.git", reopen(tmp_path / "mine")) as mirror:
        made = change(mirror, base, {"a": FileState(FILE, b"one\n")})
        push(mirror, url, made, "t", expect=None, secret=token)
    assert lib.show("t", "a") == b"one"


def test_to_a_fork(hub, lib, local, tmp_path):
    lib.private = False
    fork = hub.fork(lib, "bob")
    made = change(local, lib.head("main"), {"a": FileState(FILE, b"one\n")})
    secret = Secret(hub.token("bob"))
    push(local, f"{hub.url}/bob/lib.git", made, "t", expect=None, secret=secret)
    assert fork.head("t") == made
    assert lib.head("t") is None


# fetches


def test_a_branch_is_looked_up(hub, lib, local, url, token):
    lib.commit("feature/x", {"b": "1\n"})
    assert find_remote_branch(local, url, "main", token) == lib.head("main")
    assert find_remote_branch(local, url, "feature/x", token) == lib.head("feature/x")
    assert find_remote_branch(local, url, "x", token) is None
    hub.repo("ada/empty", private=True)
    assert find_remote_branch(local, f"{hub.url}/ada/empty.git", "main", token) is None


def test_only_new_objects_are_fetched(hub, lib, local, url, token, tmp_path, untouched):
    theirs = lib.commit("t", {"b": "theirs\n"}, author="Grace")
    with untouched(tmp_path / "mine"):
        assert fetch(local, url, "t", token) == theirs
    assert local.commit(theirs).author == "Grace <ada@example.com>"
    assert local.tree(theirs).read("b") == b"theirs\n"
    asked = len(hub.requests)
    assert fetch(local, url, "t", token) == theirs
    assert [r.method for r in hub.requests[asked:]] == ["GET", "POST"]  # where it stands, no more
    assert fetch(local, url, "absent", token) is None


def test_a_rebased_branch_is_fetched(lib, local, url, token):
    first = lib.commit("t", {"b": "1\n"})
    fetch(local, url, "t", token)
    lib.delete_branch("t")
    second = lib.commit("t", {"b": "2\n"})
    assert fetch(local, url, "t", token) == second
    assert local.has(first)
    assert not local.is_ancestor(first, second)


# refusals


def failing(local, url, made, token, branch="t"):
    with pytest.raises(DursorError) as failure:
        push(local, url, made, branch, expect=None, secret=token)
    error = failure.value
    assert error.hint
    assert token.reveal() not in error.message + str(error.hint)
    return error


def test_rules_of_the_repository(lib, local, url, made, token):
    for rule, part in ((PROTECTED, "Protected branch"), (RULES, "creations")):
        lib.refused["refs/heads/t"] = rule
        error = failing(local, url, made, token)
        assert isinstance(error, PolicyError)
        assert part in error.message
        assert error.exit_code == 7


def test_workflow_files(hub, lib, local, url, token):
    flow = {".github/workflows/x.yml": FileState(FILE, b"on: push\n")}
    made = change(local, lib.head("main"), flow)
    error = failing(local, url, made, token)
    assert isinstance(error, AuthError)
    assert ".github/workflows/x.yml" in error.message
    assert "Workflows" in error.hint
    able = Secret(hub.token("ada", "repo", "workflow"))
    push(local, url, made, "t", expect=None, secret=able)
    assert lib.head("t") == made


def test_an_invalid_token(local, url, made):
    error = failing(local, url, made, Secret("ghp_" + "1" * 36))
    assert isinstance(error, AuthError)
    assert error.exit_code == 4
    assert "rejected the login" in error.message


def test_a_read_only_token(hub, lib, local, url, made):
    lib.roles["bob"] = "read"
    error = failing(local, url, made, Secret(hub.token("bob")))
    assert isinstance(error, AuthError)
    assert "Permission to ada/lib.git denied to bob." in error.message


def test_a_token_without_access(hub, lib, local, url, made):
    error = failing(local, url, made, Secret(hub.token("eve")))
    assert isinstance(error, NotFoundError)
    with pytest.raises(NotFoundError):
        fetch(local, url, "main", Secret(hub.token("eve")))


def test_an_archived_repository(lib, local, url, made, token):
    lib.archived = True
    error = failing(local, url, made, token)
    assert isinstance(error, PolicyError)
    assert "archived" in error.message


def test_a_moved_repository(hub, lib, local, url, made, token):
    hub.rename(lib, "ada/other")
    error = failing(local, url, made, token)
    assert isinstance(error, NotFoundError)
    assert "has moved" in error.message


def test_a_conflicting_branch_name(lib, local, url, made, token):
    lib.commit("dursor", {"x": "1"})
    error = failing(local, url, made, token, "dursor/1234")
    assert isinstance(error, ConflictError)
    assert "branch dursor/1234 conflicts with" in error.message
    assert error.hint == "--branch ANOTHER-NAME"


def test_an_invalid_branch_name(local, url, made, token):
    for name in ("-x", "a..b", "a b", "@{-1}", "x.lock", "", "@", "a\nb", "refs/heads/", "HEAD"):
        with pytest.raises(UsageError):
            push(local, url, made, name, expect=None, secret=token)
        with pytest.raises(UsageError):
            find_remote_branch(local, url, name, token)


def test_unreachable_server(hub, local, made, token):
    assert isinstance(failing(local, "http://127.0.0.1:9/ada/lib.git", made, token), NetworkError)


def test_a_failing_server(hub, local, url, made, token):
    for status in (500, 503):
        hub.answer_once("GET /ada/lib.git/*", status, "down")
        assert isinstance(failing(local, url, made, token), NetworkError)


def test_a_response_that_was_cut_short(hub, local, url, made, token, monkeypatch):
    """Some versions of git wait forever for the rest."""
    monkeypatch.setattr(push_module, "PUSH_SECONDS", 0.3)
    kind = [("Content-Type", "application/x-git-receive-pack-result")]
    hub.intercept("POST *git-receive-pack", lambda r, p: Response(200, b"0030", kind))
    with pytest.raises(DursorError) as failure:
        push(local, url, made, "t", expect=None, secret=token)
    assert (failure.value.exit_code, failure.value.hint) == (5, "try again")


def test_urls_that_get_no_token_for_a_push(local, made, token):
    for url in ("http://example.com/a/b", "ssh://git@example.com/a/b", "file:///tmp/x", "ext::id"):
        with pytest.raises(UsageError):
            push(local, url, made, "t", expect=None, secret=token)
