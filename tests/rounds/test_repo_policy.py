"""`.dursor.toml` at the base commit: it can only make limits stricter."""

import pytest
import repos
from command_line import WIRES, CommandLine, make_append_reply, turns
from vendors.server import Action, Script

LINE = make_append_reply("line 4", "line 3")
FILE = ".dursor.toml"


def adding(*paths: str) -> str:
    diffs = "".join(f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+new\n" for path in paths)
    return f"Done.\n\n```diff\n{diffs}```\n"


def test_it_forbids_more_paths_and_keeps_them_from_the_models(cli: CommandLine):
    repos.commit(cli.repo, {FILE: 'forbidden_paths = ["calc.py", "db/**"]\n'})
    cli.reply_with(adding("db/schema.sql"), adding("other.sql"), models=["gpt"])

    forbidden = cli.run_round("do it", "-m", "gpt")
    free = cli.run_round("do it", "-m", "gpt")

    assert (forbidden.exit_code, forbidden.runs[0]["error"]["code"]) == (7, "policy")
    assert "'db/**'" in forbidden.runs[0]["error"]["message"]
    assert free.exit_code == 0
    assert "return a - b" not in turns(cli.requests[0])[0][1]


@pytest.mark.parametrize(
    "words", [(), ("--max-files", "100"), ("--allow-path", "**"), ("--max-files", "3")]
)
def test_it_lowers_the_number_of_files(cli: CommandLine, words: tuple[str, ...]):
    repos.commit(cli.repo, {FILE: "max_files = 2\n"})
    cli.reply_with(adding("a.txt", "b.txt", "c.txt"), models=["gpt"])

    done = cli.run_round("do it", "-m", "gpt", *words)

    assert (done.exit_code, done.runs[0]["error"]["code"]) == (7, "policy")
    assert "more than 2" in done.runs[0]["error"]["message"]


def test_it_shortens_the_time(cli: CommandLine):
    repos.commit(cli.repo, {FILE: "timeout = 0.4\n"})
    cli.script("gpt", Script([*WIRES["gpt"](LINE)[:4], Action.HOLD]))

    done = cli.run_round("do it", "-m", "gpt", "--timeout", "20")

    assert (done.exit_code, done.runs[0]["error"]["code"]) == (5, "timeout")
    assert "0.4 s" in done.runs[0]["error"]["message"]


@pytest.mark.parametrize("words", [(), ("--budget", "100")])
def test_it_lowers_the_budget(cli: CommandLine, words: tuple[str, ...]):
    repos.commit(cli.repo, {FILE: "budget_usd = 0.0001\n"})

    done = cli.run_round("do it", "-m", "gpt", *words)

    assert (done.exit_code, done.json["errors"][0]["code"]) == (6, "budget")
    assert "$0.0001" in done.json["errors"][0]["message"]
    assert cli.requests == []


def test_it_lowers_context_and_output(cli: CommandLine):
    cli.reply_with(LINE)
    repos.commit(cli.repo, {FILE: "context_budget = 0\nmax_output_tokens = 1000\n"})

    cli.run_round("do it", "-m", "gpt", "--context-budget", "30000")

    assert "return a - b" not in turns(cli.requests[0])[0][1]
    assert cli.requests[0].json["max_output_tokens"] == 1000


def test_it_cannot_loosen_anything(cli: CommandLine):
    loose = (
        'max_files = 1000\nbudget_usd = 1000.0\ntimeout = 9999\nallowed_paths = ["**"]\n'
        'models = ["gpt"]\nbase_url = "http://127.0.0.1:1"\nrequire = "any"\n'
        'key_store = "file"\nretries = 99\n'
    )
    repos.commit(cli.repo, {FILE: loose})
    cli.reply_with(adding(".env"), adding("a", "b", "c"), models=["gpt"])

    forbidden = cli.run_round("do it", "-m", "gpt")
    many = cli.run_round("do it", "-m", "gpt", "--max-files", "2")
    expensive = cli.run_round("do it", "-m", "gpt", "--budget", "0.0001")
    unnamed = cli("run", "do it", "--json")

    assert [one.exit_code for one in (forbidden, many, expensive, unnamed)] == [7, 7, 6, 2]
    (warning,) = forbidden.runs[0]["warnings"]
    for name in ("allowed_paths", "models", "base_url", "require", "key_store"):
        assert repr(name) in warning


def test_a_reply_that_changes_it_gains_nothing(cli: CommandLine):
    repos.commit(cli.repo, {FILE: 'forbidden_paths = ["db/**"]\nmax_files = 2\n'})
    loosened = (
        f"--- a/{FILE}\n+++ b/{FILE}\n@@ -1,2 +1 @@\n"
        '-forbidden_paths = ["db/**"]\n-max_files = 2\n+max_files = 99\n'
    )
    alone = f"Loosened.\n\n```diff\n{loosened}```\n"
    together = alone.replace(loosened, f"{loosened}--- /dev/null\n+++ b/db/x\n@@ -0,0 +1 @@\n+x\n")
    cli.reply_with(together, alone, adding("db/x"), adding("a", "b", "c"), models=["gpt"])

    at_once = cli.run_round("do it", "-m", "gpt")
    first = cli.run_round("do it", "-m", "gpt")
    then = cli.run_round("go on", "-m", "gpt", "--from", first.runs[0]["id"])
    many = cli.run_round("go on", "-m", "gpt", "--from", first.runs[0]["id"])
    cli("run", "apply", first.runs[0]["id"])
    dirty = cli.run_round("go on", "-m", "gpt", "--dirty")

    codes = [one.exit_code for one in (at_once, first, then, many, dirty)]
    assert codes == [7, 0, 7, 7, 7]


def test_only_the_base_commit_counts(cli: CommandLine):
    old = repos.git(cli.repo, "rev-parse", "HEAD")
    repos.commit(cli.repo, {FILE: 'forbidden_paths = ["db/**"]\n'})
    cli.reply_with(adding("db/x"))
    repos.write(cli.repo, {FILE: 'forbidden_paths = ["other/**"]\n'})

    now = cli.run_round("do it", "-m", "gpt")
    dirty = cli.run_round("do it", "-m", "gpt", "--dirty")
    before = cli.run_round("do it", "-m", "gpt", "--base", old)

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
def test_an_invalid_file_stops_the_round(cli: CommandLine, text: str | bytes):
    repos.commit(cli.repo, {FILE: text})

    done = cli.run_round("do it", "-m", "gpt")

    assert (done.exit_code, done.json["status"]) == (7, "error")
    (error,) = done.json["errors"]
    assert error["code"] == "policy"
    assert FILE in error["message"]
    assert "\n" not in error["message"]
    assert cli.requests == []
    assert cli("run", "list", "--all", "--json").data["items"] == []
