"""One instruction, several models: results, requests and the untouched repository."""

import sqlite3
import subprocess
from contextlib import closing

import pytest
import repos
from command_line import DIFF, KEYS, WIRES, CommandLine, make_append_reply, turns
from vendors.server import Action, ReceivedRequest, Script

ALL = ("-m", "gpt", "-m", "claude", "-m", "gemini")


def applies(cli: CommandLine, patch: str, commit: str) -> dict[str, str]:
    """Apply PATCH to COMMIT somewhere else and return the resulting README."""
    folder = cli.home / "applied"
    subprocess.run(["rm", "-rf", folder], check=True)
    repos.git(cli.repo, "worktree", "add", "--detach", str(folder), commit)
    subprocess.run(["git", "apply", "-"], input=patch.encode(), cwd=folder, check=True)
    found = (folder / "README.md").read_text()
    repos.git(cli.repo, "worktree", "remove", "--force", str(folder))
    return found


def test_three_vendors_answer_one_instruction(cli: CommandLine):
    cli.reply_with(DIFF)

    done = cli.run_round("append a line", *ALL)

    assert (done.exit_code, done.json["status"], done.json["errors"]) == (0, "ok", [])
    assert [run["model"] for run in done.runs] == ["gpt", "claude", "gemini"]
    assert {run["status"] for run in done.runs} == {"succeeded"}
    assert len({run["id"] for run in done.runs}) == 3
    assert {run["task_id"] for run in done.runs} == {done.data["task"]["id"]}
    for run in done.runs:
        assert run["usage"]["input_tokens"] == 1000
        assert run["usage"]["output_tokens"] == 200
        assert run["attempts"] == 1
        assert run["cost_usd"] > 0
        assert applies(cli, run["patch"], run["base_commit"]).endswith("line 3\nline 4\n")


def test_every_model_receives_the_same_files_and_instruction(cli: CommandLine):
    cli.reply_with(DIFF)

    cli.run_round("append a line", *ALL)

    conversations = [turns(request) for request in cli.requests]
    assert len({tuple(conversation) for conversation in conversations}) == 1
    ((role, text),) = conversations[0]
    assert role == "user"
    assert "line 3" in text
    assert "return a - b" in text
    assert text.rstrip().endswith("append a line")


def test_one_failure_does_not_affect_the_others(cli: CommandLine):
    cli.reply_with(DIFF, models=["gpt", "gemini"])
    cli.script("claude", Script.error(401, {"error": {"type": "authentication_error"}}))

    done = cli.run_round("append a line", *ALL)

    assert (done.exit_code, done.json["status"]) == (0, "partial")
    assert [run["status"] for run in done.runs] == ["succeeded", "failed", "succeeded"]
    failed = done.runs[1]
    assert failed["error"]["code"] == "auth"
    assert failed["error"]["stage"] == "call"
    assert [(one["code"], one["run_id"]) for one in done.json["errors"]] == [("auth", failed["id"])]


def test_require_all_takes_the_exit_code_that_the_failures_share(cli: CommandLine):
    cli.reply_with(DIFF, models=["gpt"])
    cli.script("claude", Script.error(401, {"error": {"type": "authentication_error"}}))

    done = cli.run_round("append a line", "-m", "gpt", "-m", "claude", "--require", "all")

    assert done.exit_code == 4


def test_samples_are_numbered_and_the_same_name_twice_is_one_model(cli: CommandLine):
    cli.reply_with(DIFF)

    done = cli.run_round("append a line", "-m", "gpt:2", "-m", "gpt")

    assert [(run["model"], run["sample"]) for run in done.runs] == [("gpt", n) for n in (1, 2, 3)]


@pytest.mark.parametrize("model", WIRES)
def test_a_reply_without_a_patch_is_a_failure(cli: CommandLine, model: str):
    cli.reply_with("I think the code is fine as it is.\n")

    done = cli.run_round("append a line", "-m", model)

    assert (done.exit_code, done.json["status"]) == (1, "error")
    assert done.runs[0]["error"]["code"] == "no_patch"
    assert done.runs[0]["patch"] is None


def test_a_reply_that_changes_nothing_is_a_failure(cli: CommandLine):
    cli.reply_with(make_append_reply("line 3", "line 2").replace("+line 3", " line 3"))

    done = cli.run_round("append a line", "-m", "gpt")

    assert done.runs[0]["error"]["code"] == "no_change"
    assert done.exit_code == 1


def test_repairs_end_after_two(cli: CommandLine):
    cli.reply_with(make_append_reply("line 4", "line three"), models=["gpt"])

    done = cli.run_round("append a line", "-m", "gpt")

    (run,) = done.runs
    assert (run["error"]["code"], run["attempts"]) == ("apply_failed", 3)
    assert run["error"]["stage"] == "resolve"
    assert len(cli.requests) == 3


def test_dry_run_and_context_send_and_write_nothing(cli: CommandLine):
    plan = cli("run", "append a line", *ALL, "--dry-run", "--json")
    chosen = cli("context", "append a line", "--json")

    assert plan.exit_code == chosen.exit_code == 0
    assert {file["path"] for file in chosen.data["files"]} == {"README.md", "calc.py"}
    assert cli.requests == []
    assert cli("run", "list", "--json").data["items"] == []
    assert cli("repo", "list", "--json").data["items"] == []


def test_the_users_repository_is_untouched_by_a_round(cli: CommandLine):
    left = cli.home / "hook-ran"
    hook = repos.Script(f"#!/bin/sh\ntouch '{left}'\n")
    repos.commit(
        cli.repo,
        {
            "crlf.txt": "one\r\ntwo\r\n",
            "a name with spaces.txt": "x\n",
            "größe/ünïcode.txt": "y\n",
            "link": repos.Link("README.md"),
            "dangling": repos.Link("/nowhere/at/all"),
        },
    )
    module = repos.build(cli.home / "module", {"inside.txt": "inside\n"})
    repos.git(
        cli.repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(module), "sub"
    )
    repos.commit(cli.repo, {})
    repos.write(
        cli.repo,
        {
            "README.md": "line 1 is dirty\nline 2\nline 3\n",
            "untracked.txt": "u\n",
            **{
                f".git/hooks/{name}": hook
                for name in ("post-checkout", "pre-commit", "post-index-change", "pre-auto-gc")
            },
        },
    )
    before = repos.fingerprint(cli.repo)
    cli.reply_with(DIFF)

    done = cli.run_round("append a line", *ALL)
    dirty = cli.run_round("append a line", "-m", "gpt", "--dirty")
    cli("run", "compare", done.runs[0]["id"], done.runs[1]["id"])

    assert done.exit_code == dirty.exit_code == 0
    assert repos.fingerprint(cli.repo) == before
    assert not left.exists()


def test_dirty_starts_from_head_alone(cli: CommandLine):
    first = repos.git(cli.repo, "rev-parse", "HEAD")
    repos.commit(cli.repo, {"calc.py": "moved on\n"})
    cli.reply_with(DIFF)

    other = cli.run_round("append a line", "-m", "gpt", "--dirty", "--base", first)
    same = cli.run_round("append a line", "-m", "gpt", "--dirty", "--base", "main")

    assert (other.exit_code, other.json["errors"][0]["code"]) == (2, "usage")
    assert same.exit_code == 0


def test_dirty_starts_from_the_working_tree(cli: CommandLine):
    repos.write(cli.repo, {"README.md": "line 1\nline 2\nline 3\nline 3b\n"})
    cli.reply_with(make_append_reply("line 4", "line 3b"))

    done = cli.run_round("append a line", "-m", "gpt", "--dirty")

    (run,) = done.runs
    assert run["status"] == "succeeded", run["error"]
    assert run["dirty"] is True
    assert run["base_commit"] == repos.git(cli.repo, "rev-parse", "HEAD")
    assert "line 3b" in turns(cli.requests[0])[0][1]
    applied = cli("run", "apply", run["id"], "--json")
    assert applied.exit_code == 0
    assert (cli.repo / "README.md").read_text().endswith("line 3b\nline 4\n")


def test_no_key_reaches_any_file_or_output(cli: CommandLine):
    cli.configure(log_level="debug")
    cli.extra["DURSOR_DEBUG"] = "1"
    cli.reply_with(DIFF, models=["gpt"])
    echo = f"your key {KEYS['ANTHROPIC_API_KEY']} is wrong"
    cli.script("claude", Script.error(401, {"error": {"message": echo}}))
    leaking = DIFF.replace("+line 4", f"+{KEYS['GEMINI_API_KEY']}")
    cli.reply_with(leaking, models=["gemini"])

    done = cli.run_round("append a line", *ALL)

    assert [run["status"] for run in done.runs] == ["succeeded", "failed", "failed"]
    assert done.runs[2]["error"]["code"] == "policy"
    written = [path.read_bytes() for path in cli.home.rglob("*") if path.is_file()]
    shown = (done.stdout + done.stderr).encode()
    for key in KEYS.values():
        assert all(key.encode() not in data for data in [shown, *written])


def test_the_time_limit_of_a_run_begins_with_the_run(cli: CommandLine):
    stream = WIRES["gpt"](DIFF)
    cli.script("gpt", Script([*stream[:6], 0.8, *stream[6:]]))

    done = cli.run_round("append a line", "-m", "gpt:2", "--jobs", "1", "--timeout", "1.5")

    assert [run["status"] for run in done.runs] == ["succeeded", "succeeded"]


def test_the_time_limit_counts_repairs_and_is_named_as_it_was_set(cli: CommandLine):
    wrong = WIRES["gpt"](make_append_reply("line 4", "line three"))
    cli.script("gpt", Script([*wrong[:6], 0.3, *wrong[6:]]), Script([*wrong[:6], Action.HOLD]))

    done = cli.run_round("append a line", "-m", "gpt", "--timeout", "1.2")

    (run,) = done.runs
    assert (run["error"]["code"], run["attempts"]) == ("timeout", 2)
    assert "1.2 s" in run["error"]["message"]
    assert "--timeout 3" in run["error"]["hint"]


def test_more_samples_than_a_round_can_hold_are_refused(cli: CommandLine):
    done = cli.run_round("append a line", "-m", "gpt:600", "-m", "gpt:600")

    assert (done.exit_code, done.json["errors"][0]["code"]) == (2, "usage")
    assert cli.requests == []


def test_results_are_printed_when_the_store_fails(cli: CommandLine):
    def break_the_store(_: ReceivedRequest) -> Script:
        with closing(sqlite3.connect(cli.data / "dursor.db")) as db, db:
            db.execute("ALTER TABLE runs RENAME TO lost")
        return Script(WIRES["gpt"](DIFF))

    cli.script("gpt", break_the_store)

    done = cli.run_round("append a line", "-m", "gpt")

    assert done.exit_code == 1
    assert done.runs[0]["patch"].endswith("+line 4\n")
    assert [error["code"] for error in done.json["errors"]] == ["internal"]


def test_a_patch_of_very_many_hunks_is_logged_in_few_lines(cli: CommandLine):
    lines = [f"line {n}" for n in range(4000)]
    repos.commit(cli.repo, {"many.txt": "\n".join(lines) + "\n"})
    hunks = "".join(f"@@ -{n + 1} +{n + 1} @@\n-line {n}\n+row {n}\n" for n in range(0, 4000, 2))
    cli.reply_with(
        f"Many.\n\n```diff\n--- a/many.txt\n+++ b/many.txt\n{hunks}```\n", models=["gpt"]
    )

    (run,) = cli.run_round("change many lines", "-m", "gpt").runs

    assert run["files_changed"][0]["added_lines"] == 2000
    assert len(run["logs"]) < 70
