"""Rounds with --task while the task has a pull request: they start from its branch as it is now."""

from command_line import make_append_reply
from github_project import GitHubProject

FIVE = make_append_reply("line 5", "line 4")


def test_round_starts_from_the_last_push_of_a_colleague(project: GitHubProject):
    first, pr = project.open_pr()
    theirs = project.remote.commit(pr["branch"], {"calc.py": "theirs = True\n"})

    second = project.run(FIVE, "--task", first["task_id"], "--file", "calc.py")

    assert (second["base_commit"], second["base_ref"]) == (theirs, pr["branch"])
    assert b"theirs = True" in project.cli.requests[-1].body
    assert project.succeed("run", "show", second["id"])["patch"].startswith(
        "diff --git a/README.md"
    )
    compared = project.succeed("run", "compare", first["id"], second["id"])
    assert [file["path"] for file in compared["files"]] == ["README.md"]
    again = project.succeed("run", "retry", second["id"])["runs"][0]
    assert again["base_commit"] == theirs
    third = project.run(make_append_reply("line 6", "line 5"), "--from", second["id"])
    assert third["base_commit"] == theirs


def test_base_cannot_be_combined_with_a_live_pull_request(project: GitHubProject):
    first, _ = project.open_pr()
    sent = len(project.cli.requests)
    for words in (("--base", "main"), ("--dirty",)):
        error = project.fail("run", "more of it", "-m", "gpt", "--task", first["task_id"], *words)
        assert (error["exit"], error["code"]) == (2, "usage")
        assert f"{words[0]} cannot be combined with --task" in error["message"]
    assert len(project.cli.requests) == sent


def test_deleted_branch_starts_from_head_with_a_warning(project: GitHubProject):
    first, pr = project.open_pr()
    project.remote.delete_branch(pr["branch"])

    second = project.run(None, "--task", first["task_id"])

    assert second["base_ref"] == "HEAD"
    warning = f"the branch {pr['branch']} of #1 was deleted: this round does not start from it"
    assert second["warnings"] == [warning]


def test_ended_pull_request_allows_another_base(project: GitHubProject):
    first, _ = project.open_pr()
    project.hub.merge(project.pull, "squash")
    second = project.run(None, "--task", first["task_id"], "--base", "main")
    assert second["base_ref"] == "main"
    assert second["warnings"] == ["#1 was merged into main: this round does not start from it"]


def test_round_needs_github_for_a_live_pull_request(project: GitHubProject):
    first, _ = project.open_pr()
    project.cli.extra["DURSOR_GITHUB_TOKEN"] = "ghp_wrong"
    sent = len(project.cli.requests)
    error = project.fail("run", "more of it", "-m", "gpt", "--task", first["task_id"])
    assert (error["exit"], error["code"]) == (4, "auth")
    assert len(project.cli.requests) == sent


def test_detached_round(project: GitHubProject):
    first, pr = project.open_pr()
    theirs = project.remote.commit(pr["branch"], {"calc.py": "theirs = True\n"})
    words = ("more of it", "-m", "gpt", "--task", first["task_id"], "--detach")
    project.cli.server._routes.clear()
    project.cli.reply_with(FIVE, models=["gpt"])

    (run,) = project.cli.run_round(*words).runs
    (done,) = project.succeed("run", "watch", run["id"])["runs"]

    assert (done["status"], done["base_commit"]) == ("succeeded", theirs)


def test_task_without_pull_request_sends_nothing_to_github(project: GitHubProject):
    run = project.run()
    project.run(None, "--task", run["task_id"])
    assert project.hub.requests == []
