"""`dursor pr update`: one more commit on the branch, and never over anybody's head."""

import signal
import threading
from collections.abc import Callable
from typing import Any

import repos
from command_line import make_append_reply
from github_project import GitHubProject
from hub.server import PROTECTED

FIVE = make_append_reply("line 5", "line 4")


def commits(project: GitHubProject, branch: str) -> list[str]:
    """Return the runs named by the commits of BRANCH, newest first."""
    return project.log(branch, "%(trailers:key=Dursor-Run,valueonly,separator=)")


def test_run_from_the_published_one(project: GitHubProject):
    first, pr = project.open_pr()
    second = project.run(FIVE, "--from", first["id"], text="and another")

    grown = project.succeed("pr", "update", "1", "--run", second["id"])

    head = project.remote.head(pr["branch"])
    assert grown == {**pr, "latest_commit": head, "updated_at": grown["updated_at"]}
    assert grown["updated_at"][:19] >= pr["updated_at"][:19]  # GitHub tells whole seconds
    assert commits(project, pr["branch"]) == [second["id"], first["id"], ""]
    assert project.remote.git("rev-parse", f"{head}^") == pr["latest_commit"]
    assert project.remote.show(head, "README.md").endswith(b"line 3\nline 4\nline 5")
    assert project.succeed("pr", "list")["items"] == [grown]


def test_run_from_the_branch_itself(project: GitHubProject):
    first, pr = project.open_pr()
    second = project.run(FIVE, "--task", first["task_id"])
    assert (second["base_commit"], second["base_ref"]) == (pr["latest_commit"], pr["branch"])
    third = project.run(make_append_reply("line 6", "line 5"), "--from", second["id"])

    project.succeed("pr", "update", "#1", "--run", second["id"])
    project.succeed("pr", "update", pr["url"], "--run", third["id"])

    assert commits(project, pr["branch"]) == [third["id"], second["id"], first["id"], ""]
    assert project.remote.show(pr["branch"], "README.md").endswith(b"line 5\nline 6")


def test_updating_twice_changes_nothing(project: GitHubProject):
    first, pr = project.open_pr()
    second = project.run(FIVE, "--from", first["id"])

    done = project.succeed("pr", "update", pr["id"][:8], "--run", second["id"])
    again = project("pr", "update", "1", "--run", second["id"])

    assert again.data["latest_commit"] == done["latest_commit"]
    assert f"#1 already contains run {second['id'][:8]}" in again.stderr
    assert len(commits(project, pr["branch"])) == 3


def test_killed_update_is_completed_by_the_next(project: GitHubProject):
    first, pr = project.open_pr()
    second = project.run(FIVE, "--from", first["id"])
    reached, gone = threading.Event(), threading.Event()

    def hang(request: Any, proceed: Callable[[], Any]) -> None:
        proceed()
        reached.set()
        gone.wait(20)

    project.hub.intercept("POST *git-receive-pack", hang)
    process = project.cli.start("pr", "update", "1", "--run", second["id"])
    assert reached.wait(20)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    gone.set()

    grown = project.succeed("pr", "update", "1", "--run", second["id"])

    assert commits(project, pr["branch"]) == [second["id"], first["id"], ""]
    assert grown["latest_commit"] == project.remote.head(pr["branch"])


def test_two_concurrent_updates_make_one_commit(project: GitHubProject):
    first, pr = project.open_pr()
    second = project.run(FIVE, "--from", first["id"])
    both = threading.Barrier(2)

    def together(request: Any, proceed: Callable[[], Any]) -> Any:
        answer = proceed()  # neither has seen the other's when it pushes its own
        both.wait(20)
        return answer

    project.hub.intercept("GET *info/refs", together, times=4)
    started = [project.cli.start("pr", "update", "1", "--run", second["id"]) for _ in range(2)]
    describe_end = [process.communicate(timeout=30) for process in started]

    assert [process.returncode for process in started] == [0, 0], describe_end
    assert commits(project, pr["branch"]) == [second["id"], first["id"], ""]


def test_base_branch_may_have_moved(project: GitHubProject):
    first, pr = project.open_pr()
    second = project.run(FIVE, "--from", first["id"])
    project.remote.commit("main", {"other.py": "1\n"})

    project.succeed("pr", "update", "1", "--run", second["id"])

    assert commits(project, pr["branch"])[:2] == [second["id"], first["id"]]


def test_push_of_a_colleague_is_kept(project: GitHubProject):
    first, pr = project.open_pr()
    second = project.run(FIVE, "--from", first["id"])
    theirs = project.remote.commit(pr["branch"], {"theirs.py": "1\n"}, author="Grace")

    error = project.fail("pr", "update", "1", "--run", second["id"])

    assert (error["exit"], error["code"]) == (8, "conflict")
    assert f"did not start from {theirs[:8]}, a commit by Grace in #1" in error["message"]
    assert f"dursor run TEXT --task {first['task_id'][:8]}" in error["hint"]
    assert project.remote.head(pr["branch"]) == theirs

    third = project.run(FIVE, "--task", first["task_id"])
    project.succeed("pr", "update", "1", "--run", third["id"])
    assert project.log(pr["branch"]) == ["append a line", "change", "append a line", "start"]
    assert project.remote.show(pr["branch"], "theirs.py") == b"1"


def test_concurrent_push_is_kept(project: GitHubProject):
    first, pr = project.open_pr()
    second = project.run(FIVE, "--from", first["id"])
    theirs: list[str] = []

    def overtake(request: Any, proceed: Callable[[], Any]) -> Any:
        if request.query.get("service") == "git-receive-pack" and not theirs:
            theirs.append(project.remote.commit(pr["branch"], {"theirs.py": "1\n"}))
        return proceed()

    project.hub.intercept("GET */info/refs", overtake, times=9)
    error = project.fail("pr", "update", "1", "--run", second["id"])

    assert (error["exit"], error["code"]) == (8, "conflict")
    assert "somebody else pushed to it" in error["message"]
    assert [project.remote.head(pr["branch"])] == theirs


def test_rewritten_branch_is_kept(project: GitHubProject):
    first, pr = project.open_pr()
    second = project.run(FIVE, "--from", first["id"])
    branch, before = pr["branch"], str(project.remote.head("main"))
    message = project.remote.git("log", "-1", "--format=%B", branch)

    def put(tree: str, parent: str) -> str:
        oid = project.remote.git("rev-parse", f"{tree}^{{tree}}")
        commit = project.remote.git("commit-tree", oid, "-p", parent, "-m", message)
        project.remote.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def amended() -> str:
        return put(project.remote.commit("scratch", {"README.md": "line 4!\n"}), before)

    def rebased() -> str:
        both = {"README.md": "line 1\nline 2\nline 3\nline 4\n", "other.py": "1\n"}
        onto = project.remote.commit("main", {"other.py": "1\n"})
        return put(project.remote.commit("scratch", both), onto)

    def rebased_onto_nothing_new() -> str:
        start = project.remote.git("rev-parse", f"{before}^{{tree}}")
        onto = project.remote.git("commit-tree", start, "-p", before, "-m", "nothing")
        return put(pr["latest_commit"], onto)

    for rewrite in (amended, rebased, rebased_onto_nothing_new):
        theirs = rewrite()
        error = project.fail("pr", "update", "1", "--run", second["id"])
        assert error["exit"] == 8
        assert "#1 was rewritten (rebased, amended or force-pushed)" in error["message"]
        assert project.remote.head(branch) == theirs

    project.succeed("pr", "sync", "1")  # knowing of it changes nothing
    assert "was rewritten" in project.fail("pr", "update", "1", "--run", second["id"])["message"]


def test_run_from_an_older_head_is_refused(project: GitHubProject):
    first, pr = project.open_pr()
    second = project.run(FIVE, "--task", first["task_id"])
    rival = project.run(make_append_reply("line V", "line 4"), "--task", first["task_id"])
    project.succeed("pr", "update", "1", "--run", second["id"])

    error = project.fail("pr", "update", "1", "--run", rival["id"])

    assert error["exit"] == 8
    assert error["message"] == (
        f"nothing was pushed: run {rival['id'][:8]} did not start from run {second['id'][:8]}, "
        "which is in #1"
    )
    assert commits(project, pr["branch"])[0] == second["id"]


def test_ended_pull_request_is_refused(project: GitHubProject):
    first, pr = project.open_pr()
    second = project.run(FIVE, "--from", first["id"])

    def refusal() -> str:
        error = project.fail("pr", "update", "1", "--run", second["id"])
        assert (error["exit"], error["code"]) == (8, "conflict")
        return str(error["message"])

    project.remote.delete_branch(pr["branch"])
    assert refusal() == f"the branch {pr['branch']} of #1 was deleted"
    project.remote.git("update-ref", f"refs/heads/{pr['branch']}", pr["latest_commit"])
    project.hub.close(project.pull)
    assert refusal() == "#1 was closed and cannot be updated"
    project.pull.state = "open"
    project.hub.merge(project.pull, "squash")
    assert refusal() == "#1 was merged into main and cannot be updated"
    assert project.remote.head(pr["branch"]) == pr["latest_commit"]


def test_run_without_further_change_adds_nothing(project: GitHubProject):
    first, pr = project.open_pr()
    second = project.run(FIVE, "--from", first["id"])
    undo = FIVE.replace("@@ -1,1 +1,2 @@", "@@ -1,2 +1,1 @@").replace("+line 5", "-line 5")
    third = project.run(undo, "--from", second["id"])

    done = project("pr", "update", "1", "--run", third["id"])

    assert (done.exit_code, done.data["latest_commit"]) == (0, pr["latest_commit"])
    assert f"#1 already contains the change of run {third['id'][:8]}" in done.stderr


def test_deleted_fork_is_refused(project: GitHubProject):
    first, _ = project.open_pr()
    second = project.run(FIVE, "--from", first["id"])
    project.pull.head = None
    error = project.fail("pr", "update", "1", "--run", second["id"])
    assert (error["exit"], error["code"]) == (8, "conflict")
    assert "the fork of #1 was deleted" in error["message"]


def test_unpublishable_run_is_refused(project: GitHubProject):
    first, _ = project.open_pr()
    failed = project.ask("no patch here")
    count = len(project.hub.requests)

    assert project.fail("pr", "update", "1", "--run", failed["id"])["exit"] == 2
    assert project.fail("pr", "update", "2", "--run", first["id"])["code"] == "not_found"
    assert len(project.hub.requests) == count


def test_run_from_a_pull_request_opens_no_second_one(project: GitHubProject):
    first, _ = project.open_pr()
    second = project.run(FIVE, "--task", first["task_id"])

    error = project.fail("pr", "create", "--run", second["id"])

    assert error["exit"] == 8
    assert error["hint"] == f"dursor pr update 1 --run {second['id'][:8]}"


def test_run_of_another_repository_is_refused(project: GitHubProject):
    project.open_pr()
    other = repos.build(project.cli.home.parent / "other")
    run = project.run(None, "--repo", str(other))

    error = project.fail("pr", "update", "1", "--run", run["id"])

    assert (error["exit"], error["code"]) == (2, "usage")


def test_missing_permissions(project: GitHubProject):
    project.cli.extra |= project.hub.env(project.hub.token("ada", "repo"))
    first, pr = project.open_pr()
    workflow = (
        "```diff\n--- /dev/null\n+++ b/.github/workflows/ci.yml\n@@ -0,0 +1 @@\n+on: push\n```"
    )
    second = project.run(workflow, "--from", first["id"])
    error = project.fail("pr", "update", "1", "--run", second["id"])
    assert (error["exit"], error["code"]) == (4, "auth")
    assert "workflow" in error["message"]

    third = project.run(FIVE, "--from", first["id"])
    project.remote.refused[f"refs/heads/{pr['branch']}"] = PROTECTED
    assert project.fail("pr", "update", "1", "--run", third["id"])["exit"] == 7
    assert project.remote.head(pr["branch"]) == pr["latest_commit"]
