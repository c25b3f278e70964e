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
from front import make_append_reply
from hub.server import PROTECTED
from hub.wire import Response
from lab import Lab

OWN_REVIEW = "# Description\n\n<!-- what and why -->\n\n## Checklist\n\n- [ ] tests\n"


def trailers(lab: Lab, branch: str) -> dict[str, str]:
    listing = lab.remote.git("log", "-1", "--format=%(trailers)", branch)
    return dict(line.split(": ") for line in listing.splitlines() if line)


def test_run_becomes_one_branch_commit_and_pull_request(lab: Lab):
    base = lab.remote.head("main")
    run, pr = lab.open()

    branch = f"dursor/{run['id'][:8]}"
    assert {**lab.remote.branches} == {"main": base, branch: pr["latest_commit"]}
    assert lab.log(branch, "%P %an <%ae> %cn") == [
        f"{base} Ada <{lab.hub.accounts['ada'].id}+ada@users.noreply.127.0.0.1> Ada",
        " Ada <ada@example.com> Ada",
    ]
    assert trailers(lab, branch) == {
        "Dursor-Run": run["id"],
        "Dursor-Model": run["model_name"],
        "Dursor-Base": base,
    }
    assert lab.remote.show(branch, "README.md") == b"line 1\nline 2\nline 3\nline 4"
    assert (lab.pull.base, lab.pull.branch, lab.pull.draft) == ("main", branch, False)
    assert pr == {
        "id": pr["id"],
        "task_id": run["task_id"],
        "number": 1,
        "url": f"{lab.hub.url}/ada/lib/pull/1",
        "branch": branch,
        "title": "append a line",
        "body": pr["body"],
        "latest_commit": lab.remote.head(branch),
        "status": "open",
        "created_at": pr["created_at"],
        "updated_at": pr["updated_at"],
    }
    assert pr["body"].startswith("Appended line 4.\n\nInstruction:\n\n> append a line\n\nMade by")
    assert lab.good("pr", "list")["items"] == [pr]
    assert lab.good("task", "show", run["task_id"])["prs"] == [pr]


def test_creating_twice_returns_the_first(lab: Lab):
    run, first = lab.open()

    again = lab("pr", "create", "--run", run["id"][:6], "--title", "another")

    assert (again.exit_code, again.data) == (0, first)
    assert "#1 already exists and was not changed" in again.stderr
    assert len(lab.remote.pulls) == 1


@pytest.mark.parametrize("after", ["POST *git-receive-pack", "POST */pulls"])
def test_killed_create_is_completed_by_the_next(lab: Lab, after: str):
    """The process is killed between push and API call, or between API call and store."""
    run = lab.run()
    reached, gone = threading.Event(), threading.Event()

    def hang(request: Any, proceed: Callable[[], Any]) -> None:
        proceed()
        reached.set()
        gone.wait(20)

    lab.hub.on(after, hang)
    process = lab.front.start("pr", "create", "--run", run["id"])
    assert reached.wait(20)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    gone.set()

    pr = lab.good("pr", "create", "--run", run["id"])

    assert [*lab.remote.pulls] == [1]
    assert lab.log(pr["branch"]) == ["append a line", "start"]
    assert lab.good("pr", "list")["items"] == [pr]
    assert lab.good("pr", "create", "--run", run["id"]) == pr


def test_network_failure_is_completed_by_the_next(lab: Lab):
    run = lab.run()
    page = Response(200, b"<html>sign in", [("Content-Type", "text/html")])
    half = Response(201, b'{"number": 1, "html_u', [("Content-Type", "application/json")])
    for pattern, answer in (
        ("POST *git-receive-pack", None),  # cut
        ("GET *info/refs", page),
        ("POST */pulls", None),
        ("POST */pulls", half),
    ):
        lab.hub.on(pattern, lambda request, proceed, answer=answer: answer)
        error = lab.refused("pr", "create", "--run", run["id"])
        assert (error["exit"], error["hint"] is None) == (5, False), pattern

    assert lab.good("pr", "create", "--run", run["id"])["number"] == 1


def test_two_concurrent_processes_open_one_pull_request(lab: Lab):
    run = lab.run()
    both = threading.Barrier(2)

    def together(request: Any, proceed: Callable[[], Any]) -> Any:
        both.wait(20)  # neither has log the other's when it asks for its own
        return proceed()

    lab.hub.on("POST */pulls", together, times=2)
    started = [lab.front.start("pr", "create", "--run", run["id"], "--json") for _ in range(2)]
    describe_end = [process.communicate(timeout=30) for process in started]

    assert [process.returncode for process in started] == [0, 0], describe_end
    assert [*lab.remote.pulls] == [1]
    (pr,) = lab.good("pr", "list")["items"]
    assert lab.log(pr["branch"]) == ["append a line", "start"]


def test_title_body_and_branch_options(lab: Lab):
    run = lab.run()

    words = ("--title", "Mine", "--body", "-", "--branch", "refs/heads/fix/readme", "--draft")
    words += ("--base", "ada:refs/heads/main")
    pr = lab.good("pr", "create", "--run", run["id"], *words, input="why\nnot\n")

    assert (pr["title"], pr["body"], pr["branch"]) == ("Mine", "why\nnot", "fix/readme")
    assert (pr["status"], lab.pull.draft) == ("draft", True)


def test_draft_becomes_open_where_drafts_are_not_allowed(lab: Lab):
    lab.remote.drafts = False
    run = lab.run()

    done = lab("pr", "create", "--run", run["id"], "--draft")

    assert (done.exit_code, done.data["status"]) == (0, "open")
    assert "ada/lib does not allow drafts: #1 is open for review" in done.stderr


def test_template_is_filled_in(lab: Lab):
    repos.commit(lab.front.repo, {".github/pull_request_template.md": OWN_REVIEW})
    lab.remote.git("fetch", "-q", str(lab.front.repo), "main:main")

    _, pr = lab.open()

    head, _, rest = pr["body"].partition("\n\n")
    assert head == "# Description"
    assert rest.startswith("Appended line 4.\n")
    assert rest.endswith("<!-- what and why -->\n\n## Checklist\n\n- [ ] tests\n")


def test_chain_is_one_commit_titled_by_its_first_instruction(lab: Lab):
    first = lab.run()
    run = lab.run(make_append_reply("line 5", "line 4"), "--from", first["id"], text="and another")

    pr = lab.good("pr", "create", "--run", run["id"])

    assert pr["title"] == "append a line"
    assert "> append a line\n\n> and another" in pr["body"]
    assert lab.log(pr["branch"]) == ["and another", "start"]
    assert lab.remote.show(pr["branch"], "README.md").endswith(b"line 4\nline 5")


# what is not published


def test_unpublishable_run_is_refused(lab: Lab):
    failed = lab.ask("no patch here")
    (lab.front.repo / "calc.py").write_text("edited = True\n")
    dirty = lab.run(None, "--dirty")

    error = lab.refused("pr", "create", "--run", failed["id"])
    assert (error["exit"], error["code"]) == (2, "usage")
    assert error["message"].endswith("has no patch to publish: its status is failed (no_patch)")

    error = lab.refused("pr", "create", "--run", dirty["id"])
    assert (error["exit"], error["code"]) == (8, "conflict")
    assert "uncommitted changes (--dirty)" in error["message"]
    assert error["hint"].startswith("git commit -a")
    assert lab.hub.requests == []


def test_unpushed_base_commit_is_refused(lab: Lab):
    commit = repos.commit(lab.front.repo, {"new.py": "1\n"})
    run = lab.run()

    error = lab.refused("pr", "create", "--run", run["id"])

    assert error["exit"] == 8
    assert f"ada/lib does not contain {commit[:8]}, the base of run" in error["message"]
    assert error["hint"] == "git push origin main, then run the same command again"
    assert {*lab.remote.branches} == {"main"}


def test_branch_with_the_base_commit_is_suggested(lab: Lab):
    repos.git(lab.front.repo, "switch", "-qc", "topic")
    repos.commit(lab.front.repo, {"new.py": "1\n"})
    lab.remote.git("fetch", "-q", str(lab.front.repo), "topic:topic")
    run = lab.run()

    error = lab.refused("pr", "create", "--run", run["id"])
    assert (error["exit"], error["hint"]) == (8, "--base topic")
    assert "main of ada/lib does not contain" in error["message"]

    lab.remote.commit("apart", {"x": "1\n"}, orphan=True)
    error = lab.refused("pr", "create", "--run", run["id"], "--base", "apart")
    assert (error["exit"], error["hint"]) == (8, "--base topic")
    assert "apart of ada/lib does not contain" in error["message"]

    pr = lab.good("pr", "create", "--run", run["id"], "--base", "topic")
    assert lab.pull.base == "topic"
    error = lab.refused("pr", "create", "--run", run["id"], "--base", "main")
    assert (error["exit"], error["code"]) == (8, "conflict")
    assert pr["number"] == 1


def test_base_is_the_branch_of_the_round(lab: Lab):
    lab.remote.git("branch", "topic", "main")
    repos.git(
        lab.front.repo, "fetch", "-q", str(lab.remote.path), "topic:refs/remotes/origin/topic"
    )
    run = lab.run(None, "--base", "origin/topic")

    lab.good("pr", "create", "--run", run["id"])

    assert lab.pull.base == "topic"


def test_base_branch_may_have_moved(lab: Lab):
    run = lab.run()
    lab.remote.commit("main", {"other.py": "1\n"})

    lab.good("pr", "create", "--run", run["id"])

    assert lab.pull.base == "main"


def test_foreign_branch_is_kept(lab: Lab):
    run = lab.run()
    theirs = lab.remote.commit(f"dursor/{run['id'][:8]}", {"x": "y\n"})

    error = lab.refused("pr", "create", "--run", run["id"])

    assert (error["exit"], error["hint"]) == (8, "--branch ANOTHER-NAME")
    assert lab.remote.head(f"dursor/{run['id'][:8]}") == theirs
    lab.good("pr", "create", "--run", run["id"], "--branch", "mine")


def test_foreign_pull_request_is_refused(lab: Lab):
    lab.open("--branch", "shared")
    other = lab.run(make_append_reply("line V", "line 3"))

    error = lab.refused("pr", "create", "--run", other["id"], "--branch", "shared")

    assert (error["exit"], error["hint"]) == (8, "--branch ANOTHER-NAME")
    assert f"does not contain run {other['id'][:8]}" in error["message"]


def test_branch_name_may_be_reused_by_another_task(lab: Lab):
    lab.open("--branch", "fix")
    lab.hub.close(lab.pull)
    lab.remote.delete_branch("fix")

    run = lab.run()
    pr = lab.good("pr", "create", "--run", run["id"], "--branch", "fix")

    assert (pr["number"], [*lab.remote.pulls]) == (2, [1, 2])


def test_conflicting_branch_name(lab: Lab):
    lab.remote.commit("dursor", {"x": "1\n"})
    run = lab.run()
    error = lab.refused("pr", "create", "--run", run["id"])
    assert (error["exit"], error["code"]) == (8, "conflict")
    assert error["hint"].startswith("--branch")


@pytest.mark.parametrize(
    ("how", "ending"), [("squash", "was merged into main"), ("", "was closed")]
)
def test_ended_pull_request_is_not_reopened(lab: Lab, how: str, ending: str):
    run, pr = lab.open()
    if how:
        lab.hub.merge(lab.pull, how)
    else:
        lab.hub.close(lab.pull)
    lab.remote.delete_branch(pr["branch"])

    error = lab.refused("pr", "create", "--run", run["id"])

    assert error["exit"] == 8
    assert error["message"].endswith(ending)
    assert [*lab.remote.pulls] == [1]


# the repository on GitHub


def test_obstacles_have_a_hint(lab: Lab):
    run, main = lab.run(), lab.remote.head("main")

    def refused(*words: str) -> tuple[int, str, str]:
        error = lab.refused("pr", "create", "--run", run["id"], *words)
        return error["exit"], error["message"], error["hint"]

    assert refused("--base", "mian") == (2, "ada/lib has no branch 'mian'", "--base BRANCH")
    assert refused("--base", "eve:main")[0] == 2
    assert refused("--branch", "a..b")[0] == 2
    count = len(lab.hub.requests)
    for option, text in (
        ("title", "x" * 257),
        ("body", "x" * 65_537),
        ("base", ""),
        ("branch", " "),
    ):
        assert refused(f"--{option}", text)[0] == 2
    assert len(lab.hub.requests) == count

    lab.remote.refused["refs/heads/release"] = PROTECTED
    assert refused("--branch", "release")[0] == 7

    lab.remote.archived = True
    assert refused() == (7, "ada/lib is archived", "unarchive it on GitHub")
    lab.remote.archived = False

    lab.remote.delete_branch("main")
    code, message, hint = refused()
    assert (code, message) == (8, "ada/lib has no branches")
    assert hint.startswith("git push origin main")
    lab.remote.git("update-ref", "refs/heads/main", str(main))

    token = lab.front.extra.pop("DURSOR_GITHUB_TOKEN")
    code, _, hint = refused()
    assert (code, "dursor github login" in hint) == (4, True)
    lab.front.extra["DURSOR_GITHUB_TOKEN"] = token

    repos.git(lab.front.repo, "remote", "set-url", "origin", "/srv/lib.git")
    code, message, hint = refused()
    assert (code, hint) == (2, "git remote add github https://github.com/OWNER/NAME.git")
    assert "has no remote on GitHub (remotes: /srv/lib.git)" in message
    assert lab.remote.pulls == {}


def test_fork_is_pushed_to_and_parent_gets_the_pull_request(lab: Lab, tmp_path: Path):
    fork = lab.hub.fork(lab.remote, "bob")
    lab.front.extra |= lab.hub.env(lab.hub.token("bob"))
    repos.git(lab.front.repo, "remote", "set-url", "origin", f"git@127.0.0.1:bob/{fork.name}.git")
    run, pr = lab.open()

    branch = f"dursor/{run['id'][:8]}"
    assert {*lab.remote.branches} == {"main"}
    assert {*fork.branches} == {"main", branch}
    assert (pr["url"], lab.pull.head) == (f"{lab.hub.url}/ada/lib/pull/1", fork)

    second = lab.good("pr", "create", "--run", run["id"], "--base", "bob:main", "--branch", "b2")
    assert second["url"] == f"{lab.hub.url}/bob/lib/pull/1"


def test_diverged_fork_is_its_own_base(lab: Lab):
    fork = lab.hub.fork(lab.remote, "bob")
    lab.front.extra |= lab.hub.env(lab.hub.token("bob"))
    repos.git(lab.front.repo, "remote", "set-url", "origin", f"{lab.hub.url}/bob/lib")
    repos.commit(lab.front.repo, {"own.py": "1\n"})
    fork.git("fetch", "-q", str(lab.front.repo), "main:main")
    run = lab.run()

    error = lab.refused("pr", "create", "--run", run["id"])
    assert (error["exit"], error["code"]) == (8, "conflict")
    assert error["hint"] == "--base bob:main"

    pr = lab.good("pr", "create", "--run", run["id"], "--base", "bob:main")
    assert pr["url"] == f"{lab.hub.url}/bob/lib/pull/1"


def test_fork_among_the_remotes_is_used(lab: Lab):
    fork = lab.hub.fork(lab.remote, "bob")
    lab.front.extra |= lab.hub.env(lab.hub.token("bob"))
    run = lab.run()

    error = lab.refused("pr", "create", "--run", run["id"])
    assert (error["exit"], error["code"]) == (4, "auth")
    assert "cannot push to ada/lib" in error["message"]

    repos.git(lab.front.repo, "remote", "add", "gone", f"{lab.hub.url}/bob/nothing")
    repos.git(lab.front.repo, "remote", "add", "mine", f"{lab.hub.url}/bob/lib")
    lab.good("pr", "create", "--run", run["id"])
    assert lab.pull.head is fork


def test_foreign_fork_among_the_remotes_is_ignored(lab: Lab):
    lab.hub.fork(lab.remote, "bob")
    repos.git(lab.front.repo, "remote", "rename", "origin", "upstream")
    repos.git(lab.front.repo, "remote", "add", "bob", f"{lab.hub.url}/bob/lib")
    _, pr = lab.open()
    assert (pr["url"], lab.pull.head) == (f"{lab.hub.url}/ada/lib/pull/1", lab.remote)


# what stays as it was


def test_user_repository_is_unchanged(lab: Lab):
    (lab.front.repo / "calc.py").write_text("edited = True\n")
    repos.write(lab.front.repo, {"untracked": "1\n"})
    run = lab.run()
    before = repos.fingerprint(lab.front.repo)

    lab.good("pr", "create", "--run", run["id"])
    next_run = lab.run(make_append_reply("line 5", "line 4"), "--task", run["task_id"])
    lab.good("pr", "sync", "1")
    lab.good("pr", "update", "1", "--run", next_run["id"])

    assert repos.fingerprint(lab.front.repo) == before
    assert lab.log(run["id"] and f"dursor/{run['id'][:8]}") == ["append a line"] * 2 + ["start"]


def test_browser_receives_the_page_and_no_secret(lab: Lab, tmp_path: Path):
    log = tmp_path / "log"
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\necho "$@" >"{log}.new"; env >>"{log}.new"; mv "{log}.new" "{log}"\n'
    )
    browser.chmod(0o755)
    lab.front.extra["BROWSER"] = str(browser)
    run = lab.run()

    done = lab.front.process("pr", "create", "--run", run["id"], "--web", "--json")

    assert done.exit_code == 0
    subprocess.run(
        ["sh", "-c", f'until [ -e "{log}" ]; do sleep 0.02; done'], timeout=10, check=True
    )
    page, *environment = log.read_text().splitlines()
    assert page == done.data["url"]
    assert any(line.startswith("PATH=") for line in environment)
    assert not any("TOKEN" in line or "API_KEY" in line for line in environment)

    lab.front.extra["BROWSER"] = os.devnull + "/nothing"
    done = lab("pr", "create", "--run", run["id"], "--web")
    assert (done.exit_code, f"open {page}" in done.stderr) == (0, True)
