"""`.dursor.toml` at the base commit: it may tighten what a round may do, and nothing else."""

import pytest
import repos
from front import WIRES, Front, make_append_reply, turns
from vendors.server import Action, Script

LINE = make_append_reply("line 4", "line 3")
FILE = ".dursor.toml"


def adding(*paths: str) -> str:
    diffs = "".join(f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+new\n" for path in paths)
    return f"Done.\n\n```diff\n{diffs}```\n"


def test_it_forbids_more_paths_and_keeps_them_from_the_models(front: Front):
    repos.commit(front.repo, {FILE: 'forbidden_paths = ["calc.py", "db/**"]\n'})
    front.answers(adding("db/schema.sql"), adding("other.sql"), models=["gpt"])

    forbidden = front.round("do it", "-m", "gpt")
    free = front.round("do it", "-m", "gpt")

    assert (forbidden.exit_code, forbidden.runs[0]["error"]["code"]) == (7, "policy")
    assert "'db/**'" in forbidden.runs[0]["error"]["message"]
    assert free.exit_code == 0
    assert "return a - b" not in turns(front.sent[0])[0][1]


@pytest.mark.parametrize(
    "words", [(), ("--max-files", "100"), ("--allow-path", "**"), ("--max-files", "3")]
)
def test_it_lowers_the_number_of_files(front: Front, words: tuple[str, ...]):
    repos.commit(front.repo, {FILE: "max_files = 2\n"})
    front.answers(adding("a.txt", "b.txt", "c.txt"), models=["gpt"])

    done = front.round("do it", "-m", "gpt", *words)

    assert (done.exit_code, done.runs[0]["error"]["code"]) == (7, "policy")
    assert "more than 2" in done.runs[0]["error"]["message"]


def test_it_shortens_the_time(front: Front):
    repos.commit(front.repo, {FILE: "timeout = 0.4\n"})
    front.on("gpt", Script([*WIRES["gpt"](LINE)[:4], Action.HOLD]))

    done = front.round("do it", "-m", "gpt", "--timeout", "20")

    assert (done.exit_code, done.runs[0]["error"]["code"]) == (5, "timeout")
    assert "0.4 s" in done.runs[0]["error"]["message"]


@pytest.mark.parametrize("words", [(), ("--budget", "100")])
def test_it_lowers_the_budget(front: Front, words: tuple[str, ...]):
    repos.commit(front.repo, {FILE: "budget_usd = 0.0001\n"})

    done = front.round("do it", "-m", "gpt", *words)

    assert (done.exit_code, done.json["errors"][0]["code"]) == (6, "budget")
    assert "$0.0001" in done.json["errors"][0]["message"]
    assert front.sent == []


def test_it_lowers_context_and_output(front: Front):
    front.answers(LINE)
    repos.commit(front.repo, {FILE: "context_budget = 0\nmax_output_tokens = 1000\n"})

    front.round("do it", "-m", "gpt", "--context-budget", "30000")

    assert "return a - b" not in turns(front.sent[0])[0][1]
    assert front.sent[0].json["max_output_tokens"] == 1000


def test_it_cannot_loosen_anything(front: Front):
    loose = (
        'max_files = 1000\nbudget_usd = 1000.0\ntimeout = 9999\nallowed_paths = ["**"]\n'
        'models = ["gpt"]\nbase_url = "http://127.0.0.1:1"\nrequire = "any"\n'
        'key_store = "file"\nretries = 99\n'
    )
    repos.commit(front.repo, {FILE: loose})
    front.answers(adding(".env"), adding("a", "b", "c"), models=["gpt"])

    forbidden = front.round("do it", "-m", "gpt")
    many = front.round("do it", "-m", "gpt", "--max-files", "2")
    dear = front.round("do it", "-m", "gpt", "--budget", "0.0001")
    unnamed = front("run", "do it", "--json")

    assert [one.exit_code for one in (forbidden, many, dear, unnamed)] == [7, 7, 6, 2]
    (warning,) = forbidden.runs[0]["warnings"]
    for name in ("allowed_paths", "models", "base_url", "require", "key_store"):
        assert repr(name) in warning


def test_a_reply_that_changes_it_gains_nothing(front: Front):
    repos.commit(front.repo, {FILE: 'forbidden_paths = ["db/**"]\nmax_files = 2\n'})
    loosened = (
        f"--- a/{FILE}\n+++ b/{FILE}\n@@ -1,2 +1 @@\n"
        '-forbidden_paths = ["db/**"]\n-max_files = 2\n+max_files = 99\n'
    )
    alone = f"Loosened.\n\n```diff\n{loosened}```\n"
    together = alone.replace(loosened, f"{loosened}--- /dev/null\n+++ b/db/x\n@@ -0,0 +1 @@\n+x\n")
    front.answers(together, alone, adding("db/x"), adding("a", "b", "c"), models=["gpt"])

    at_once = front.round("do it", "-m", "gpt")
    first = front.round("do it", "-m", "gpt")
    then = front.round("go on", "-m", "gpt", "--from", first.runs[0]["id"])
    many = front.round("go on", "-m", "gpt", "--from", first.runs[0]["id"])
    front("run", "apply", first.runs[0]["id"])
    dirty = front.round("go on", "-m", "gpt", "--dirty")

    codes = [one.exit_code for one in (at_once, first, then, many, dirty)]
    assert codes == [7, 0, 7, 7, 7]


def test_only_the_base_commit_counts(front: Front):
    old = repos.git(front.repo, "rev-parse", "HEAD")
    repos.commit(front.repo, {FILE: 'forbidden_paths = ["db/**"]\n'})
    front.answers(adding("db/x"))
    repos.write(front.repo, {FILE: 'forbidden_paths = ["other/**"]\n'})

    now = front.round("do it", "-m", "gpt")
    dirty = front.round("do it", "-m", "gpt", "--dirty")
    before = front.round("do it", "-m", "gpt", "--base", old)

    assert [one.exit_code for one in (now, dirty, before)] == [7, 7, 0]


@pytest.mark.parametrize(
    "text",
    [
        "forbidden_paths = [",
        "forbidden_paths = 3",
        'max_files = "2"',
        "max_files = 0",
        "timeout = -1",
        "budget_usd = nan",
        b"\xff\xfe",
        'forbidden_paths = ["caf\xe9/**"]\n'.encode("latin-1"),
        "# " + "x" * 70_000,
        "a = " + "[" * 5000,
    ],
)
def test_a_broken_one_stops_the_round(front: Front, text: str | bytes):
    repos.commit(front.repo, {FILE: text})

    done = front.round("do it", "-m", "gpt")

    assert (done.exit_code, done.json["status"]) == (7, "error")
    (error,) = done.json["errors"]
    assert error["code"] == "policy"
    assert FILE in error["message"]
    assert "\n" not in error["message"]
    assert front.sent == []
    assert front("run", "list", "--all", "--json").data["items"] == []
