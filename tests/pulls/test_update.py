"""`dursor pr update`: one more commit on the branch, and never over anybody's head."""

import signal
import threading
from collections.abc import Callable
from typing import Any

import repos
from front import make_append_reply
from hub.server import PROTECTED
from lab import Lab

FIVE = make_append_reply("line 5", "line 4")


def commits(lab: Lab, branch: str) -> list[str]:
    """Return the runs named by the commits of BRANCH, newest first."""
    return lab.log(branch, "%(trailers:key=Dursor-Run,valueonly,separator=)")


def test_run_from_the_published_one(lab: Lab):
    first, pr = lab.open()
    second = lab.run(FIVE, "--from", first["id"], text="and another")

    grown = lab.good("pr", "update", "1", "--run", second["id"])

    head = lab.remote.head(pr["branch"])
    assert grown == {**pr, "latest_commit": head, "updated_at": grown["updated_at"]}
    assert grown["updated_at"][:19] >= pr["updated_at"][:19]  # GitHub tells whole seconds
    assert commits(lab, pr["branch"]) == [second["id"], first["id"], ""]
    assert lab.remote.git("rev-parse", f"{head}^") == pr["latest_commit"]
    assert lab.remote.show(head, "README.md").endswith(b"line 3\nline 4\nline 5")
    assert lab.good("pr", "list")["items"] == [grown]


def test_run_from_the_branch_itself(lab: Lab):
    first, pr = lab.open()
    second = lab.run(FIVE, "--task", first["task_id"])
    assert (second["base_commit"], second["base_ref"]) == (pr["latest_commit"], pr["branch"])
    third = lab.run(make_append_reply("line 6", "line 5"), "--from", second["id"])

    lab.good("pr", "update", "#1", "--run", second["id"])
    lab.good("pr", "update", pr["url"], "--run", third["id"])

    assert commits(lab, pr["branch"]) == [third["id"], second["id"], first["id"], ""]
    assert lab.remote.show(pr["branch"], "README.md").endswith(b"line 5\nline 6")


def test_updating_twice_changes_nothing(lab: Lab):
    first, pr = lab.open()
    second = lab.run(FIVE, "--from", first["id"])

    done = lab.good("pr", "update", pr["id"][:8], "--run", second["id"])
    again = lab("pr", "update", "1", "--run", second["id"])

    assert again.data["latest_commit"] == done["latest_commit"]
    assert f"#1 already contains run {second['id'][:8]}" in again.stderr
    assert len(commits(lab, pr["branch"])) == 3


def test_killed_update_is_completed_by_the_next(lab: Lab):
    first, pr = lab.open()
    second = lab.run(FIVE, "--from", first["id"])
    reached, gone = threading.Event(), threading.Event()

    def hang(request: Any, proceed: Callable[[], Any]) -> None:
        proceed()
        reached.set()
        gone.wait(20)

    lab.hub.on("POST *git-receive-pack", hang)
    process = lab.front.start("pr", "update", "1", "--run", second["id"])
    assert reached.wait(20)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    gone.set()

    grown = lab.good("pr", "update", "1", "--run", second["id"])

    assert commits(lab, pr["branch"]) == [second["id"], first["id"], ""]
    assert grown["latest_commit"] == lab.remote.head(pr["branch"])


def test_two_concurrent_updates_make_one_commit(lab: Lab):
    first, pr = lab.open()
    second = lab.run(FIVE, "--from", first["id"])
    both = threading.Barrier(2)

    def together(request: Any, proceed: Callable[[], Any]) -> Any:
        answer = proceed()  # neither has seen the other's when it pushes its own
        both.wait(20)
        return answer

    lab.hub.on("GET *info/refs", together, times=4)
    started = [lab.front.start("pr", "update", "1", "--run", second["id"]) for _ in range(2)]
    describe_end = [process.communicate(timeout=30) for process in started]

    assert [process.returncode for process in started] == [0, 0], describe_end
    assert commits(lab, pr["branch"]) == [second["id"], first["id"], ""]


def test_base_branch_may_have_moved(lab: Lab):
    first, pr = lab.open()
    second = lab.run(FIVE, "--from", first["id"])
    lab.remote.commit("main", {"other.py": "1\n"})

    lab.good("pr", "update", "1", "--run", second["id"])

    assert commits(lab, pr["branch"])[:2] == [second["id"], first["id"]]


def test_push_of_a_colleague_is_kept(lab: Lab):
    first, pr = lab.open()
    second = lab.run(FIVE, "--from", first["id"])
    theirs = lab.remote.commit(pr["branch"], {"theirs.py": "1\n"}, author="Grace")

    error = lab.refused("pr", "update", "1", "--run", second["id"])

    assert (error["exit"], error["code"]) == (8, "conflict")
    assert f"did not start from {theirs[:8]}, a commit by Grace in #1" in error["message"]
    assert f"dursor run TEXT --task {first['task_id'][:8]}" in error["hint"]
    assert lab.remote.head(pr["branch"]) == theirs

    third = lab.run(FIVE, "--task", first["task_id"])
    lab.good("pr", "update", "1", "--run", third["id"])
    assert lab.log(pr["branch"]) == ["append a line", "change", "append a line", "start"]
    assert lab.remote.show(pr["branch"], "theirs.py") == b"1"


def test_concurrent_push_is_kept(lab: Lab):
    first, pr = lab.open()
    second = lab.run(FIVE, "--from", first["id"])
    theirs: list[str] = []

    def overtake(request: Any, proceed: Callable[[], Any]) -> Any:
        if request.query.get("service") == "git-receive-pack" and not theirs:
            theirs.append(lab.remote.commit(pr["branch"], {"theirs.py": "1\n"}))
        return proceed()

    lab.hub.on("GET */info/refs", overtake, times=9)
    error = lab.refused("pr", "update", "1", "--run", second["id"])

    assert (error["exit"], error["code"]) == (8, "conflict")
    assert "somebody else pushed to it" in error["message"]
    assert [lab.remote.head(pr["branch"])] == theirs


def test_rewritten_branch_is_kept(lab: Lab):
    first, pr = lab.open()
    second = lab.run(FIVE, "--from", first["id"])
    branch, before = pr["branch"], str(lab.remote.head("main"))
    message = lab.remote.git("log", "-1", "--format=%B", branch)

    def put(tree: str, parent: str) -> str:
        oid = lab.remote.git("rev-parse", f"{tree}^{{tree}}")
        commit = lab.remote.git("commit-tree", oid, "-p", parent, "-m", message)
        lab.remote.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def amended() -> str:
        return put(lab.remote.commit("scratch", {"README.md": "line 4!\n"}), before)

    def rebased() -> str:
        both = {"README.md": "line 1\nline 2\nline 3\nline 4\n", "other.py": "1\n"}
        onto = lab.remote.commit("main", {"other.py": "1\n"})
        return put(lab.remote.commit("scratch", both), onto)

    def rebased_onto_nothing_new() -> str:
        start = lab.remote.git("rev-parse", f"{before}^{{tree}}")
        onto = lab.remote.git("commit-tree", start, "-p", before, "-m", "nothing")
        return put(pr["latest_commit"], onto)

    for rewrite in (amended, rebased, rebased_onto_nothing_new):
        theirs = rewrite()
        error = lab.refused("pr", "update", "1", "--run", second["id"])
        assert error["exit"] == 8
        assert "#1 was rewritten (rebased, amended or force-pushed)" in error["message"]
        assert lab.remote.head(branch) == theirs

    lab.good("pr", "sync", "1")  # knowing of it changes nothing
    assert "was rewritten" in lab.refused("pr", "update", "1", "--run", second["id"])["message"]


def test_run_from_an_older_head_is_refused(lab: Lab):
    first, pr = lab.open()
    second = lab.run(FIVE, "--task", first["task_id"])
    rival = lab.run(make_append_reply("line V", "line 4"), "--task", first["task_id"])
    lab.good("pr", "update", "1", "--run", second["id"])

    error = lab.refused("pr", "update", "1", "--run", rival["id"])

    assert error["exit"] == 8
    assert error["message"] == (
        f"nothing was pushed: run {rival['id'][:8]} did not start from run {second['id'][:8]}, "
        "which is in #1"
    )
    assert commits(lab, pr["branch"])[0] == second["id"]


def test_ended_pull_request_is_refused(lab: Lab):
    first, pr = lab.open()
    second = lab.run(FIVE, "--from", first["id"])

    def refusal() -> str:
        error = lab.refused("pr", "update", "1", "--run", second["id"])
        assert (error["exit"], error["code"]) == (8, "conflict")
        return str(error["message"])

    lab.remote.delete_branch(pr["branch"])
    assert refusal() == f"the branch {pr['branch']} of #1 was deleted"
    lab.remote.git("update-ref", f"refs/heads/{pr['branch']}", pr["latest_commit"])
    lab.hub.close(lab.pull)
    assert refusal() == "#1 was closed and cannot be updated"
    lab.pull.state = "open"
    lab.hub.merge(lab.pull, "squash")
    assert refusal() == "#1 was merged into main and cannot be updated"
    assert lab.remote.head(pr["branch"]) == pr["latest_commit"]


def test_run_without_further_change_adds_nothing(lab: Lab):
    first, pr = lab.open()
    second = lab.run(FIVE, "--from", first["id"])
    undo = FIVE.replace("@@ -1,1 +1,2 @@", "@@ -1,2 +1,1 @@").replace("+line 5", "-line 5")
    third = lab.run(undo, "--from", second["id"])

    done = lab("pr", "update", "1", "--run", third["id"])

    assert (done.exit_code, done.data["latest_commit"]) == (0, pr["latest_commit"])
    assert f"#1 already contains the change of run {third['id'][:8]}" in done.stderr


def test_deleted_fork_is_refused(lab: Lab):
    first, _ = lab.open()
    second = lab.run(FIVE, "--from", first["id"])
    lab.pull.head = None
    error = lab.refused("pr", "update", "1", "--run", second["id"])
    assert (error["exit"], error["code"]) == (8, "conflict")
    assert "the fork of #1 was deleted" in error["message"]


def test_unpublishable_run_is_refused(lab: Lab):
    first, _ = lab.open()
    failed = lab.ask("no patch here")
    count = len(lab.hub.requests)

    assert lab.refused("pr", "update", "1", "--run", failed["id"])["exit"] == 2
    assert lab.refused("pr", "update", "2", "--run", first["id"])["code"] == "not_found"
    assert len(lab.hub.requests) == count


def test_run_from_a_pull_request_opens_no_second_one(lab: Lab):
    first, _ = lab.open()
    second = lab.run(FIVE, "--task", first["task_id"])

    error = lab.refused("pr", "create", "--run", second["id"])

    assert error["exit"] == 8
    assert error["hint"] == f"dursor pr update 1 --run {second['id'][:8]}"


def test_run_of_another_repository_is_refused(lab: Lab):
    lab.open()
    other = repos.build(lab.front.home.parent / "other")
    run = lab.run(None, "--repo", str(other))

    error = lab.refused("pr", "update", "1", "--run", run["id"])

    assert (error["exit"], error["code"]) == (2, "usage")


def test_missing_permissions(lab: Lab):
    lab.front.extra |= lab.hub.env(lab.hub.token("ada", "repo"))
    first, pr = lab.open()
    workflow = (
        "```diff\n--- /dev/null\n+++ b/.github/workflows/ci.yml\n@@ -0,0 +1 @@\n+on: push\n```"
    )
    second = lab.run(workflow, "--from", first["id"])
    error = lab.refused("pr", "update", "1", "--run", second["id"])
    assert (error["exit"], error["code"]) == (4, "auth")
    assert "workflow" in error["message"]

    third = lab.run(FIVE, "--from", first["id"])
    lab.remote.refused[f"refs/heads/{pr['branch']}"] = PROTECTED
    assert lab.refused("pr", "update", "1", "--run", third["id"])["exit"] == 7
    assert lab.remote.head(pr["branch"]) == pr["latest_commit"]
