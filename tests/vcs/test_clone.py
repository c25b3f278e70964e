import base64
import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import repos
from hub.wire import Response

from dursor.domain import Branch
from dursor.errors import (
    AuthError,
    ConflictError,
    InternalError,
    NetworkError,
    NotFoundError,
    ProviderError,
    UsageError,
)
from dursor.files import try_lock
from dursor.vcs.remote import clone as clones
from dursor.vcs.remote.clone import clone, refresh, remove
from dursor.vcs.urls import derive_name


@pytest.fixture
def origin(tmp_path):
    top = repos.build(tmp_path / "origin", {"a": "a\n", "ü b": "b\n"})
    repos.git(top, "branch", "topic/x")
    repos.git(top, "tag", "v1")
    return top


@pytest.fixture
def fetch(tmp_path):
    """Clone into the workspaces and close every repository at the end."""
    opened = []

    def fetch(url, name="r.git"):
        opened.append(clone(url, tmp_path / "workspaces" / name))
        return opened[-1]

    yield fetch
    for repo in opened:
        repo.close()


@pytest.fixture
def serve():
    """Serve a folder on loopback; with a password, or with one status for everything."""
    servers = []

    def start(folder, *, status=None, password=None):
        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self):
                seen.append(dict(self.headers))
                wanted = "Basic " + base64.b64encode(f"u:{password}".encode()).decode()
                if password and self.headers.get("Authorization") != wanted:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="r"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                elif status:
                    self.send_error(status)
                else:
                    super().do_GET()

            def log_message(self, *args):
                pass

        seen = []
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}", seen

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def inside(tmp_path):
    names = {item.name for item in (tmp_path / "workspaces").iterdir()}
    return sorted(names - {".waiting.lock"})


def test_clone_is_bare_and_complete(origin, tmp_path, fetch, untouched):
    with untouched(origin):
        repo = fetch(f"file://{origin}")
    head = repos.head(origin)
    assert repo.is_bare
    assert repo.top == tmp_path / "workspaces/r.git"
    assert repo.list_branches() == [Branch("main", head, True), Branch("topic/x", head, False)]
    assert repo.tree(repo.resolve("v1")).read("ü b") == b"b\n"
    assert repo.read_origin_url() == f"file://{origin}"
    assert inside(tmp_path) == ["r.git"]
    assert not (repo.top / "hooks").exists()


def test_clone_over_http(origin, fetch, serve):
    repos.git(origin, "gc", "-q")
    repos.git(origin, "update-server-info")
    url, _ = serve(origin)
    repo = fetch(f"{url}/.git")
    assert set(repo.tree(repo.resolve("HEAD")).entries()) == {"a", "ü b"}


def test_refresh_follows_branches_tags_and_the_default(origin, fetch):
    repo = fetch(f"file://{origin}")
    repos.git(origin, "branch", "-D", "topic/x")
    repos.git(origin, "branch", "topic")  # where the folder of the old one was
    repos.git(origin, "tag", "-d", "v1")
    repos.git(origin, "checkout", "-q", "--orphan", "trunk")
    commit = repos.commit(origin, {"c": "c\n"})
    repos.git(origin, "tag", "v2")
    refresh(repo)
    assert [(b.name, b.default) for b in repo.list_branches()] == [
        ("main", False),
        ("topic", False),
        ("trunk", True),
    ]
    assert repo.resolve("HEAD") == repo.resolve("v2") == commit
    with pytest.raises(UsageError):
        repo.resolve("v1")


def test_refresh_accepts_a_rewritten_branch(origin, fetch):
    repo = fetch(f"file://{origin}")
    repos.git(origin, "commit", "-q", "--amend", "-m", "rewritten")
    refresh(repo)
    assert repo.resolve("main") == repos.git(origin, "rev-parse", "main")


def test_clone_of_a_repository_without_commits(tmp_path, fetch):
    origin = repos.init(tmp_path / "origin")
    repo = fetch(f"file://{origin}")
    with pytest.raises(UsageError, match="has no commits yet"):
        repo.resolve("HEAD")
    commit = repos.commit(origin, {"a": "a\n"})
    refresh(repo)
    assert repo.resolve("HEAD") == commit


def test_sha256(tmp_path, fetch):
    origin = repos.build(tmp_path / "origin", sha256=True)
    repo = fetch(f"file://{origin}")
    commit = repos.commit(origin, {"a": "a\n"})
    refresh(repo)
    assert repo.resolve("main") == commit
    assert repo.tree(commit).read("a") == b"a\n"


@pytest.fixture
def long(tmp_path, monkeypatch):
    """Build a repository with more commits than a clone fetches; return their ids, oldest first."""
    monkeypatch.setattr(clones, "DEPTH", 2)
    top = repos.build(tmp_path / "origin", {"a": "0\n"})
    made = [repos.head(top), *(repos.commit(top, {"a": f"{n}\n"}) for n in range(1, 5))]
    repos.git(top, "tag", "v0", made[0])
    return top, made


def count(repo, ref="HEAD"):
    return int(repo.command.run("rev-list", "--count", ref).out)


def test_clone_has_the_newest_commits_and_fetches_older_ones(long, fetch):
    origin, made = long
    repo = fetch(f"file://{origin}")
    assert (count(repo), repo.resolve("HEAD")) == (2, made[-1])
    for ref in ("v0", made[0], made[1]):
        with pytest.raises(UsageError) as failure:
            repo.resolve(ref)
    assert "a tag or a full commit id" in failure.value.hint
    for ref in ("nope", "HEAD~3", made[1][:8], "-x", "a..b", "f" * 40):
        assert not clones.fetch_ref(repo, ref), ref
    assert clones.fetch_ref(repo, made[1])
    assert repo.tree(repo.resolve(made[1])).read("a") == b"1\n"
    assert clones.fetch_ref(repo, "refs/tags/v0")
    assert repo.tree(repo.resolve("v0")).read("a") == b"0\n"


def test_shallow_clone_is_refreshed(long, fetch):
    origin, made = long
    repo = fetch(f"file://{origin}")
    repos.git(origin, "branch", "old", made[1])
    new = [repos.commit(origin, {"a": f"new {n}\n"}) for n in range(3)]
    refresh(repo)
    assert (count(repo), count(repo, "old")) == (2, 2)
    assert repo.resolve("main") == new[-1]
    assert repo.tree(made[-1]).read("a") == b"4\n"  # what runs started from stays
    repos.git(origin, "commit", "-q", "--amend", "-m", "rewritten")
    refresh(repo)
    assert repo.resolve("main") == repos.head(origin)


def test_refresh_fetches_nothing_without_new_commits(long, fetch, spy):
    origin, made = long
    repo = fetch(f"file://{origin}")
    repos.git(origin, "branch", "deep/er", made[3])
    refresh(repo)
    assert [one.name for one in repo.list_branches()] == ["deep/er", "main"]
    begun = len(spy.calls)
    repos.git(origin, "symbolic-ref", "HEAD", "refs/heads/deep/er")
    refresh(repo)
    assert not any(" fetch " in call for call in spy.calls[begun:])
    assert repo.resolve("HEAD") == made[3]


def test_failed_clone_leaves_nothing(tmp_path, fetch, origin):
    with pytest.raises(NotFoundError, match="file:///no/such is not a repository"):
        fetch("file:///no/such")
    assert inside(tmp_path) == []
    fetch(f"file://{origin}")
    with pytest.raises(ConflictError, match="already exists"):
        fetch(f"file://{origin}")
    assert inside(tmp_path) == ["r.git"]


def test_next_clone_deletes_folders_of_killed_processes(tmp_path, fetch, origin):
    folder = tmp_path / "workspaces"
    left = (".clone-early", ".clone-dead", ".removed-dead", ".clone-alive", "r.git.clone-not")
    repos.write(folder, {f"{name}/bare/objects/x": "x\n" for name in left})
    repos.write(folder, {f"{name}/owner.lock": "" for name in left[1:4]})
    with (folder / ".clone-alive/owner.lock").open("r+") as owner:
        assert try_lock(owner.fileno())
        fetch(f"file://{origin}")
        assert inside(tmp_path) == [".clone-alive", "r.git", "r.git.clone-not"]


def test_dangling_link_as_target_is_not_followed(tmp_path, fetch, origin):
    (tmp_path / "workspaces").mkdir()
    (tmp_path / "workspaces/r.git").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConflictError):
        fetch(f"file://{origin}")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, NotFoundError),
        (401, AuthError),
        (403, AuthError),
        (500, NetworkError),
        (503, NetworkError),
    ],
)
def test_responses_of_a_server(tmp_path, fetch, serve, status, error):
    url, _ = serve(tmp_path, status=status)
    with pytest.raises(error, match=r"127\.0\.0\.1"):
        fetch(f"{url}/r.git")
    assert inside(tmp_path) == []


def test_response_that_is_not_a_repository(tmp_path, fetch, serve):
    repos.write(
        tmp_path, {"served/r.git/info/refs": "<html>hello</html>\n", "served/r.git/HEAD": "x\n"}
    )
    url, _ = serve(tmp_path / "served")
    with pytest.raises(ProviderError, match=r"127\.0\.0\.1.* is not a git server"):
        fetch(f"{url}/r.git")
    assert inside(tmp_path) == []


def test_response_that_is_not_text(hub, fetch):
    hub.repo("ada/lib", {"a": "1\n"})
    kind = [("Content-Type", "application/x-git-upload-pack-advertisement")]
    hub.intercept("GET *info/refs", lambda r, p: Response(200, b"\xff" * 9, kind))
    with pytest.raises(ProviderError, match="not a git server"):
        fetch(f"{hub.url}/ada/lib.git")


def test_login_is_never_prompted_but_the_users_helper_is_used(
    tmp_path, origin, fetch, serve, monkeypatch
):
    repos.git(origin, "update-server-info")
    url, seen = serve(origin, password="pw-very-secret")
    with pytest.raises(AuthError, match="requires a login") as caught:
        fetch(f"{url}/.git")
    assert caught.value.exit_code == 4
    helper = "!f() { test $1 = get && echo username=u && echo password=pw-very-secret; }; f"
    repos.git(
        tmp_path, "config", "--file", str(tmp_path / "gitconfig"), "credential.helper", helper
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    repo = fetch(f"{url}/.git")
    assert repo.resolve("main")
    assert any("Authorization" in headers for headers in seen)
    for path in repo.top.rglob("*"):
        assert not path.is_file() or b"very-secret" not in path.read_bytes()


def test_unreachable_server(fetch):
    for url in ("https://127.0.0.1:1/o/r", "http://127.0.0.1:1/o/r"):
        with pytest.raises(NetworkError, match="cannot reach") as caught:
            fetch(url)
        assert caught.value.exit_code == 5


def test_refresh_of_a_deleted_origin(origin, fetch, tmp_path):
    repo = fetch(f"file://{origin}")
    origin.rename(tmp_path / "moved")
    before = repos.fingerprint(repo.top)
    with pytest.raises(NotFoundError):
        refresh(repo)
    assert repos.fingerprint(repo.top) == before


def test_refresh_refuses_a_users_repository(origin, reopen, tmp_path):
    with pytest.raises(UsageError, match="is not a clone by dursor"):
        refresh(reopen(origin))
    repos.git(tmp_path, "init", "-q", "--bare", "b.git")
    with pytest.raises(UsageError, match="is not a clone by dursor"):
        refresh(reopen(tmp_path / "b.git"))


def test_refresh_checks_the_url_again(origin, fetch, tmp_path):
    repo = fetch(f"file://{origin}")
    mark = tmp_path / "ran"
    repos.git(repo.top, "config", "remote.origin.url", f"ext::sh -c 'touch {mark}'")
    with pytest.raises(UsageError):
        refresh(repo)
    assert not mark.exists()


def test_rewriting_to_another_protocol_is_explained(origin, fetch, monkeypatch, tmp_path):
    (tmp_path / "gitconfig").write_text('[url "git@host:"]\n\tinsteadOf = https://host/\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    with pytest.raises(UsageError, match="rewrites https://host/r") as caught:
        fetch("https://host/r")
    assert caught.value.hint == "git config --get-regexp ^url"


def test_user_templates_and_hooks_are_not_used(origin, fetch, monkeypatch, tmp_path):
    hook = f"#!/bin/sh\ntouch '{tmp_path}/ran'\n"
    repos.write(tmp_path, {"template/hooks/reference-transaction": repos.Script(hook)})
    (tmp_path / "gitconfig").write_text(f"[init]\n\ttemplateDir = {tmp_path}/template\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    repo = fetch(f"file://{origin}")
    refresh(repo)
    assert not (repo.top / "hooks").exists()
    assert not (tmp_path / "ran").exists()


def test_no_key_reaches_a_network_process(origin, fetch, spy, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    refresh(fetch(f"file://{origin}"))
    assert "sk-very-secret" not in spy.environment
    assert any(" clone " in call for call in spy.calls)
    assert any(" fetch " in call for call in spy.calls)


def test_interrupted_clone_leaves_nothing(origin, tmp_path, monkeypatch):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("git.cmd.Git.AutoInterrupt.wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        clone(f"file://{origin}", tmp_path / "workspaces/r.git")
    assert inside(tmp_path) == []


def test_remove_deletes_a_clone(origin, tmp_path, fetch):
    repo = fetch(f"file://{origin}")
    remove(repo.top, tmp_path / "workspaces")
    assert inside(tmp_path) == []
    remove(repo.top, tmp_path / "workspaces")


def test_remove_refuses_paths_outside_the_workspaces(origin, tmp_path, untouched):
    workspaces = tmp_path / "workspaces"
    (workspaces / "deep").mkdir(parents=True)
    (workspaces / "link").symlink_to(origin)
    outside = [
        origin,
        tmp_path,
        workspaces,
        workspaces / "..",
        workspaces / "../origin",
        workspaces / "deep/..",
        workspaces / "link/..",
        workspaces / "link/.git",
        tmp_path / "workspaces-other",
    ]
    for path in outside:
        with untouched(tmp_path), pytest.raises(UsageError, match="is not in"):
            remove(path, workspaces)
    with untouched(origin):
        remove(workspaces / "link", workspaces)
    assert not os.path.lexists(workspaces / "link")


def test_failed_remove_is_a_one_line_error(tmp_path, monkeypatch):
    (tmp_path / "workspaces/r.git").mkdir(parents=True)

    def rename(self, target):
        raise OSError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.rename", rename)
    with pytest.raises(InternalError, match=r"cannot delete .*: Permission denied"):
        remove(tmp_path / "workspaces/r.git", tmp_path / "workspaces")


def test_name_is_derived_from_the_url():
    assert derive_name("https://host/o/r.git") == "r"
