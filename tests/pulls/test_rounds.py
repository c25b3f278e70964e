"""Rounds with --task while the task has a pull request: they start from its branch as it is now."""

from front import make_append_reply
from lab import Lab

FIVE = make_append_reply("line 5", "line 4")


def test_round_starts_from_the_last_push_of_a_colleague(lab: Lab):
    first, pr = lab.open()
    theirs = lab.remote.commit(pr["branch"], {"calc.py": "theirs = True\n"})

    second = lab.run(FIVE, "--task", first["task_id"], "--file", "calc.py")

    assert (second["base_commit"], second["base_ref"]) == (theirs, pr["branch"])
    assert b"theirs = True" in lab.front.sent[-1].body
    assert lab.good("run", "show", second["id"])["patch"].startswith("diff --git a/README.md")
    compared = lab.good("run", "compare", first["id"], second["id"])
    assert [file["path"] for file in compared["files"]] == ["README.md"]
    again = lab.good("run", "retry", second["id"])["runs"][0]
    assert again["base_commit"] == theirs
    third = lab.run(make_append_reply("line 6", "line 5"), "--from", second["id"])
    assert third["base_commit"] == theirs


def test_base_cannot_be_combined_with_a_live_pull_request(lab: Lab):
    first, _ = lab.open()
    sent = len(lab.front.sent)
    for words in (("--base", "main"), ("--dirty",)):
        error = lab.refused("run", "more of it", "-m", "gpt", "--task", first["task_id"], *words)
        assert (error["exit"], error["code"]) == (2, "usage")
        assert f"{words[0]} cannot be combined with --task" in error["message"]
    assert len(lab.front.sent) == sent


def test_deleted_branch_starts_from_head_with_a_warning(lab: Lab):
    first, pr = lab.open()
    lab.remote.delete_branch(pr["branch"])

    second = lab.run(None, "--task", first["task_id"])

    assert second["base_ref"] == "HEAD"
    warning = f"the branch {pr['branch']} of #1 was deleted: this round does not start from it"
    assert second["warnings"] == [warning]


def test_ended_pull_request_allows_another_base(lab: Lab):
    first, _ = lab.open()
    lab.hub.merge(lab.pull, "squash")
    second = lab.run(None, "--task", first["task_id"], "--base", "main")
    assert second["base_ref"] == "main"
    assert second["warnings"] == ["#1 was merged into main: this round does not start from it"]


def test_round_needs_github_for_a_live_pull_request(lab: Lab):
    first, _ = lab.open()
    lab.front.extra["DURSOR_GITHUB_TOKEN"] = "ghp_wrong"
    sent = len(lab.front.sent)
    error = lab.refused("run", "more of it", "-m", "gpt", "--task", first["task_id"])
    assert (error["exit"], error["code"]) == (4, "auth")
    assert len(lab.front.sent) == sent


def test_detached_round(lab: Lab):
    first, pr = lab.open()
    theirs = lab.remote.commit(pr["branch"], {"calc.py": "theirs = True\n"})
    words = ("more of it", "-m", "gpt", "--task", first["task_id"], "--detach")
    lab.front.server._routes.clear()
    lab.front.answers(FIVE, models=["gpt"])

    (run,) = lab.front.round(*words).runs
    (done,) = lab.good("run", "watch", run["id"])["runs"]

    assert (done["status"], done["base_commit"]) == ("succeeded", theirs)


def test_task_without_pull_request_sends_nothing_to_github(lab: Lab):
    run = lab.run()
    lab.run(None, "--task", run["task_id"])
    assert lab.hub.requests == []
