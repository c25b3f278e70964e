"""`dursor run`: a round, unless the first word is a subcommand."""

import fake_app
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dursor.cli.command_tree import RUN
from dursor.cli.run_group import refuse_typo
from dursor.domain import Choices
from dursor.errors import UsageError
from dursor.services.request import ModelCount, RoundRequest
from dursor.services.results import RoundPlan, RoundResult

DONE = {"rounds.start": RoundResult(fake_app.TASK, fake_app.ROUND, (fake_app.RUN, fake_app.OTHER))}


def asked(done):
    name, args, _ = done.app.only_call
    assert name == "rounds.start"
    return args[0]


def test_anything_but_a_subcommand_is_an_instruction(dursor):
    done = dursor("run", "Fix the off-by-one", "-m", "gpt", answers=DONE)
    assert done.exit_code == 0
    expected = RoundRequest("Fix the off-by-one", (ModelCount("gpt", 1),))
    assert asked(done) == expected


def test_options_may_come_first(dursor):
    done = dursor("run", "-m", "gpt:2", "--dirty", "Fix it now", "-m", "claude", answers=DONE)
    assert asked(done).models == (ModelCount("gpt", 2), ModelCount("claude", 1))
    assert asked(done).dirty


def test_every_option_reaches_the_request(dursor):
    words = [
        "--repo",
        "shop",
        "--base",
        "v1",
        "--dirty",
        "--task",
        "7d1f",
        "--from",
        "b07d",
        "--file",
        "a.py",
        "--file",
        "b.py",
        "--context-budget",
        "8000",
        "--budget",
        "0.5",
        "--max-files",
        "3",
        "--allow-path",
        "*.key",
        "--allow-path",
        ".env",
        "--timeout",
        "60",
        "--jobs",
        "4",
        "--require",
        "all",
        "--no-explore",
    ]
    request = asked(dursor("run", "Fix it now", *words, answers=DONE))
    assert request == RoundRequest(
        "Fix it now",
        models=(),
        repo="shop",
        base="v1",
        dirty=True,
        task="7d1f",
        from_run="b07d",
        choices=Choices(("a.py", "b.py"), 8000, 0.5, 3, ("*.key", ".env"), 60, explore=False),
        jobs=4,
        require="all",
    )
    assert RoundRequest.from_json(request.to_json()) == request


def test_the_same_model_twice_is_two_samples(dursor):
    done = dursor("run", "Fix it now", "-m", "gpt", "-m", "claude:3", "-m", "gpt", answers=DONE)
    assert asked(done).models == (ModelCount("gpt", 2), ModelCount("claude", 3))


@pytest.mark.parametrize("name", ["gpt:", "gpt:0", "gpt:-1", "gpt:x", ":2", "", "gpt:²"])
def test_a_malformed_model_is_refused(dursor, name):
    done = dursor("run", "Fix it now", "-m", name)
    assert done.exit_code == 2
    assert "is not NAME or NAME:N" in done.stderr


@pytest.mark.parametrize("text", ["lst", "ls", "list", "List", " list ", "shwo", "dif", "aply"])
def test_a_word_that_looks_like_a_subcommand_is_not_sent(dursor, text):
    done = dursor("run", "-m", "gpt", text, answers=DONE)
    assert (done.exit_code, done.app.calls) == (2, [])
    assert "was not sent to any model" in done.stderr
    assert "dursor run -- " in done.stderr


def test_the_hint_offers_the_subcommand_and_the_word(dursor):
    done = dursor("run", "lst", "-m", "gpt", answers=DONE)
    assert done.stderr == (
        "error: 'lst' looks like the subcommand 'list' and was not sent to any model\n"
        "hint: dursor run list (to send the word: dursor run -- lst)\n"
    )


@pytest.mark.parametrize("words", [("--", "list"), ("-m", "gpt", "--", "lst")])
def test_a_word_after_two_dashes_is_sent(dursor, words):
    assert asked(dursor("run", *words, answers=DONE)).instruction == words[-1]


@pytest.mark.parametrize("text", ["Refactor", "Document", "tests", "list the files"])
def test_other_texts_are_sent(dursor, text):
    assert asked(dursor("run", text, answers=DONE)).instruction == text


@given(st.sampled_from(sorted(RUN)), st.data())
def test_a_single_typo_is_always_caught(name, data):
    at = data.draw(st.integers(0, len(name) - 1))
    slip = (
        name[:at] + name[at + 1 :] if data.draw(st.booleans()) else name[:at] + name[at] + name[at:]
    )
    if len(slip) > 3:
        with pytest.raises(UsageError):
            refuse_typo(slip)


def test_an_unquoted_text_is_quoted_in_the_hint(dursor):
    done = dursor("run", "Fix", "the", "bug", answers=DONE)
    assert (done.exit_code, done.app.calls) == (2, [])
    assert (
        done.stderr
        == "error: TEXT must be one argument: quote it\nhint: dursor run 'Fix the bug'\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("--budget", "nan"),
        ("--budget", "inf"),
        ("--budget", "-1"),
        ("--timeout", "0"),
        ("--timeout", "-5"),
        ("--timeout", "inf"),
        ("--max-files", "0"),
        ("--jobs", "0"),
        ("--context-budget", "-1"),
        ("--require", "some"),
    ],
)
def test_numbers_out_of_range_are_refused(dursor, words):
    done = dursor("run", "Fix it now", *words, answers=DONE)
    assert (done.exit_code, done.app.calls) == (2, [])
    assert done.stderr.startswith(f"error: invalid value for '{words[0]}': ")


def test_a_budget_of_zero_is_a_budget(dursor):
    assert asked(dursor("run", "Fix it now", "--budget", "0", answers=DONE)).choices.budget_usd == 0


def test_a_dry_run_plans_and_sends_nothing(dursor):
    answers = {"rounds.plan": RoundPlan(fake_app.PLAN, ())}
    done = dursor("run", "Fix it now", "--dry-run", "--json", answers=answers)
    assert done.app.only_call[0] == "rounds.plan"
    data = done.json["data"]
    assert (data["task"], data["runs"], data["plan"]["budget"]) == (None, [], 8000)
    both = dursor("run", "Fix it now", "--dry-run", "--detach", answers=answers)
    assert both.exit_code == 2


def test_detached_runs_continue(dursor):
    answers = {"rounds.detach": RoundResult(fake_app.TASK, fake_app.ROUND, (fake_app.RUN,))}
    done = dursor("run", "Fix it now", "--detach", answers=answers)
    assert done.exit_code == 0
    assert done.stderr == "next: dursor run watch 3fa1c9e2 · dursor run cancel 3fa1c9e2\n"


def test_help_shows_the_options_and_the_subcommands(dursor, snapshot):
    assert dursor("run", "--help").stdout == snapshot
    assert dursor("run", "-m", "gpt", "-h").stdout == dursor("run", "--help").stdout


def test_the_root_help(dursor, snapshot):
    assert dursor("--help").stdout == snapshot
