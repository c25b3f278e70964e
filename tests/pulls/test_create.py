"""`dursor pr create`: one branch, one commit, one pull request, however often it is asked for."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import repos
from command_line import make_append_reply
from github_project import GitHubProject
from hub.server import PROTECTED
from hub.wire import Response

OWN_REVIEW = "# Description\n\n<!-- what and why -->\n\n## Checklist\n\n- [ ] tests\n"


def trailers(project: GitHubProject, branch: str) -> dict[str, str]:
    listing = project.remote.git("log", "-1", "--format=%(trailers)", branch)
    return dict(line.split(": ") for line in listing.splitlines() if line)


def test_run_becomes_one_branch_commit_and_pull_request(project: GitHubProject):
    base = project.remote.head("main")
    run, pr = project.open_pr()

    branch = f"dursor/{run['id'][:8]}"
    assert {**project.remote.branches} == {"main": base, branch: pr["latest_commit"]}
    assert project.log(branch, "%P %an <%ae> %cn") == [
        f"{base} Ada <{project.hub.accounts['ada'].id}+ada@users.noreply.127.0.0.1> Ada",
        " Ada <ada@example.com> Ada",
    ]
    assert trailers(project, branch) == {
        "Dursor-Run": run["id"],
        "Dursor-Model": run["model_name"],
        "Dursor-Base": base,
    }
    assert project.remote.show(branch, "README.md") == b"line 1\nline 2\nline 3\nline 4"
    assert (project.pull.base, project.pull.branch, project.pull.draft) == ("main", branch, False)
    assert pr == {
        "id": pr["id"],
        "task_id": run["task_id"],
        "number": 1,
        "url": f"{project.hub.url}/ada/lib/pull/1",
        "branch": branch,
        "title": "append a line",
        "body": pr["body"],
        "latest_commit": project.remote.head(branch),
        "status": "open",
        "created_at": pr["created_at"],
        "updated_at": pr["updated_at"],
    }
    assert pr["body"].startswith("Appended line 4.\n\nInstruction:\n\n> append a line\n\nMade by")
    assert project.succeed("pr", "list")["items"] == [pr]
    assert project.succeed("task", "show", run["task_id"])["prs"] == [pr]


def test_creating_twice_returns_the_first(project: GitHubProject):
    run, first = project.open_pr()

    again = project("pr", "create", "--run", run["id"][:6], "--title", "another")

    assert (again.exit_code, again.data) == (0, first)
    assert "#1 already exists and was not changed" in again.stderr
    assert len(project.remote.pulls) == 1


@pytest.mark.parametrize("after", ["POST *git-receive-pack", "POST */pulls"])
def test_killed_create_is_completed_by_the_next(project: GitHubProject, after: str):
    """The process is killed between push and API call, or between API call and store."""
    run = project.run()
    reached, gone = threading.Event(), threading.Event()

    def hang(request: Any, proceed: Callable[[], Any]) -> None:
        proceed()
        reached.set()
        gone.wait(20)

    project.hub.intercept(after, hang)
    process = project.cli.start("pr", "create", "--run", run["id"])
    assert reached.wait(20)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    gone.set()

    pr = project.succeed("pr", "create", "--run", run["id"])

    assert [*project.remote.pulls] == [1]
    assert project.log(pr["branch"]) == ["append a line", "start"]
    assert project.succeed("pr", "list")["items"] == [pr]
    assert project.succeed("pr", "create", "--run", run["id"]) == pr


def test_network_failure_is_completed_by_the_next(project: GitHubProject):
    run = project.run()
    page = Response(200, b"<html>sign in", [("Content-Type", "text/html")])
    half = Response(201, b'{"number": 1, "html_u', [("Content-Type", "application/json")])
    for pattern, answer in (
        ("POST *git-receive-pack", None),  # cut
        ("GET *info/refs", page),
        ("POST */pulls", None),
        ("POST */pulls", half),
    ):
        project.hub.intercept(pattern, lambda request, proceed, answer=answer: answer)
        error = project.fail("pr", "create", "--run", run["id"])
        assert (error["exit"], error["hint"] is None) == (5, False), pattern

    assert project.succeed("pr", "create", "--run", run["id"])["number"] == 1


def test_two_concurrent_processes_open_one_pull_request(project: GitHubProject):
    run = project.run()
    both = threading.Barrier(2)

    def together(request: Any, proceed: Callable[[], Any]) -> Any:
        both.wait(20)  # neither has log the other's when it asks for its own
        return proceed()

    project.hub.intercept("POST */pulls", together, times=2)
    started = [project.cli.start("pr", "create", "--run", run["id"], "--json") for _ in range(2)]
    describe_end = [process.communicate(timeout=30) for process in started]

    assert [process.returncode for process in started] == [0, 0], describe_end
    assert [*project.remote.pulls] == [1]
    (pr,) = project.succeed("pr", "list")["items"]
    assert project.log(pr["branch"]) == ["append a line", "start"]


def test_title_body_and_branch_options(project: GitHubProject):
    run = project.run()

    words = ("--title", "Mine", "--body", "-", "--branch", "refs/heads/fix/readme", "--draft")
    words += ("--base", "ada:refs/heads/main")
    pr = project.succeed("pr", "create", "--run", run["id"], *words, input="why\nnot\n")

    assert (pr["title"], pr["body"], pr["branch"]) == ("Mine", "why\nnot", "fix/readme")
    assert (pr["status"], project.pull.draft) == ("draft", True)


def test_draft_becomes_open_where_drafts_are_not_allowed(project: GitHubProject):
    project.remote.drafts = False
    run = project.run()

    done = project("pr", "create", "--run", run["id"], "--draft")

    assert (done.exit_code, done.data["status"]) == (0, "open")
    assert "ada/lib does not allow drafts: #1 is open for review" in done.stderr


def test_template_is_filled_in(project: GitHubProject):
    repos.commit(project.cli.repo, {".github/pull_request_template.md": OWN_REVIEW})
    project.remote.git("fetch", "-q", str(project.cli.repo), "main:main")

    _, pr = project.open_pr()

    head, _, rest = pr["body"].partition("\n\n")
    assert head == "# Description"
    assert rest.startswith("Appended line 4.\n")
    assert rest.endswith("<!-- what and why -->\n\n## Checklist\n\n- [ ] tests\n")


def test_chain_is_one_commit_titled_by_its_first_instruction(project: GitHubProject):
    first = project.run()
    run = project.run(
        make_append_reply("line 5", "line 4"), "--from", first["id"], text="and another"
    )

    pr = project.succeed("pr", "create", "--run", run["id"])

    assert pr["title"] == "append a line"
    assert "> append a line\n\n> and another" in pr["body"]
    assert project.log(pr["branch"]) == ["and another", "start"]
    assert project.remote.show(pr["branch"], "README.md").endswith(b"line 4\nline 5")


# what is not published


def test_unpublishable_run_is_refused(project: GitHubProject):
    failed = project.ask("no patch here")
    (project.cli.repo / "calc.py").write_text("edited = True\n")
    dirty = project.run(None, "--dirty")

    error = project.fail("pr", "create", "--run", failed["id"])
    assert (error["exit"], error["code"]) == (2, "usage")
    assert error["message"].endswith("has no patch to publish: its status is failed (no_patch)")

    error = project.fail("pr", "create", "--run", dirty["id"])
    assert (error["exit"], error["code"]) == (8, "conflict")
    assert "uncommitted changes (--dirty)" in error["message"]
    assert error["hint"].startswith("git commit -a")
    assert project.hub.requests == []


def test_unpushed_base_commit_is_refused(project: GitHubProject):
    commit = repos.commit(project.cli.repo, {"new.py": "1\n"})
    run = project.run()

    error = project.fail("pr", "create", "--run", run["id"])

    assert error["exit"] == 8
    assert f"ada/lib does not contain {commit[:8]}, the base of run" in error["message"]
    assert error["hint"] == "git push origin main, then run the same command again"
    assert {*project.remote.branches} == {"main"}


def test_branch_with_the_base_commit_is_suggested(project: GitHubProject):
    repos.git(project.cli.repo, "switch", "-qc", "topic")
    repos.commit(project.cli.repo, {"new.py": "1\n"})
    project.remote.git("fetch", "-q", str(project.cli.repo), "topic:topic")
    run = project.run()

    error = project.fail("pr", "create", "--run", run["id"])
    assert (error["exit"], error["hint"]) == (8, "--base topic")
    assert "main of ada/lib does not contain" in error["message"]

    project.remote.commit("apart", {"x": "1\n"}, orphan=True)
    error = project.fail("pr", "create", "--run", run["id"], "--base", "apart")
    assert (error["exit"], error["hint"]) == (8, "--base topic")
    assert "apart of ada/lib does not contain" in error["message"]

    pr = project.succeed("pr", "create", "--run", run["id"], "--base", "topic")
    assert project.pull.base == "topic"
    error = project.fail("pr", "create", "--run", run["id"], "--base", "main")
    assert (error["exit"], error["code"]) == (8, "conflict")
    assert pr["number"] == 1


def test_base_is_the_branch_of_the_round(project: GitHubProject):
    project.remote.git("branch", "topic", "main")
    repos.git(
        project.cli.repo, "fetch", "-q", str(project.remote.path), "topic:refs/remotes/origin/topic"
    )
    run = project.run(None, "--base", "origin/topic")

    project.succeed("pr", "create", "--run", run["id"])

    assert project.pull.base == "topic"


def test_base_branch_may_have_moved(project: GitHubProject):
    run = project.run()
    project.remote.commit("main", {"other.py": "1\n"})

    project.succeed("pr", "create", "--run", run["id"])

    assert project.pull.base == "main"


def test_foreign_branch_is_kept(project: GitHubProject):
    run = project.run()
    theirs = project.remote.commit(f"dursor/{run['id'][:8]}", {"x": "y\n"})

    error = project.fail("pr", "create", "--run", run["id"])

    assert (error["exit"], error["hint"]) == (8, "--branch ANOTHER-NAME")
    assert project.remote.head(f"dursor/{run['id'][:8]}") == theirs
    project.succeed("pr", "create", "--run", run["id"], "--branch", "mine")


def test_foreign_pull_request_is_refused(project: GitHubProject):
    project.open_pr("--branch", "shared")
    other = project.run(make_append_reply("line V", "line 3"))

    error = project.fail("pr", "create", "--run", other["id"], "--branch", "shared")

    assert (error["exit"], error["hint"]) == (8, "--branch ANOTHER-NAME")
    assert f"does not contain run {other['id'][:8]}" in error["message"]


def test_branch_name_may_be_reused_by_another_task(project: GitHubProject):
    project.open_pr("--branch", "fix")
    project.hub.close(project.pull)
    project.remote.delete_branch("fix")

    run = project.run()
    pr = project.succeed("pr", "create", "--run", run["id"], "--branch", "fix")

    assert (pr["number"], [*project.remote.pulls]) == (2, [1, 2])


def test_conflicting_branch_name(project: GitHubProject):
    project.remote.commit("dursor", {"x": "1\n"})
    run = project.run()
    error = project.fail("pr", "create", "--run", run["id"])
    assert (error["exit"], error["code"]) == (8, "conflict")
    assert error["hint"].startswith("--branch")


@pytest.mark.parametrize(
    ("how", "ending"), [("squash", "was merged into main"), ("", "was closed")]
)
def test_ended_pull_request_is_not_reopened(project: GitHubProject, how: str, ending: str):
    run, pr = project.open_pr()
    if how:
        project.hub.merge(project.pull, how)
    else:
        project.hub.close(project.pull)
    project.remote.delete_branch(pr["branch"])

    error = project.fail("pr", "create", "--run", run["id"])

    assert error["exit"] == 8
    assert error["message"].endswith(ending)
    assert [*project.remote.pulls] == [1]


# the repository on GitHub


def test_obstacles_have_a_hint(project: GitHubProject):
    run, main = project.run(), project.remote.head("main")

    def refused(*words: str) -> tuple[int, str, str]:
        error = project.fail("pr", "create", "--run", run["id"], *words)
        return error["exit"], error["message"], error["hint"]

    assert refused("--base", "mian") == (2, "ada/lib has no branch 'mian'", "--base BRANCH")
    assert refused("--base", "eve:main")[0] == 2
    assert refused("--branch", "a..b")[0] == 2
    count = len(project.hub.requests)
    for option, text in (
        ("title", "x" * 257),
        ("body", "x" * 65_537),
        ("base", ""),
        ("branch", " "),
    ):
        assert refused(f"--{option}", text)[0] == 2
    assert len(project.hub.requests) == count

    project.remote.refused["refs/heads/release"] = PROTECTED
    assert refused("--branch", "release")[0] == 7

    project.remote.archived = True
    assert refused() == (7, "ada/lib is archived", "unarchive it on GitHub")
    project.remote.archived = False

    project.remote.delete_branch("main")
    code, message, hint = refused()
    assert (code, message) == (8, "ada/lib has no branches")
    assert hint.startswith("git push origin main")
    project.remote.git("update-ref", "refs/heads/main", str(main))

    token = project.cli.extra.pop("DURSOR_GITHUB_TOKEN")
    code, _, hint = refused()
    assert (code, "dursor github login" in hint) == (4, True)
    project.cli.extra["DURSOR_GITHUB_TOKEN"] = token

    repos.git(project.cli.repo, "remote", "set-url", "origin", "/srv/lib.git")
    code, message, hint = refused()
    assert (code, hint) == (2, "git remote add github https://github.com/OWNER/NAME.git")
    assert "has no remote on GitHub (remotes: /srv/lib.git)" in message
    assert project.remote.pulls == {}


def test_fork_is_pushed_to_and_parent_gets_the_pull_request(project: GitHubProject, tmp_path: Path):
    fork = project.hub.fork(project.remote, "bob")
    project.cli.extra |= project.hub.env(project.hub.token("bob"))
    repos.git(project.cli.repo, "remote", "set-url", "origin", f"git@127.0.0.1:bob/{fork.name}.git")
    run, pr = project.open_pr()

    branch = f"dursor/{run['id'][:8]}"
    assert {*project.remote.branches} == {"main"}
    assert {*fork.branches} == {"main", branch}
    assert (pr["url"], project.pull.head) == (f"{project.hub.url}/ada/lib/pull/1", fork)

    second = project.succeed(
        "pr", "create", "--run", run["id"], "--base", "bob:main", "--branch", "b2"
    )
    assert second["url"] == f"{project.hub.url}/bob/lib/pull/1"


def test_diverged_fork_is_its_own_base(project: GitHubProject):
    fork = project.hub.fork(project.remote, "bob")
    project.cli.extra |= project.hub.env(project.hub.token("bob"))
    repos.git(project.cli.repo, "remote", "set-url", "origin", f"{project.hub.url}/bob/lib")
    repos.commit(project.cli.repo, {"own.py": "1\n"})
    fork.git("fetch", "-q", str(project.cli.repo), "main:main")
    run = project.run()

    error = project.fail("pr", "create", "--run", run["id"])
    assert (error["exit"], error["code"]) == (8, "conflict")
    assert error["hint"] == "--base bob:main"

    pr = project.succeed("pr", "create", "--run", run["id"], "--base", "bob:main")
    assert pr["url"] == f"{project.hub.url}/bob/lib/pull/1"


def test_fork_among_the_remotes_is_used(project: GitHubProject):
    fork = project.hub.fork(project.remote, "bob")
    project.cli.extra |= project.hub.env(project.hub.token("bob"))
    run = project.run()

    error = project.fail("pr", "create", "--run", run["id"])
    assert (error["exit"], error["code"]) == (4, "auth")
    assert "cannot push to ada/lib" in error["message"]

    repos.git(project.cli.repo, "remote", "add", "gone", f"{project.hub.url}/bob/nothing")
    repos.git(project.cli.repo, "remote", "add", "mine", f"{project.hub.url}/bob/lib")
    project.succeed("pr", "create", "--run", run["id"])
    assert project.pull.head is fork


def test_foreign_fork_among_the_remotes_is_ignored(project: GitHubProject):
    project.hub.fork(project.remote, "bob")
    repos.git(project.cli.repo, "remote", "rename", "origin", "upstream")
    repos.git(project.cli.repo, "remote", "add", "bob", f"{project.hub.url}/bob/lib")
    _, pr = project.open_pr()
    assert (pr["url"], project.pull.head) == (f"{project.hub.url}/ada/lib/pull/1", project.remote)


# what stays as it was


def test_user_repository_is_unchanged(project: GitHubProject):
    (project.cli.repo / "calc.py").write_text("edited = True\n")
    repos.write(project.cli.repo, {"untracked": "1\n"})
    run = project.run()
    before = repos.fingerprint(project.cli.repo)

    project.succeed("pr", "create", "--run", run["id"])
    next_run = project.run(make_append_reply("line 5", "line 4"), "--task", run["task_id"])
    project.succeed("pr", "sync", "1")
    project.succeed("pr", "update", "1", "--run", next_run["id"])

    assert repos.fingerprint(project.cli.repo) == before
    assert project.log(run["id"] and f"dursor/{run['id'][:8]}") == ["append a line"] * 2 + ["start"]


def test_browser_receives_the_page_and_no_secret(project: GitHubProject, tmp_path: Path):
    log = tmp_path / "log"
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\necho "$@" >"{log}.new"; env >>"{log}.new"; mv "{log}.new" "{log}"\n'
    )
    browser.chmod(0o755)
    project.cli.extra["BROWSER"] = str(browser)
    run = project.run()

    done = project.cli.run_process("pr", "create", "--run", run["id"], "--web", "--json")

    assert done.exit_code == 0
    subprocess.run(
        ["sh", "-c", f'until [ -e "{log}" ]; do sleep 0.02; done'], timeout=10, check=True
    )
    page, *environment = log.read_text().splitlines()
    assert page == done.data["url"]
    assert any(line.startswith("PATH=") for line in environment)
    assert not any("TOKEN" in line or "API_KEY" in line for line in environment)

    project.cli.extra["BROWSER"] = os.devnull + "/nothing"
    done = project("pr", "create", "--run", run["id"], "--web")
    assert (done.exit_code, f"open {page}" in done.stderr) == (0, True)
