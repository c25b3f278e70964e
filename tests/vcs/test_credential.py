"""A token only reaches the repository that it is for."""

import base64
import json
import os
import shutil

import leaks
import pytest
import repos
from github_project import clone
from hub.state import Token, long_token
from hub.wire import Response
from vendors.server import ScriptedServer

from dursor.domain import Secret
from dursor.errors import AuthError, DursorError, NotFoundError, PolicyError, UsageError
from dursor.tree import FILE, FileState
from dursor.vcs.environment import build_local_env
from dursor.vcs.remote import clone as clones
from dursor.vcs.remote.credential import build_authenticated_env
from dursor.vcs.remote.mirror import Mirror
from dursor.vcs.remote.push import Identity, commit_change, fetch, find_remote_branch, push

WHO = Identity("Ada", "ada@example.com")
HOOKS = ("pre-push", "reference-transaction", "post-checkout", "pre-auto-gc", "push-to-checkout")


@pytest.fixture
def lib(hub):
    return hub.repo("ada/lib", {"a": "1\n"}, private=True)


@pytest.fixture
def url(hub, lib):
    return f"{hub.url}/ada/lib.git"


@pytest.fixture
def token(hub, lib):
    """An App's token: long, with dots, and every Base64 character in its encoding."""
    app = hub.app()
    text = long_token(app.id)
    granted = dict(app.permissions)
    hub.tokens[text] = Token(text, installation=hub.install(app, "ada"), permissions=granted)
    return Secret(text)


@pytest.fixture
def evil():
    """A host that must not receive the token."""
    with ScriptedServer() as server:
        yield server
    assert server.connections == 0


@pytest.fixture
def trap(tmp_path):
    """Return a command that leaves a trace, and check for traces at the end."""
    trace = tmp_path / "trapped"
    yield f"env >>'{trace}'; cat"
    assert not trace.exists()


@pytest.fixture
def mine(tmp_path, lib):
    """The user's clone, which others can write to."""
    return clone(lib, f"file://{lib.path}", tmp_path / "mine")


@pytest.fixture
def publish(mine, lib, url, token, tmp_path, reopen):
    """Fetch and push from the user's clone; both must work in every test."""

    def run(top=mine):
        head = repos.head(top)
        theirs = lib.commit("theirs", {"b": "nothing of this is in the clone\n"})
        with Mirror.open(tmp_path / "data/mine.git", reopen(top)) as mirror:
            assert not mirror.has(theirs)
            assert fetch(mirror, url, "theirs", token) == theirs
            made = commit_change(
                mirror, head, {"a": FileState(FILE, b"one\n")},
                parents=[head], message="m", author=WHO, date="2026-11-22T10:00:00Z",
            )  # fmt: skip
            push(mirror, url, made, "dursor/1234", expect=None, secret=token)
        assert lib.show("dursor/1234", "a") == b"one"

    return run


def plant(top, **settings):
    for key, value in settings.items():
        repos.git(top, "config", "--add", key.replace("__", "."), value)


# a repository that models or other people may have changed


def test_hooks(publish, mine, trap):
    for hook in HOOKS:
        repos.write(mine, {f".git/hooks/{hook}": repos.Script(f"#!/bin/sh\n{trap} </dev/null\n")})
    publish()


def test_a_folder_of_hooks(publish, mine, trap, tmp_path):
    for hook in HOOKS:
        repos.write(tmp_path / "h", {hook: repos.Script(f"#!/bin/sh\n{trap} </dev/null\n")})
    plant(mine, core__hooksPath=str(tmp_path / "h"))
    publish()


def test_a_file_system_monitor(publish, mine, trap):
    plant(mine, core__fsmonitor=trap, core__untrackedCache="true")
    publish()


def test_a_proxy(publish, mine, evil, url):
    plant(mine, http__proxy=evil.url, http__sslVerify="false", remote__origin__proxy=evil.url)
    repos.git(mine, "config", f"http.{url}.proxy", evil.url)
    repos.git(mine, "config", f"http.{url}/.proxy", evil.url)
    publish()


def test_a_rewritten_url(publish, mine, evil, hub, url):
    for key in ("insteadOf", "pushInsteadOf"):
        repos.git(mine, "config", "--add", f"url.{evil.url}/.{key}", f"{hub.url}/")
        repos.git(mine, "config", "--add", f"url.{evil.url}/x.git.{key}", url)
    publish()


def test_another_push_url(publish, mine, evil, url):
    plant(mine, remote__origin__pushurl=f"{evil.url}/x.git")
    repos.git(mine, "config", f"remote.{url}.url", f"{evil.url}/x.git")
    repos.git(mine, "config", f"remote.{url}.pushurl", f"{evil.url}/x.git")
    publish()


def test_a_credential_helper(publish, mine, trap, hub):
    plant(mine, credential__helper=f"!{trap}")
    repos.git(mine, "config", f"credential.{hub.url}.helper", f"!{trap}")
    publish()


def test_an_alias(publish, mine, trap):
    plant(mine, **{f"alias__{name}": f"!{trap}" for name in ("push", "fetch", "ls-remote")})
    publish()


def test_programs_in_the_configuration(publish, mine, trap):
    names = ("sshCommand", "gitProxy", "askPass", "pager", "editor", "alternateRefsCommand")
    plant(mine, **{f"core__{name}": trap for name in names})
    plant(mine, uploadpack__packObjectsHook=trap, remote__origin__uploadpack=trap)
    plant(mine, remote__origin__receivepack=trap, remote__origin__vcs="ext", gpg__program=trap)
    plant(mine, push__gpgSign="true", push__pushOption="x", fetch__fsckObjects="true")
    publish()


def test_a_submodule_that_is_a_command(publish, mine, lib, trap):
    modules = f'[submodule "s"]\n\tpath = s\n\turl = ext::sh -c "{trap}"\n'
    head = repos.commit(mine, {".gitmodules": modules})
    lib.git("fetch", "-q", str(mine), f"{head}:refs/heads/main")
    plant(mine, submodule__s__url=f"ext::sh -c {trap}", submodule__s__active="true")
    plant(mine, protocol__ext__allow="always", submodule__recurse="true")
    plant(mine, fetch__recurseSubmodules="true", push__recurseSubmodules="on-demand")
    publish()


def test_filters_and_attributes(publish, mine, lib, trap):
    head = repos.commit(mine, {".gitattributes": "* filter=evil diff=evil merge=evil\n"})
    lib.git("fetch", "-q", str(mine), f"{head}:refs/heads/main")
    for kind in ("clean", "smudge", "process"):
        plant(mine, **{f"filter__evil__{kind}": trap})
    plant(mine, diff__evil__textconv=trap, merge__evil__driver=trap)
    publish()


def test_included_settings(publish, mine, tmp_path, trap, evil):
    file = tmp_path / "included"
    for key, value in {"http.proxy": evil.url, "credential.helper": f"!{trap}"}.items():
        repos.git(mine, "config", "--file", str(file), key, value)
    plant(mine, include__path=str(file), extensions__worktreeConfig="true")
    repos.git(mine, "config", "--file", str(mine / ".git/config.worktree"), "http.proxy", evil.url)
    publish()


def test_a_linked_worktree(publish, mine, trap, tmp_path):
    repos.git(mine, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    plant(mine, core__fsmonitor=trap, credential__helper=f"!{trap}")
    publish(tmp_path / "linked")


def test_the_users_repository_is_unchanged(publish, mine, untouched):
    repos.write(mine, {"a": "uncommitted\n", "new": "x"})
    with untouched(mine):
        publish()


def test_the_traps_are_real(mine, url, token, tmp_path):
    """Git in the user's own folder leaks the same credential in each of these ways."""
    trace = tmp_path / "caught"
    trap = f"env >>'{trace}'; cat"
    env = build_local_env() | build_authenticated_env(url, token)

    def pushed(*settings):
        trace.unlink(missing_ok=True)
        words = [word for setting in settings for word in ("-c", setting)]
        repos.git(mine, *words, "status", env=env)
        repos.git(mine, *words, "push", url, "HEAD:refs/heads/x", env=env, ok=(0, 1, 128))
        return trace.exists() and bool(leaks.find(trace.read_bytes(), [token.reveal()]))

    assert not pushed()
    assert pushed(f"core.fsmonitor={trap}")
    repos.write(mine, {".git/hooks/pre-push": repos.Script(f"#!/bin/sh\n{trap}\n")})
    assert pushed()
    with ScriptedServer() as proxy:
        elsewhere = {k: v.replace(".proxy", ".unused") for k, v in env.items()}  # as off loopback
        repos.git(mine, "config", "http.proxy", proxy.url)
        repos.git(mine, "push", url, "HEAD:refs/heads/y", env=elsewhere, ok=(0, 1, 128))
        assert "authorization" in proxy.requests[0].headers


# tampering with mirrors and clones

PLANTED = {
    "http.proxy": "{evil}",
    "http.{url}.proxy": "{evil}",
    "core.fsmonitor": "{trap}",
    "core.hooksPath": "/tmp",
    "core.alternateRefsCommand": "{trap}",
    "core.sshCommand": "{trap}",
    "credential.helper": "!{trap}",
    "url.{evil}/.insteadOf": "{hub}/",
    "include.path": "/tmp/included",
    "includeIf.gitdir:/.path": "/tmp/included",
    "remote.origin.pushurl": "{evil}",
    "remote.origin.proxy": "{evil}",
    "extensions.worktreeConfig": "true",
    "alias.push": "!{trap}",
    "trace2.eventTarget": "/tmp/trace",
}


def test_no_token_in_a_repository_with_foreign_settings(
    hub, mine, url, token, evil, trap, tmp_path, reopen
):
    words = {"evil": evil.url, "trap": trap, "hub": hub.url, "url": url}
    folder, head = tmp_path / "x.git", repos.head(mine)
    with Mirror.open(folder, reopen(mine)) as mirror:
        config = folder / "config"
        ours = config.read_bytes()
        calls = (
            lambda: fetch(mirror, url, "theirs", token),
            lambda: find_remote_branch(mirror, url, "main", token),
            lambda: push(mirror, url, head, "t", expect=None, secret=token),
            lambda: Mirror.open(folder, reopen(mine)),
        )
        for key, value in PLANTED.items():
            config.write_bytes(ours)
            repos.git(
                folder, "config", "--file", "config", key.format(**words), value.format(**words)
            )
            for call in calls:
                with pytest.raises(PolicyError) as failure:
                    call()
                assert failure.value.exit_code == 7, key
    assert hub.requests == []


def test_hooks_in_the_mirror_do_not_run(publish, mine, trap, tmp_path, reopen):
    Mirror.open(tmp_path / "data/mine.git", reopen(mine)).close()
    for hook in HOOKS:
        path = f"data/mine.git/hooks/{hook}"
        repos.write(tmp_path, {path: repos.Script(f"#!/bin/sh\n{trap} </dev/null\n")})
    publish()


def test_a_clone_with_foreign_settings_gets_no_token(hub, url, token, evil, tmp_path):
    copy = clones.clone(url, tmp_path / "ws/lib", token)
    asked = len(hub.requests)
    try:
        repos.git(copy.git_dir, "config", "http.proxy", evil.url)
        with pytest.raises(PolicyError):
            clones.refresh(copy, url, token)
    finally:
        copy.close()
    assert len(hub.requests) == asked


def test_the_url_in_a_clone_is_not_used(lib, url, token, evil, tmp_path):
    copy = clones.clone(url, tmp_path / "ws/lib", token)
    try:
        repos.git(copy.git_dir, "config", "remote.origin.url", f"{evil.url}/ada/lib.git")
        after = lib.commit("main", {"c": "3\n"})
        clones.refresh(copy, url, token)
        assert copy.resolve("HEAD") == after
    finally:
        copy.close()


# the user's global settings


@pytest.fixture
def everywhere(tmp_path, monkeypatch):
    """Write to the user's global configuration."""
    file = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(file))

    def add(key, value):
        repos.git(tmp_path, "config", "--file", str(file), "--add", key, value)

    return add


def test_a_rewrite_to_ssh(publish, everywhere, hub, url):
    for key in ("insteadOf", "pushInsteadOf"):
        everywhere(f"url.git@127.0.0.1:.{key}", f"{hub.url}/")
        everywhere(f"url.ssh://git@127.0.0.1/lib.{key}", f"{hub.url}/ada/lib")
    publish()


def test_user_helpers_headers_and_other_settings(publish, everywhere, trap, hub, url):
    everywhere("credential.helper", f"!{trap}")
    everywhere(f"credential.{hub.url}.helper", f"!{trap}")
    for scope in ("http", f"http.{hub.url}/", f"http.{url}"):
        everywhere(f"{scope}.extraHeader", "Authorization: Basic d3Jvbmc6d3Jvbmc=")
    for key in ("push.gpgSign", "push.followTags", "fetch.prune", "fetch.pruneTags"):
        everywhere(key, "true")
    everywhere("push.pushOption", "x")
    everywhere("push.recurseSubmodules", "check")
    everywhere("remote.pushDefault", "nowhere")
    everywhere("core.hooksPath", "/tmp")
    everywhere("safe.bareRepository", "explicit")
    everywhere("transfer.fsckObjects", "true")
    publish()


def test_nothing_is_stored_in_the_users_credential_store(publish, everywhere, tmp_path):
    everywhere("credential.helper", f"store --file '{tmp_path}/store'")
    publish()
    assert not (tmp_path / "store").exists()


def test_a_rejection_does_not_reach_the_users_helpers(
    everywhere, trap, url, mine, tmp_path, reopen
):
    """They could push as another user, or delete their credentials."""
    everywhere("credential.helper", f"!{trap}")
    with (
        Mirror.open(tmp_path / "x.git", reopen(mine)) as mirror,
        pytest.raises(AuthError, match="rejected the login"),
    ):
        find_remote_branch(mirror, url, "main", Secret("ghp_" + "0" * 36))


def test_a_trace_enabled_by_the_user_contains_no_token(publish, everywhere, token, tmp_path):
    everywhere("trace2.eventTarget", str(tmp_path / "trace"))
    everywhere("trace2.envVars", ",".join(f"GIT_CONFIG_VALUE_{n}" for n in range(20)))
    everywhere("trace2.configParams", "*")
    publish()
    file = tmp_path / "trace"
    assert not file.exists() or not leaks.find(file.read_bytes(), [token.reveal()])


# traces of the token


@pytest.fixture
def traced(tmp_path, monkeypatch):
    """Record program and arguments of every process that git starts, directly or not."""
    real, file = shutil.which("git"), tmp_path / "bin/trace"
    script = f'#!/bin/sh\nexport GIT_TRACE2_EVENT="{file}"\nexec "{real}" "$@"\n'
    repos.write(tmp_path / "bin", {"git": repos.Script(script)})
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")

    def arguments():
        events = [json.loads(line) for line in file.read_text().splitlines()]
        return [" ".join(event["argv"]) for event in events if "argv" in event]

    return arguments


def everything(folder):
    """Read every file below FOLDER except those of the GitHub server."""
    files = (path for path in folder.rglob("*") if path.is_file() and "hub" not in path.parts)
    return {str(path): path.read_bytes() for path in files}


def test_no_token_in_any_argument_or_file(
    hub, url, token, publish, traced, everywhere, tmp_path, monkeypatch
):
    everywhere("credential.helper", f"store --file '{tmp_path}/store'")
    for name in ("GIT_TRACE", "GIT_TRACE_CURL", "GIT_TRACE_PACKET", "GIT_CURL_VERBOSE"):
        monkeypatch.setenv(name, str(tmp_path / "trace-of-the-user"))
    monkeypatch.setenv("GIT_TRACE_REDACT", "0")
    copy = clones.clone(url, tmp_path / "ws/lib", token)
    clones.refresh(copy, url, token)
    copy.close()
    publish()
    lines = traced()
    for part in ("remote-http", "send-pack", "fetch", "push", "ls-remote", "clone"):
        assert any(part in line for line in lines), part
    # the GitHub server's git runs here too; none runs in the user's folder
    assert [line for line in lines if f"--git-dir={tmp_path}/mine" in line] == []
    assert not leaks.find("\n".join(lines).encode(), [token.reveal()])
    leaking = {
        name: True
        for name, data in everything(tmp_path).items()
        if leaks.find(data, [token.reveal()])
    }
    assert leaking == {}
    assert not (tmp_path / "trace-of-the-user").exists()
    sent = {r.headers.get("authorization") for r in hub.requests}
    assert sent == {
        "Basic " + base64.b64encode(f"x-access-token:{token.reveal()}".encode()).decode()
    }


def test_no_token_in_an_error_message(hub, lib, mine, url, token, tmp_path, reopen):
    def echoing(request, proceed):
        shown = request.headers["authorization"] + " " + token.reveal()
        return Response(403, f"{shown}\n".encode(), [("Content-Type", "text/plain")])

    hub.intercept("GET /ada/lib.git/*", echoing, times=9)
    with (
        Mirror.open(tmp_path / "x.git", reopen(mine)) as mirror,
        pytest.raises(DursorError) as failure,
    ):
        find_remote_branch(mirror, url, "main", token)
    assert not leaks.find(repr(failure.value).encode(), [token.reveal()])
    with pytest.raises(DursorError) as failure:
        clones.clone(url, tmp_path / "ws/lib", token)
    assert not leaks.find(repr(failure.value).encode(), [token.reveal()])


def test_only_the_network_process_has_the_token(publish, spy, token):
    publish()
    with_token = spy.environment.count("Authorization: Basic")
    assert 0 < with_token < len(spy.calls)
    assert with_token == sum(
        any(w in c for w in ("ls-remote", " fetch ", " push ")) for c in spy.calls
    )


# destinations of the token


def test_a_redirect_is_not_followed(hub, mine, url, token, evil, tmp_path, reopen):
    away = [("Location", f"{evil.url}/ada/lib.git/info/refs?service=git-upload-pack")]
    hub.intercept("GET /ada/lib.git/info/refs", lambda r, p: Response(302, b"", away))
    with (
        Mirror.open(tmp_path / "x.git", reopen(mine)) as mirror,
        pytest.raises(NotFoundError, match="has moved"),
    ):
        find_remote_branch(mirror, url, "main", token)


def test_a_proxy_in_the_environment_is_not_used_on_loopback(publish, evil, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, evil.url)
    publish()


def test_other_settings_in_the_environment_are_kept(monkeypatch, url, token):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "http.extraHeader")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "Authorization: Basic d3Jvbmc=")
    monkeypatch.setenv("GIT_CONFIG_KEY_1", "safe.directory")
    monkeypatch.setenv("GIT_CONFIG_VALUE_1", "*")
    env = build_local_env() | build_authenticated_env(url, token)
    assert (env["GIT_CONFIG_KEY_0"], env["GIT_CONFIG_VALUE_0"]) == ("safe.directory", "*")
    count = int(env["GIT_CONFIG_COUNT"])
    assert f"GIT_CONFIG_VALUE_{count - 1}" in env
    assert f"GIT_CONFIG_VALUE_{count}" not in env
    values = [env[f"GIT_CONFIG_VALUE_{n}"] for n in range(count)]
    assert sum(value.startswith("Authorization: ") for value in values) == 1
    assert {env[f"GIT_CONFIG_KEY_{n}"] for n in range(count) if "Auth" in values[n]} == {
        f"http.{url}.extraHeader"
    }


def test_git_trusts_the_same_authorities_as_python(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/own.pem")
    env = build_authenticated_env("https://ghe.example.com/a/b.git", Secret("t"))
    assert env["GIT_SSL_CAINFO"] == "/etc/own.pem"
    assert env["GIT_ALLOW_PROTOCOL"] == "https"
    monkeypatch.setenv("GIT_SSL_CAINFO", "/etc/git.pem")
    env = build_authenticated_env("https://ghe.example.com/a/b.git", Secret("t"))
    assert env["GIT_SSL_CAINFO"] == "/etc/git.pem"


@pytest.mark.parametrize("url", ["file:///srv/x", "ssh://git@host/x/y", "http://host/x/y", "x"])
def test_urls_that_get_no_token(url):
    with pytest.raises(UsageError):
        build_authenticated_env(url, Secret("t"))
