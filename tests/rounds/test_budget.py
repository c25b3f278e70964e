"""The budget: refused before sending, stopped while streaming, no repair beyond it."""

from typing import Any

import pytest
import repos
from command_line import DIFF, VENDORS, WIRES, CommandLine, make_append_reply
from vendors.server import Action, Script

ALL = ("-m", "gpt", "-m", "claude", "-m", "gemini")
WRONG = make_append_reply("line 4", "line three")
TOKEN = 0.001  # US dollars of an output token, as `priced` sets them; input is free


def config(cli: CommandLine, text: str) -> None:
    file = cli.home / "config" / "config.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


@pytest.fixture
def priced(cli: CommandLine) -> CommandLine:
    """Configure simple prices and a maximum of 300 tokens per reply."""
    names = ("gpt-6.1-sol", "claude-sonnet-5-5", "gemini-3.8-flash")
    prices = "".join(f'[prices."{name}"]\ninput = 0\noutput = 1000\n' for name in names)
    config(cli, f"max_output_tokens = 300\n{prices}")
    return cli


def nothing_happened(cli: CommandLine) -> bool:
    """Return whether no request was sent and no row written."""
    listed = [cli(noun, "list", "--json").data["items"] for noun in ("run", "task", "repo")]
    return cli.requests == [] and listed == [[], [], []]


@pytest.mark.parametrize("words", [ALL, ("-m", "gpt:3"), (*ALL, "--detach")])
def test_a_round_that_could_cost_more_is_refused(priced: CommandLine, words: tuple[str, ...]):
    done = priced.run_round("append a line", *words, "--budget", "0.8999")

    assert (done.exit_code, done.json["data"]) == (6, None)
    (error,) = done.json["errors"]
    assert error["code"] == "budget"
    assert "$0.9000" in error["message"]
    assert "--budget" in error["hint"]
    assert nothing_happened(priced)


def test_a_round_within_its_budget_runs(priced: CommandLine):
    priced.reply_with(DIFF)

    done = priced.run_round("append a line", *ALL, "--budget", "0.9")

    assert done.exit_code == 0
    assert [run["cost_usd"] for run in done.runs] == [pytest.approx(200 * TOKEN)] * 3


def test_dry_run_prints_the_maximum_cost(priced: CommandLine):
    plan = priced("run", "append a line", *ALL, "--dry-run", "--json")
    over = priced("run", "append a line", *ALL, "--dry-run", "--budget", "0.1", "--json")

    assert (plan.exit_code, over.exit_code) == (0, 6)
    assert priced.requests == []


def test_an_unknown_price_is_refused_until_it_is_set(cli: CommandLine):
    cli("models", "add", "new", "--provider", "openai", "--model", "nobody-knows-this")
    cli.reply_with(DIFF, models=["gpt"])

    unbounded = cli.run_round("append a line", "-m", "new")
    refused = cli.run_round("append a line", "-m", "gpt", "-m", "new", "--budget", "5")
    sent = len(cli.requests)
    (error,) = refused.json["errors"]
    for field, usd in (("output", "10"), ("input", "2")):
        cli("config", "set", f'prices."nobody-knows-this".{field}', usd)
    bounded = cli.run_round("append a line", "-m", "new", "--budget", "5")

    assert (unbounded.exit_code, refused.exit_code, bounded.exit_code) == (0, 6, 0)
    assert unbounded.runs[0]["cost_usd"] is None
    assert unbounded.runs[0]["usage"]["output_tokens"] == 200
    assert sent == 1
    assert "nobody-knows-this" in error["message"]
    assert "dursor config set 'prices.\"nobody-knows-this\".output'" in error["hint"]
    assert bounded.runs[0]["cost_usd"] == pytest.approx((1000 * 2 + 200 * 10) / 1e6)


@pytest.mark.parametrize(
    ("words", "variable", "configured", "repository", "exit_code"),
    [
        ((), None, None, None, 0),
        ((), "0.1", None, None, 6),
        ((), None, "0.1", None, 6),
        ((), None, None, "0.1", 6),
        (("--budget", "0.1"), None, None, None, 6),
        (("--budget", "0"), None, None, None, 6),
        (("--budget", "9"), "9", "9", "0.1", 6),
        (("--budget", "0.1"), "9", "9", "9", 6),
        ((), "0.1", "9", "9", 6),
        ((), "9", "0.1", None, 0),
        (("--budget", "9"), "0.1", "0.1", None, 0),
        ((), "none", "0.1", "9", 0),
        ((), "none", None, "0.1", 6),
    ],
)
def test_the_option_precedes_the_configuration_and_the_repository_may_lower_it(
    priced: CommandLine,
    words: tuple[str, ...],
    variable: str | None,
    configured: str | None,
    repository: str | None,
    exit_code: int,
):
    priced.reply_with(DIFF)
    if variable:
        priced.configure(budget_usd=variable)
    if configured:
        file = priced.home / "config" / "config.toml"
        file.write_text(f"budget_usd = {configured}\n{file.read_text()}")
    if repository:
        repos.commit(priced.repo, {".dursor.toml": f"budget_usd = {repository}\n"})

    assert priced.run_round("append a line", "-m", "gpt", *words).exit_code == exit_code


def talkative(model: str, tokens: int) -> list[Any]:
    """Return a stream that exceeds its limit of TOKENS and then waits."""
    events = WIRES[model]("word" * tokens, pieces=tokens // 32)
    return [*events[: len(events) - 5], Action.HOLD]


@pytest.mark.parametrize("model", VENDORS)
def test_a_stream_that_exceeds_the_budget_is_stopped(priced: CommandLine, model: str):
    priced.script(model, Script(talkative(model, 2000)))
    others = [name for name in VENDORS if name != model]
    priced.reply_with(DIFF, models=others)

    done = priced.run_round("append a line", *ALL, "--budget", "0.91")

    runs = {run["model"]: run for run in done.runs}
    cut = runs.pop(model)
    assert {run["status"] for run in runs.values()} == {"succeeded"}
    assert (cut["status"], cut["error"]["code"], cut["error"]["stage"]) == (
        "failed",
        "budget",
        "call",
    )
    assert 300 * TOKEN < cut["cost_usd"] < 2000 * TOKEN
    assert cut["usage"]["output_tokens"] * TOKEN == pytest.approx(cut["cost_usd"])
    assert any("estimate" in warning for warning in cut["warnings"])
    assert priced.server.wait_for(lambda server: len(server.disconnects) == 1)
    assert done.exit_code == 0


def test_a_round_of_stopped_runs_exits_6(priced: CommandLine):
    priced.script("gpt", Script(talkative("gpt", 1000)))

    done = priced.run_round("append a line", "-m", "gpt", "--budget", "0.31")

    assert (done.exit_code, done.json["status"]) == (6, "error")
    assert done.json["errors"][0]["code"] == "budget"
    assert 0.31 < done.runs[0]["cost_usd"] < 1


@pytest.mark.parametrize(("budget", "calls"), [("0.45", 1), ("0.55", 2), ("2", 3)])
def test_a_repair_beyond_the_budget_is_not_sent(priced: CommandLine, budget: str, calls: int):
    priced.reply_with(WRONG)

    done = priced.run_round("append a line", "-m", "gpt", "--budget", budget)

    (run,) = done.runs
    assert len(priced.requests) == run["attempts"] == calls
    assert run["cost_usd"] == pytest.approx(calls * 200 * TOKEN)
    code = "apply_failed" if calls == 3 else "budget"
    assert (run["error"]["code"], done.exit_code) == (code, 1 if calls == 3 else 6)


def test_a_complete_reply_counts_even_if_it_cost_more(priced: CommandLine):
    priced.reply_with(DIFF)

    done = priced.run_round("append a line", "-m", "gpt", "--budget", "0.3")
    config(priced, (priced.home / "config" / "config.toml").read_text().replace("300", "100"))
    expensive = priced.run_round("append a line", "-m", "gpt", "--budget", "0.1")

    assert done.runs[0]["cost_usd"] < 0.3
    assert expensive.runs[0]["status"] == "succeeded"
    assert expensive.runs[0]["cost_usd"] == pytest.approx(0.2)


def test_a_repair_does_not_take_the_reservation_of_another_run(priced: CommandLine):
    slow = WIRES["claude"](DIFF)
    priced.script("claude", Script([*slow[:6], 1.2, *slow[6:]]))
    priced.reply_with(WRONG, models=["gpt"])

    done = priced.run_round("append a line", "-m", "gpt", "-m", "claude", "--budget", "0.75")

    gpt, claude = done.runs
    assert (gpt["error"]["code"], gpt["attempts"]) == ("budget", 1)
    assert claude["status"] == "succeeded"


def test_a_broken_stream_has_a_cost(priced: CommandLine):
    events = WIRES["gpt"]("word" * 400, pieces=4)
    priced.script("gpt", Script([*events[:-5], Action.END]))
    priced.script("claude", Script([*WIRES["claude"]("")[:2], Action.CUT]))
    priced.configure(retries=0)

    gpt, claude = priced.run_round("append a line", "-m", "gpt", "-m", "claude").runs

    assert gpt["error"]["code"] == claude["error"]["code"] == "network"
    assert gpt["cost_usd"] == pytest.approx(gpt["usage"]["output_tokens"] * TOKEN)
    assert 100 < gpt["usage"]["output_tokens"] <= 400
    assert any("estimate" in warning for warning in gpt["warnings"])
    assert claude["warnings"] == []
