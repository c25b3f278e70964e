"""`dursor repo add` with GitHub: clones with a login, brought up to date before each round."""

import os
from pathlib import Path

import pytest
import repos
from certificates import make_certificate
from command_line import make_append_reply
from github_project import FILES, GitHubProject
from hub import Hub, Repo

from dursor.github.programs import resolve_ssh_alias
from dursor.vcs.remote import clone as clones


@pytest.fixture
def private(project: GitHubProject) -> Repo:
    """A private repository that only Ada can see."""
    return project.hub.repo("ada/secret", {"README.md": "line 1\nline 2\nline 3\n"}, private=True)


def test_every_form_of_the_name(project: GitHubProject, private: Repo):
    host = project.hub.url.removeprefix("http://")
    name = host.partition(":")[0]
    repo = project.succeed("repo", "add", "ada/secret")

    assert repo["repo_url"] == f"{project.hub.url}/ada/secret.git"
    assert (repo["name"], repo["default_branch"]) == ("secret", "main")
    assert repo["latest_commit"] == private.head("main")
    for form in (
        "ada/secret",
        "Ada/Secret",
        f"{project.hub.url}/ada/secret",
        f"{host}/ada/secret",
        f"http://ada:hunter2@{host}/ada/secret.git",
        f"git@{name}:ada/secret.git",
        f"ssh://git@{name}/ada/secret",
    ):
        assert project.succeed("repo", "add", form) == repo, form
    assert [item["name"] for item in project.succeed("repo", "list")["items"]] == ["secret"]


def test_clone_is_refreshed_and_has_pull_requests(project: GitHubProject, private: Repo):
    repo = project.succeed("repo", "add", "ada/secret", "--name", "s")
    new = private.commit("main", {"README.md": "line 1\nline 2\nline three\n"})
    private.commit("topic", {"x": "1\n"})

    run = project.run(make_append_reply("line 4", "line three"), "--repo", "s")
    pr = project.succeed("pr", "create", "--run", run["id"])

    assert run["base_commit"] == new
    assert project.succeed("repo", "show", "s") == {**repo, "latest_commit": new}
    assert pr["url"] == f"{project.hub.url}/ada/secret/pull/1"
    assert [
        (item["name"], item["default"])
        for item in project.succeed("repo", "branches", "s")["items"]
    ] == [(pr["branch"], False), ("main", True), ("topic", False)]
    assert project.succeed("repo", "remove", "s")["id"] == repo["id"]
    assert not [*project.cli.data.glob("publish/*.git")]
    assert not [*project.cli.data.glob("**/*.pack")]


def test_ssh_alias(project: GitHubProject, private: Repo, tmp_path: Path):
    """Real ssh reads the configuration of the system's user, whatever HOME is."""
    log = tmp_path / "log"
    script = f'env >"{log}"; [ "$*" = "-G -- Work.gh" ] && echo "hostname 127.0.0.1" || exit 1'
    repos.write(tmp_path / "bin", {"ssh": repos.Script(f"#!/bin/sh\n{script}\n")})
    project.cli.extra["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"

    repo = project.succeed("repo", "add", "Work.gh:ada/secret.git")
    assert repo["repo_url"] == f"{project.hub.url}/ada/secret.git"
    assert project.succeed("repo", "add", "ssh://git@Work.gh:22/ada/secret") == repo
    repos.git(project.cli.repo, "remote", "set-url", "origin", "git@Work.gh:ada/lib.git")
    _, pr = project.open_pr()
    assert pr["url"] == f"{project.hub.url}/ada/lib/pull/1"
    assert project.cli.extra["DURSOR_GITHUB_TOKEN"] not in log.read_text()

    error = project.fail("repo", "add", "other:ada/secret")
    assert (error["exit"], error["code"]) == (2, "usage")
    assert "cannot clone over ssh" in error["message"]


def test_no_ssh_alias():
    for url in ("git@no-alias.example:a/b", "ssh://-oProxyCommand=x/a/b", "-x:a/b", "/a/b", "C:a"):
        assert resolve_ssh_alias(url, os.environ) == url
        assert resolve_ssh_alias(url, {"PATH": "bin"}) == url


def test_base_older_than_the_clone(
    project: GitHubProject, private: Repo, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(clones, "DEPTH", 1)
    first = private.head("main")
    private.git("tag", "v1", str(first))
    private.commit("main", {"README.md": "another\n"})
    private.commit("main", {"x": "1\n"})
    project.succeed("repo", "add", "ada/secret")

    run = project.run(None, "--repo", "secret", "--base", "v1")
    assert run["base_commit"] == first
    pr = project.succeed("pr", "create", "--run", run["id"])
    assert private.git("rev-parse", f"{pr['branch']}^") == first
    second = project.run(make_append_reply("line 5", "line 4"), "--task", run["task_id"])
    project.succeed("pr", "update", "1", "--run", second["id"])
    assert private.git("rev-list", "--count", pr["branch"]) == "3"
    diff = project.cli(
        "patch", "-", "--repo", "secret", "--base", "v1", input=make_append_reply("l", "line 3")
    )
    assert "+l" in diff.stdout
    error = project.fail("context", "x", "--repo", "secret", "--base", "v2")
    assert (error["exit"], error["message"]) == (2, "ref v2 does not exist")


def test_server_with_its_own_certificates(project: GitHubProject, tmp_path: Path):
    public, context = make_certificate(tmp_path)
    with Hub(tmp_path / "other", context) as hub:
        remote = hub.repo("ada/lib", FILES, private=True)
        project.cli.extra = hub.env(hub.token("ada")) | {"SSL_CERT_FILE": str(public)}
        repo = project.succeed("repo", "add", "ada/lib")  # by httpx and by git
        assert repo["repo_url"].startswith("https://")
        assert repo["latest_commit"] == remote.head("main")


def test_private_repository_needs_a_login(project: GitHubProject, private: Repo):
    token = project.cli.extra.pop("DURSOR_GITHUB_TOKEN")
    error = project.fail("repo", "add", "ada/secret")
    assert (error["exit"], error["code"]) == (4, "auth")
    assert "dursor github login" in error["hint"]

    project.cli.extra["DURSOR_GITHUB_TOKEN"] = token
    error = project.fail("repo", "add", "ada/nothing")
    assert (error["exit"], error["code"]) == (2, "not_found")
    assert error["message"].startswith("folder 'ada/nothing' does not exist, and cannot read")
    project.cli.extra |= project.hub.env(project.hub.token("eve"))
    assert project.fail("repo", "add", "ada/secret")["code"] == "not_found"


def test_public_repository_needs_no_login(project: GitHubProject):
    app = project.hub.app()
    for env in ({}, project.hub.app_env(app)):  # nobody, and an App that is not installed there
        project.cli.extra = project.hub.env() | env
        repo = project.succeed("repo", "add", "ada/lib", "--name", f"r{len(env)}")
        assert repo["repo_url"] == f"{project.hub.url}/ada/lib.git"
        project.run(None, "--repo", repo["name"])
        project.succeed("repo", "remove", repo["name"])


def test_renamed_repository(project: GitHubProject, private: Repo):
    project.succeed("repo", "add", "ada/secret")
    project.hub.rename(private, "ada/open")
    new = private.commit("main", {"README.md": "line 1\nline 2\nline 3\nline 4\n"})

    run = project.run(make_append_reply("line 5", "line 4"), "--repo", "secret")
    pr = project.succeed("pr", "create", "--run", run["id"])

    assert run["base_commit"] == new
    assert pr["url"] == f"{project.hub.url}/ada/open/pull/1"
    project.hub.rename(private, "ada/third")
    assert project.succeed("pr", "sync", "1")["pr"]["url"] == f"{project.hub.url}/ada/third/pull/1"
    assert project.succeed("pr", "list", "--all")["items"][0]["id"] == pr["id"]


def test_arguments_that_are_not_a_repository(project: GitHubProject, hub: Hub):
    for words in ("nothing", "a/b/c", "./ada/lib"):
        error = project.fail("repo", "add", words)
        assert (error["exit"], error["code"]) == (2, "usage"), words
    folder = repos.build(project.cli.repo / "ada" / "lib")
    assert project.succeed("repo", "add", "ada/lib")["path"] == str(folder.resolve())
    assert hub.requests == []
