"""The whole way: sign in, clone, round, pull request, review, second round, update."""

import os
import shutil
from pathlib import Path

import leaks
from command_line import make_append_reply
from github_project import GitHubProject


def traced_git(folder: Path) -> tuple[str, Path]:
    """A PATH with a git that records its arguments, and the file of the record."""
    folder.mkdir()
    program, trace = folder / "git", folder / "arguments"
    program.write_text(f'#!/bin/sh\necho "$@" >>"{trace}"\nexec "{shutil.which("git")}" "$@"\n')
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}", trace


def test_from_login_to_an_updated_pull_request(project: GitHubProject, tmp_path: Path):
    hub = project.hub
    path, trace = traced_git(tmp_path / "bin")
    remote = hub.repo("ada/secret", {"README.md": "line 1\nline 2\nline 3\n"}, private=True)
    app = hub.app("helper")
    hub.install(app, "ada", [remote])
    project.cli.extra = hub.env() | {"DURSOR_ENCRYPTION_KEY": "correct horse battery", "PATH": path}
    words = ("github", "login", "--app-id", str(app.id), "--private-key-file", "-")
    done = [project(*words, input=hub.private_key), project("repo", "add", "ada/secret")]

    first = project.run(None, "--repo", "secret")
    done.append(project("pr", "create", "--run", first["id"]))
    pull = remote.pulls[1]
    hub.comment(pull, "grace", "Is that all?")
    hub.line(pull, "grace", "A line more.", "README.md", 4)
    hub.review(pull, "grace", "Please.", "CHANGES_REQUESTED")
    done.append(project("pr", "sync", "1"))
    second = project.run(
        make_append_reply("line 5", "line 4"), "--task", first["task_id"], text="address the review"
    )
    done.append(project("pr", "update", "1", "--run", second["id"]))
    done.append(project("pr", "show", "1"))
    assert [item.exit_code for item in done] == [0] * 6, done

    branch, base = f"dursor/{first['id'][:8]}", remote.head("main")
    assert {*remote.branches} == {"main", branch}
    author = f"helper[bot] <{app.id + 100_000}+helper[bot]@users.noreply.127.0.0.1>"
    form = "%an <%ae>%n%cn <%ce>%n%s%n%(trailers:only,unfold)"
    arguments = remote.git("log", f"--format={form}", f"{base}..{branch}").split("\n\n")
    assert [item.splitlines() for item in arguments] == [
        [
            author,
            author,
            text,
            f"Dursor-Run: {run['id']}",
            f"Dursor-Model: {run['model_name']}",
            f"Dursor-Base: {run['base_commit']}",
        ]
        for text, run in (("address the review", second), ("append a line", first))
    ]
    assert (
        second["base_commit"]
        == done[2].data["latest_commit"]
        == remote.git("rev-parse", f"{branch}^")
    )
    assert remote.git("rev-parse", f"{branch}~2") == base
    assert remote.show(branch, "README.md").decode().split("\n") == [
        f"line {number}" for number in range(1, 6)
    ]
    assert done[5].data["latest_commit"] == remote.head(branch)
    assert [item["content"].splitlines()[-1] for item in done[3].data["messages"]] == [
        "Is that all?",
        "A line more.",
        "Please.",
    ]

    (minted,) = hub.minted  # one for all commands
    secrets = [minted.text, hub.private_key.splitlines()[3], "correct horse battery"]
    leaks.check(project.cli, *done, keys=secrets)
    arguments = trace.read_bytes()
    assert b" push " in arguments
    assert b" clone " in arguments
    assert b"uthorization" not in arguments
    assert leaks.find(arguments, secrets) == []


def test_revoked_token_is_replaced(project: GitHubProject):
    app = project.hub.app("helper")
    project.hub.install(app, "ada", [project.remote])
    project.cli.extra = project.hub.app_env(app) | {
        "DURSOR_ENCRYPTION_KEY": "correct horse battery"
    }
    run, pr = project.open_pr()
    (minted,) = project.hub.minted
    minted.revoked = True
    second = project.run(make_append_reply("line 5", "line 4"), "--from", run["id"])

    project.succeed("pr", "update", "1", "--run", second["id"])

    assert len(project.hub.minted) == 2
    assert len(project.log(pr["branch"])) == 3


def test_clock_skew(project: GitHubProject):
    app = project.hub.app("helper")
    project.hub.install(app, "ada", [project.remote])
    project.cli.extra = project.hub.app_env(app)
    for skew in (300, -300):
        project.hub.skew = skew
        assert project.succeed("github", "status")["login"] == "helper[bot]"
