"""A conversation over several rounds: the text of each request and the base of each patch."""

from dataclasses import replace

import pytest
import repos
from command_line import DIFF, WIRES, CommandLine, make_append_reply, turns
from vendors.server import ReceivedRequest

from dursor.agent.prompts import format_instruction
from dursor.domain import Choices
from dursor.store.read import Reader


def list_turns(request: ReceivedRequest) -> list[tuple[str, str]]:
    """Return the turns of a request, without the files at the start of the first and the last."""
    return [(role, text[max(0, text.find("# Instruction")) :]) for role, text in turns(request)]


def asked(text: str) -> tuple[str, str]:
    return "user", format_instruction(text)


def applied(cli: CommandLine, run: dict[str, str]) -> str:
    """Return README.md at the run's base commit with its patch."""
    repos.git(cli.repo, "checkout", "-q", run["base_commit"])
    repos.git(cli.repo, "apply", "-", stdin=run["patch"].encode())
    text = (cli.repo / "README.md").read_text()
    repos.git(cli.repo, "checkout", "-qf", "main")
    return text


@pytest.mark.parametrize("model", WIRES)
def test_four_rounds_send_the_conversation_in_order(cli: CommandLine, model: str):
    first, second, third = (
        make_append_reply("line 4", "line 3"),
        make_append_reply("line 5", "line 4"),
        make_append_reply("line 6", "line 5"),
    )
    cli.reply_with(first, second, third, make_append_reply("other", "line 3"), models=[model])

    (run_1,) = cli.run_round("add line 4", "-m", model).runs
    (run_2,) = cli.run_round("then line 5", "-m", model, "--from", run_1["id"][:8]).runs
    (run_3,) = cli.run_round("and line 6", "-m", model, "--from", run_2["id"]).runs
    task = run_1["task_id"]
    assert cli("task", "say", task[:8], "prefer brevity", "--json").exit_code == 0
    (run_4,) = cli.run_round("start over", "-m", model, "--task", task).runs

    answers = [("assistant", text) for text in (first, second)]
    sent = [list_turns(request) for request in cli.requests]
    assert sent[0] == [asked("add line 4")]
    assert sent[1] == [asked("add line 4"), answers[0], asked("then line 5")]
    assert sent[2] == [
        asked("add line 4"),
        answers[0],
        asked("then line 5"),
        answers[1],
        asked("and line 6"),
    ]
    assert sent[3] == [
        asked(text)
        for text in ("add line 4", "then line 5", "and line 6", "prefer brevity", "start over")
    ]
    assert [run["round"] for run in (run_1, run_2, run_3, run_4)] == [1, 2, 3, 4]
    assert {run["task_id"] for run in (run_1, run_2, run_3, run_4)} == {task}
    assert {run["base_commit"] for run in (run_1, run_2, run_3, run_4)} == {run_1["base_commit"]}
    assert [run["parent_run_id"] for run in (run_1, run_2, run_3, run_4)] == [
        None,
        run_1["id"],
        run_2["id"],
        None,
    ]
    assert applied(cli, run_2).endswith("line 3\nline 4\nline 5\n")
    assert applied(cli, run_3).endswith("line 4\nline 5\nline 6\n")
    assert applied(cli, run_4).endswith("line 3\nother\n")


def test_a_round_from_a_run_sends_its_resulting_files(cli: CommandLine):
    cli.reply_with(
        make_append_reply("line 4", "line 3"), make_append_reply("line 5", "line 4"), models=["gpt"]
    )
    (run_1,) = cli.run_round("add line 4", "-m", "gpt").runs

    cli.run_round("then line 5", "-m", "gpt", "--from", run_1["id"])

    (_, first), _, (_, last) = turns(cli.requests[1])
    assert "line 3\nline 4\n" not in first
    assert "line 3\nline 4\n" in last[: last.index("# Instruction")]


def test_an_answer_that_undoes_everything_is_no_change(cli: CommandLine):
    undo = "Undone.\n\n```diff\n--- a/README.md\n+++ b/README.md\n@@ -3,2 +3,1 @@\n line 3\n-line 4\n```\n"
    cli.reply_with(make_append_reply("line 4", "line 3"), undo, models=["gpt"])
    (run_1,) = cli.run_round("add line 4", "-m", "gpt").runs

    (run_2,) = cli.run_round("undo it", "-m", "gpt", "--from", run_1["id"]).runs

    assert (run_2["status"], run_2["error"]["code"]) == ("failed", "no_change")


def test_a_retry_uses_the_same_instruction_and_base(cli: CommandLine):
    cli.reply_with(
        make_append_reply("line 4", "line 3"),
        make_append_reply("line 5", "line 4"),
        make_append_reply("line V", "line 4"),
        models=["gpt"],
    )
    (run_1,) = cli.run_round("add line 4", "-m", "gpt").runs
    (run_2,) = cli.run_round("then line 5", "-m", "gpt", "--from", run_1["id"]).runs
    repos.commit(cli.repo, {"calc.py": "moved on\n"})

    (again,) = cli("run", "retry", run_2["id"], "--json").data["runs"]

    assert again["id"] != run_2["id"]
    assert again["parent_run_id"] == run_1["id"]
    assert again["base_commit"] == run_2["base_commit"]
    assert turns(cli.requests[2]) == turns(cli.requests[1])
    assert applied(cli, again).endswith("line 4\nline V\n")


def test_a_retry_repeats_the_options(cli: CommandLine):
    (cli.repo / "deep").mkdir()
    repos.commit(cli.repo, {"deep/a.pem.txt": "pinned\n", "b.txt": "other\n" * 200})
    cli.reply_with(make_append_reply("line 4", "line 3"), models=["gpt"])
    limits = ("--context-budget", "30", "--max-files", "1", "--allow-path", "*.pem", "--no-explore")
    pinned = ("--file", "a.pem.txt", "--timeout", "60")
    begun = cli("run", "x", "-m", "gpt", *limits, *pinned, "--json", cwd=cli.repo / "deep")

    again = cli("run", "retry", begun.runs[0]["id"], "--json")
    other = cli("run", "retry", again.runs[0]["id"], "--timeout", "7", "--explore", "--json")

    with Reader(cli.data / "dursor.db") as reader:
        first, second, third = (reader.run(done.runs[0]["id"]) for done in (begun, again, other))
    assert first.round.choices == Choices(
        ("deep/a.pem.txt",), 30, None, 1, ("*.pem",), 60, explore=False
    )
    assert first.overrides is second.overrides is None
    assert second.round == third.round == first.round
    assert third.overrides == replace(first.round.choices, timeout=7, explore=True)
    assert cli.requests[0].body == cli.requests[1].body
    assert "tools" not in cli.requests[1].json
    assert "tools" in cli.requests[2].json


def test_a_retry_names_the_files_that_it_sent(cli: CommandLine):
    repos.commit(cli.repo, {"notes.pem": "line four\n"})
    (first,) = cli.run_round("append a line", "-m", "gpt").runs

    (second,) = cli("run", "retry", first["id"], "--allow-path", "*.pem", "--json").runs

    assert ["line four" in request.body.decode() for request in cli.requests] == [False, True]
    sent = [{file["path"] for file in run["context"]} for run in (first, second)]
    assert sent[1] - sent[0] == {"notes.pem"}
    assert "notes.pem" in cli("run", "show", second["id"], "--context").stdout
    assert "notes.pem" not in cli("run", "show", first["id"], "--context").stdout


def test_a_retry_logs_its_own_preparation(cli: CommandLine):
    repos.commit(cli.repo, {"notes.pem": "line four\n"})
    (first,) = cli.run_round("append a line", "-m", "gpt").runs

    (second,) = cli("run", "retry", first["id"], "--allow-path", "*.pem", "--json").runs

    logs = [run["logs"] for run in (first, second)]
    assert [[entry["stage"] for entry in log[:3]] for log in logs] == [
        ["prepare", "context", "call"]
    ] * 2
    assert logs[0][2]["at"] < logs[1][0]["at"]
    files = [int(log[1]["message"].split()[0]) for log in logs]
    assert files[1] == files[0] + 1
    assert cli("run", "logs", second["id"], "--json").data["items"] == logs[1]


def test_a_retry_is_another_sample_without_a_message(cli: CommandLine):
    cli.reply_with(DIFF, models=["gpt"])
    (first,) = cli.run_round("append a line", "-m", "gpt").runs
    cli("task", "say", first["task_id"], "mind the tests")

    (second,) = cli("run", "retry", first["id"], "--json").runs
    (third,) = cli("run", "retry", second["id"], "--json").runs
    cli.run_round("now this", "-m", "gpt", "--task", first["task_id"])

    assert [(run["round"], run["sample"]) for run in (first, second, third)] == [
        (1, 1),
        (1, 2),
        (1, 3),
    ]
    assert cli.requests[0].body == cli.requests[1].body == cli.requests[2].body
    asked = [text.rpartition("# Instruction\n\n")[2] for _, text in turns(cli.requests[3])]
    assert asked == ["append a line", "mind the tests", "now this"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--from", "ffffffff"), "not_found"),
        (("--task", "ffffffff"), "not_found"),
        (("--from", "{run}", "--base", "HEAD"), "usage"),
        (("--from", "{run}", "--dirty"), "usage"),
        (("--from", "{failed}"), "usage"),
        (("--task", "{closed}"), "usage"),
    ],
)
def test_a_run_that_cannot_be_continued_is_refused_unsent(
    cli: CommandLine, words: tuple[str, ...], code: str
):
    cli.reply_with(make_append_reply("line 4", "line 3"), "no patch here", models=["gpt"])
    (good,) = cli.run_round("add line 4", "-m", "gpt").runs
    (bad,) = cli.run_round("add line 4", "-m", "gpt").runs
    cli("task", "close", bad["task_id"])
    known = {"run": good["id"], "failed": bad["id"], "closed": bad["task_id"]}
    sent = len(cli.requests)

    done = cli.run_round("more", "-m", "gpt", *(word.format(**known) for word in words))

    assert (done.exit_code, done.json["errors"][0]["code"]) == (2, code)
    assert len(cli.requests) == sent
