"""A conversation over several rounds: what each request says, and what each patch applies to."""

from dataclasses import replace

import pytest
import repos
from front import DIFF, WIRES, Front, make_append_reply, turns
from vendors.server import ReceivedRequest

from dursor.agent.prompts import format_instruction
from dursor.domain import Choices
from dursor.store.read import Reader


def said(request: ReceivedRequest) -> list[tuple[str, str]]:
    """The turns of a request, without the files that the first and the last show before them."""
    return [(role, text[max(0, text.find("# Instruction")) :]) for role, text in turns(request)]


def asked(text: str) -> tuple[str, str]:
    return "user", format_instruction(text)


def applied(front: Front, run: dict[str, str]) -> str:
    """README.md at the run's base commit with its patch."""
    repos.git(front.repo, "checkout", "-q", run["base_commit"])
    repos.git(front.repo, "apply", "-", stdin=run["patch"].encode())
    text = (front.repo / "README.md").read_text()
    repos.git(front.repo, "checkout", "-qf", "main")
    return text


@pytest.mark.parametrize("model", WIRES)
def test_four_rounds_send_what_they_should_in_order(front: Front, model: str):
    first, second, third = (
        make_append_reply("line 4", "line 3"),
        make_append_reply("line 5", "line 4"),
        make_append_reply("line 6", "line 5"),
    )
    front.answers(first, second, third, make_append_reply("other", "line 3"), models=[model])

    (one,) = front.round("add line 4", "-m", model).runs
    (two,) = front.round("then line 5", "-m", model, "--from", one["id"][:8]).runs
    (three,) = front.round("and line 6", "-m", model, "--from", two["id"]).runs
    task = one["task_id"]
    assert front("task", "say", task[:8], "prefer brevity", "--json").exit_code == 0
    (four,) = front.round("start over", "-m", model, "--task", task).runs

    answers = [("assistant", text) for text in (first, second)]
    sent = [said(request) for request in front.sent]
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
    assert [run["round"] for run in (one, two, three, four)] == [1, 2, 3, 4]
    assert {run["task_id"] for run in (one, two, three, four)} == {task}
    assert {run["base_commit"] for run in (one, two, three, four)} == {one["base_commit"]}
    assert [run["parent_run_id"] for run in (one, two, three, four)] == [
        None,
        one["id"],
        two["id"],
        None,
    ]
    assert applied(front, two).endswith("line 3\nline 4\nline 5\n")
    assert applied(front, three).endswith("line 4\nline 5\nline 6\n")
    assert applied(front, four).endswith("line 3\nother\n")


def test_a_round_from_an_answer_shows_the_files_as_they_then_are(front: Front):
    front.answers(
        make_append_reply("line 4", "line 3"), make_append_reply("line 5", "line 4"), models=["gpt"]
    )
    (one,) = front.round("add line 4", "-m", "gpt").runs

    front.round("then line 5", "-m", "gpt", "--from", one["id"])

    (_, first), _, (_, last) = turns(front.sent[1])
    assert "line 3\nline 4\n" not in first
    assert "line 3\nline 4\n" in last[: last.index("# Instruction")]


def test_an_answer_that_undoes_everything_is_no_change(front: Front):
    undo = "Undone.\n\n```diff\n--- a/README.md\n+++ b/README.md\n@@ -3,2 +3,1 @@\n line 3\n-line 4\n```\n"
    front.answers(make_append_reply("line 4", "line 3"), undo, models=["gpt"])
    (one,) = front.round("add line 4", "-m", "gpt").runs

    (two,) = front.round("undo it", "-m", "gpt", "--from", one["id"]).runs

    assert (two["status"], two["error"]["code"]) == ("failed", "no_change")


def test_retry_asks_the_same_of_the_same_base(front: Front):
    front.answers(
        make_append_reply("line 4", "line 3"),
        make_append_reply("line 5", "line 4"),
        make_append_reply("line V", "line 4"),
        models=["gpt"],
    )
    (one,) = front.round("add line 4", "-m", "gpt").runs
    (two,) = front.round("then line 5", "-m", "gpt", "--from", one["id"]).runs
    repos.commit(front.repo, {"calc.py": "moved on\n"})

    (again,) = front("run", "retry", two["id"], "--json").data["runs"]

    assert again["id"] != two["id"]
    assert again["parent_run_id"] == one["id"]
    assert again["base_commit"] == two["base_commit"]
    assert turns(front.sent[2]) == turns(front.sent[1])
    assert applied(front, again).endswith("line 4\nline V\n")


def test_a_retry_repeats_what_was_asked_beside_the_words(front: Front):
    (front.repo / "deep").mkdir()
    repos.commit(front.repo, {"deep/a.pem.txt": "pinned\n", "b.txt": "other\n" * 200})
    front.answers(make_append_reply("line 4", "line 3"), models=["gpt"])
    limits = ("--context-budget", "30", "--max-files", "1", "--allow-path", "*.pem", "--no-explore")
    pinned = ("--file", "a.pem.txt", "--timeout", "60")
    begun = front("run", "x", "-m", "gpt", *limits, *pinned, "--json", cwd=front.repo / "deep")

    again = front("run", "retry", begun.runs[0]["id"], "--json")
    other = front("run", "retry", again.runs[0]["id"], "--timeout", "7", "--explore", "--json")

    with Reader(front.data / "dursor.db") as reader:
        first, second, third = (reader.run(done.runs[0]["id"]) for done in (begun, again, other))
    assert first.round.choices == Choices(
        ("deep/a.pem.txt",), 30, None, 1, ("*.pem",), 60, explore=False
    )
    assert first.overrides is second.overrides is None
    assert second.round == third.round == first.round
    assert third.overrides == replace(first.round.choices, timeout=7, explore=True)
    assert front.sent[0].body == front.sent[1].body
    assert "tools" not in front.sent[1].json
    assert "tools" in front.sent[2].json


def test_a_retry_is_one_more_sample_and_says_nothing_anew(front: Front):
    front.answers(DIFF, models=["gpt"])
    (first,) = front.round("append a line", "-m", "gpt").runs
    front("task", "say", first["task_id"], "mind the tests")

    (second,) = front("run", "retry", first["id"], "--json").runs
    (third,) = front("run", "retry", second["id"], "--json").runs
    front.round("now this", "-m", "gpt", "--task", first["task_id"])

    assert [(one["round"], one["sample"]) for one in (first, second, third)] == [
        (1, 1),
        (1, 2),
        (1, 3),
    ]
    assert front.sent[0].body == front.sent[1].body == front.sent[2].body
    asked = [text.rpartition("# Instruction\n\n")[2] for _, text in turns(front.sent[3])]
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
def test_what_cannot_be_gone_on_from_is_refused_before_anything_is_sent(
    front: Front, words: tuple[str, ...], code: str
):
    front.answers(make_append_reply("line 4", "line 3"), "no patch here", models=["gpt"])
    (good,) = front.round("add line 4", "-m", "gpt").runs
    (bad,) = front.round("add line 4", "-m", "gpt").runs
    front("task", "close", bad["task_id"])
    known = {"run": good["id"], "failed": bad["id"], "closed": bad["task_id"]}
    sent = len(front.sent)

    done = front.round("more", "-m", "gpt", *(word.format(**known) for word in words))

    assert (done.exit_code, done.json["errors"][0]["code"]) == (2, code)
    assert len(front.sent) == sent
