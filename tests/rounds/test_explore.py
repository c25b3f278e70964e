"""Models that explore before they answer, each in its vendor's format, through the command line."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import repos
from command_line import DIFF, VENDORS, WIRES, CommandLine, make_append_reply, turns
from vendors import streams, tool_streams
from vendors.server import Action, ReceivedRequest, Script
from vendors.tool_streams import Call, ToolStream

CALLING: dict[str, Callable[..., ToolStream]] = {
    "gpt": tool_streams.responses,
    "claude": tool_streams.messages,
    "gemini": tool_streams.gemini,
}
AWS = "AKIAQ4ZTRN7WVK2LMX3P"
LIST = Call("list_files", {})
FIND = Call("search", {"text": "def \\w+", "regex": True})
READ = Call("read_file", {"path": "calc.py"})
PART = Call("read_file", {"path": "README.md", "first_line": 2, "last_line": 2})


def results(request: ReceivedRequest) -> list[list[dict[str, Any]]]:
    """Return the results in a request, a list for each reply with calls: {id, text, failed}."""
    body = request.json
    if "contents" in body:
        return [found for one in body["contents"] if (found := _gemini(one["parts"]))]
    if "messages" in body:
        return [found for one in body["messages"] if (found := _claude(one["content"]))]
    grouped: list[list[dict[str, Any]]] = []
    last = None
    for item in body["input"]:
        if item.get("type") == "function_call_output":
            if last != "function_call_output":
                grouped.append([])
            text = item["output"].removeprefix("error: ")
            failed = item["output"].startswith("error: ")
            grouped[-1].append({"id": item["call_id"], "text": text, "failed": failed})
        last = item.get("type")
    return grouped


def _gemini(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [part["functionResponse"] for part in parts if "functionResponse" in part]
    return [
        {"id": one.get("id"), "text": next(iter(given.values())), "failed": "error" in given}
        for one in found
        if (given := one["response"])
    ]


def _claude(content: Any) -> list[dict[str, Any]]:
    blocks = [] if isinstance(content, str) else content
    return [
        {"id": one["tool_use_id"], "text": one["content"], "failed": one["is_error"]}
        for one in blocks
        if one["type"] == "tool_result"
    ]


def explore(
    cli: CommandLine, model: str, *steps: list[Call], answer: str = DIFF
) -> list[ToolStream]:
    """Make MODEL call each of STEPS in turn, then always give ANSWER."""
    made = [CALLING[model](step, turn=turn) for turn, step in enumerate(steps, 1)]
    cli.script(model, *(Script(one.events) for one in made), Script(WIRES[model](answer)))
    return made


def logged(cli: CommandLine, run: dict[str, Any]) -> list[str]:
    return [entry["message"] for entry in cli("run", "logs", run["id"], "--json").data["items"]]


@pytest.mark.parametrize("model", VENDORS)
def test_a_model_lists_searches_reads_two_files_at_once_and_answers(cli: CommandLine, model: str):
    made = explore(cli, model, [LIST], [FIND], [READ, PART])

    (run,) = cli.run_round("append a line", "-m", model).runs

    assert run["status"] == "succeeded", run["error"]
    assert run["patch"].endswith("+line 4\n")
    last = cli.requests[-1]
    (listed,), (found,), (whole, part) = results(last)
    assert "README.md calc.py" in listed["text"]
    assert found["text"] == "calc.py\n1: def add(a, b):"
    assert whole["text"].endswith("lines 1-2 of 2:\ndef add(a, b):\n    return a - b\n")
    assert part["text"] == "README.md, lines 2-2 of 3:\nline 2\n"
    assert not any(one["failed"] for one in (listed, found, whole, part))
    sent, at = last.body.decode(), 0
    for text in (text for one in made for text in one.echoed):
        at = sent.index(text, at) + len(text)
    for one, two in pairwise(cli.requests):  # what was said before is in the vendor's cache
        assert two.body.startswith(one.body[: one.body.index(b"append a line")])
    tools, reasoning = last.json["tools"], ["reasoning.encrypted_content"]
    assert [one.get("strict") for one in tools] == [False] * 3 or model != "gpt"
    assert last.json.get("include") == (reasoning if model == "gpt" else None)
    ids = [one["id"] for step in results(last) for one in step]
    head = {"gpt": "call_", "claude": "toolu_"}.get(model)
    assert ids == [head and f"{head}{n}" for n in ("10", "20", "30", "31")]


@pytest.mark.parametrize("model", VENDORS)
def test_every_request_is_counted_and_logged(cli: CommandLine, model: str):
    explore(cli, model, [LIST], [READ, Call("read_file", {"path": ".env"})])

    (run,) = cli.run_round("append a line", "-m", model).runs

    assert run["attempts"] == 1
    assert run["usage"] == {
        "input_tokens": 3000,
        "cached_input_tokens": 1800,
        "output_tokens": 600,
        "reasoning_tokens": 150,
    }
    cli.reply_with(DIFF, models=[model])
    (plain,) = cli.run_round("append a line", "-m", model, "--no-explore").runs
    assert run["cost_usd"] == pytest.approx(3 * plain["cost_usd"])
    lines = logged(cli, run)
    (listing,) = (line for line in lines if line.startswith("list_files"))
    assert listing.endswith(" bytes")
    assert any(line.startswith("read_file path=calc.py: ") for line in lines)
    (refused,) = (line for line in lines if line.startswith("read_file path=.env: "))
    assert "cannot be shown" in refused


@pytest.mark.parametrize("model", VENDORS)
def test_a_model_that_explores_endlessly_is_stopped(cli: CommandLine, model: str):
    turns = (CALLING[model]([LIST, READ], turn=turn) for turn in range(1, 14))
    cli.script(model, *(Script(turn.events) for turn in turns))

    done = cli.run_round("append a line", "-m", model)

    (run,) = done.runs
    assert (run["status"], run["error"]["code"], done.exit_code) == ("failed", "no_patch", 1)
    assert run["error"]["stage"] == "call"
    assert "24 calls" in run["error"]["message"]
    assert "--no-explore" in run["error"]["hint"]
    assert (len(cli.requests), run["attempts"]) == (13, 1)
    assert run["usage"]["input_tokens"] == 13_000
    closed = [request for request in cli.requests if b'"none"' in request.body.lower()]
    assert closed == cli.requests[-1:]
    assert "This was the last tool call" in results(cli.requests[-1])[-1][-1]["text"]


@pytest.mark.parametrize("model", VENDORS)
def test_a_model_that_answers_at_the_limit_succeeds(cli: CommandLine, model: str):
    explore(cli, model, *([[LIST]] * 12))

    (run,) = cli.run_round("append a line", "-m", model).runs

    assert (run["status"], len(cli.requests)) == ("succeeded", 13)


def test_calls_over_the_limit_are_refused_and_the_others_share_the_room(cli: CommandLine):
    repos.commit(cli.repo, {"long.txt": "a line of many\n" * 20_000})
    explore(cli, "gpt", [Call("read_file", {"path": "long.txt"})] * 60)

    (run,) = cli.run_round("append a line", "-m", "gpt", "--context-budget", "0").runs

    assert run["status"] == "succeeded"
    (given,) = results(cli.requests[1])
    assert len(given) == 60
    assert [one["failed"] for one in given] == [False] * 48 + [True] * 12
    assert 150_000 < sum(len(one["text"]) for one in given[:48]) <= 192_000
    assert "12 further calls were not carried out" in logged(cli, run)


@pytest.mark.parametrize("model", VENDORS)
def test_forbidden_and_outside_paths_are_refused_and_the_run_continues(
    cli: CommandLine, model: str
):
    repos.commit(cli.repo, {".env": "PASSWORD=hunter2\n", "link": repos.Link("/etc/passwd")})
    paths = [".env", "../outside", "/etc/passwd", ".git/config", "link", "x\0y", "nothing"]
    calls = [Call("read_file", {"path": path}) for path in paths]
    others = [Call("search", {"text": "hunter2"}), Call("rm", {}), Call("list_files", {"path": 3})]
    others.append(Call("list_files", {"path": "x"}, '["x"]'))
    others.append(Call("read_file", {"path": "x" * 50_000}))
    explore(cli, model, [*calls, *others])

    (run,) = cli.run_round("append a line", "-m", model).runs

    assert run["status"] == "succeeded"
    (given,) = results(cli.requests[1])
    assert [one["failed"] for one in given] == [True] * 7 + [False] + [True] * 4
    assert all(len(one["text"]) < 2_000 for one in given)
    assert all("PASSWORD" not in request.body.decode() for request in cli.requests)
    assert all("root:" not in one["text"] for one in given)


def test_secrets_stay_local_and_are_restored_in_the_patch(cli: CommandLine):
    settings = f'access = "{AWS}"\nretries = 3\n'
    repos.commit(cli.repo, {"settings.py": settings})

    def answer(request: ReceivedRequest) -> Script:
        (read,), (found,) = results(request)
        name = read["text"].partition('access = "')[2].partition('"')[0]
        assert name in found["text"]
        diff = (
            f'--- a/settings.py\n+++ b/settings.py\n@@ -1,2 +1,2 @@\n access = "{name}"\n'
            "-retries = 3\n+retries = 5\n"
        )
        return Script(WIRES["gpt"](f"Done.\n\n```diff\n{diff}```\n"))

    read, find = Call("read_file", {"path": "settings.py"}), Call("search", {"text": "access"})
    made = [CALLING["gpt"]([call], turn=turn) for turn, call in enumerate((read, find), 1)]
    cli.script("gpt", *(Script(one.events) for one in made), answer)

    (run,) = cli.run_round("more tries", "-m", "gpt", "--context-budget", "0").runs

    assert run["status"] == "succeeded", run["error"]
    assert AWS in run["patch"]
    assert all(AWS not in request.body.decode() for request in cli.requests)


def test_a_repair_keeps_the_results_of_exploration(cli: CommandLine):
    made = CALLING["claude"]([READ])
    wrong, right = make_append_reply("line 4", "line three"), make_append_reply("line 4", "line 3")
    cli.script("claude", Script(made.events), *(Script(WIRES["claude"](t)) for t in (wrong, right)))

    (run,) = cli.run_round("append a line", "-m", "claude").runs

    assert (run["status"], run["attempts"], len(cli.requests)) == ("succeeded", 2, 3)
    assert len(results(cli.requests[2])) == 1
    assert [role for role, _ in turns(cli.requests[2])] == ["user", "assistant"] * 2 + ["user"]
    assert "could not be applied" in turns(cli.requests[2])[-1][1]


def test_a_later_round_explores_the_current_files(cli: CommandLine):
    cli.reply_with(make_append_reply("line 4", "line 3"), models=["gpt"])
    (one,) = cli.run_round("add line 4", "-m", "gpt").runs
    read = Call("read_file", {"path": "README.md", "first_line": 3})
    explore(cli, "claude", [read], answer=make_append_reply("line 5", "line 4"))

    (two,) = cli.run_round("then line 5", "-m", "claude", "--from", one["id"]).runs

    assert two["status"] == "succeeded", two["error"]
    ((seen,),) = results(cli.requests[-1])
    assert seen["text"].endswith("line 3\nline 4\n")


def test_a_call_cut_at_the_output_limit_is_never_carried_out(cli: CommandLine):
    cli.script("claude", Script(tool_streams.messages([READ], reason="max_tokens").events))

    (run,) = cli.run_round("append a line", "-m", "claude").runs

    assert (run["error"]["code"], len(cli.requests)) == ("truncated", 1)
    assert not [line for line in logged(cli, run) if line.startswith("read_file")]


def test_exploration_counts_towards_the_budget(cli: CommandLine):
    prices = '[prices."gpt-6.1-sol"]\ninput = 0\noutput = 1000\n'
    file = cli.home / "config" / "config.toml"
    file.parent.mkdir()
    file.write_text(f"max_output_tokens = 300\n{prices}")
    explore(cli, "gpt", [LIST], [READ], [FIND])

    done = cli.run_round("append a line", "-m", "gpt", "--budget", "0.65")

    (run,) = done.runs
    assert (run["error"]["code"], done.exit_code, len(cli.requests)) == ("budget", 6, 2)
    assert run["cost_usd"] == pytest.approx(0.4)


def test_exploration_counts_towards_the_timeout(cli: CommandLine):
    made = CALLING["gpt"]([LIST])
    cli.script("gpt", Script([0.5, *made.events]), Script([0.6, *WIRES["gpt"](DIFF)]))

    done = cli.run_round("append a line", "-m", "gpt", "--timeout", "0.9")

    (run,) = done.runs
    assert (run["error"]["code"], done.exit_code) == ("timeout", 5)
    assert len(cli.requests) in {1, 2}


def test_a_stream_that_ends_within_a_call_is_retried(cli: CommandLine):
    made = CALLING["gpt"]([LIST], "")
    cut = Script([*made.events[:6], Action.CUT])
    cli.script("gpt", cut, Script(made.events), Script(WIRES["gpt"](DIFF)))

    (run,) = cli.run_round("append a line", "-m", "gpt").runs

    assert (run["status"], len(cli.requests)) == ("succeeded", 3)


def test_a_call_that_gemini_cuts_off_gets_a_hint(cli: CommandLine):
    cli.script("gemini", Script(streams.gemini("", reason="UNEXPECTED_TOOL_CALL")))

    (run,) = cli.run_round("append a line", "-m", "gemini").runs

    assert (run["error"]["code"], len(cli.requests)) == ("provider_error", 1)
    assert "UNEXPECTED_TOOL_CALL" in run["error"]["message"]
    assert "--no-explore" in run["error"]["hint"]


@pytest.mark.parametrize("retries", [1, 0])
def test_a_call_that_gemini_finds_malformed_is_retried(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, retries: int
):
    monkeypatch.setattr("dursor.providers.call.BACKOFF_FIRST", 0.01)
    cli.configure(retries=retries)
    wrong = streams.gemini("", reason="MALFORMED_FUNCTION_CALL")
    scripts = (CALLING["gemini"]([LIST]).events, wrong, WIRES["gemini"](DIFF))
    cli.script("gemini", *map(Script, scripts))

    (run,) = cli.run_round("append a line", "-m", "gemini").runs

    assert len(cli.requests) == 2 + retries
    assert run["usage"]["input_tokens"] == 1000 * len(cli.requests)
    if retries:
        assert run["status"] == "succeeded", run["error"]
        assert cli.requests[2].body == cli.requests[1].body
    else:
        assert run["error"]["code"] == "provider_error"
        assert "MALFORMED_FUNCTION_CALL" in run["error"]["message"]
        assert "--no-explore" in run["error"]["hint"]


def tools_sent(cli: CommandLine) -> bool:
    body = cli.requests[-1].json
    system = body.get("instructions") or body["messages"][0]["content"]
    assert ("list_files" in system) == ("tools" in body)
    return "tools" in body


@pytest.mark.parametrize(
    ("words", "configured", "repository", "explores"),
    [
        ((), None, None, True),
        (("--no-explore",), None, None, False),
        (("--explore",), "off", None, True),
        ((), "off", None, False),
        ((), "on", None, True),
        (("--no-explore",), "on", None, False),
        ((), None, "false", False),
        (("--explore",), "on", "false", False),
        ((), "off", "true", False),
    ],
)
def test_exploration_is_switched_by_option_configuration_and_repository(
    cli: CommandLine,
    words: tuple[str, ...],
    configured: str | None,
    repository: str | None,
    explores: bool,
):
    cli.reply_with(DIFF, models=["gpt"])
    if configured:
        cli.configure(explore=configured)
    if repository:
        repos.commit(cli.repo, {".dursor.toml": f"explore = {repository}\n"})

    assert cli.run_round("append a line", "-m", "gpt", *words).exit_code == 0
    assert tools_sent(cli) == explores


@pytest.mark.parametrize(
    ("words", "configured", "explores"),
    [((), None, False), (("--explore",), None, True), ((), "on", True), ((), "off", False)],
)
def test_custom_servers_get_tools_only_if_asked_for(
    cli: CommandLine, words: tuple[str, ...], configured: str | None, explores: bool
):
    url = f"{cli.server.url}/own/v1"
    cli("models", "add", "own", "--provider", "openai", "--model", "m", "--base-url", url)
    made = tool_streams.chat([READ])
    steps = [Script(made.events)] if explores else []
    cli.server.script("/own/v1/chat", *steps, Script(streams.chat(DIFF)))
    if configured:
        cli.configure(explore=configured)

    (run,) = cli.run_round("append a line", "-m", "own", *words).runs

    assert run["status"] == "succeeded", run["error"]
    assert tools_sent(cli) == explores
    if explores:
        call, result = cli.requests[1].json["messages"][-2:]
        assert call["tool_calls"][0]["function"]["arguments"] == READ.arguments_json
        assert (result["role"], result["tool_call_id"]) == ("tool", "call_10")
        assert "return a - b" in result["content"]


def test_a_worker_explores_too(cli: CommandLine):
    explore(cli, "gpt", [FIND])

    started = cli.run_process("run", "append a line", "-m", "gpt", "--detach", "--json")
    run_id = started.runs[0]["id"]
    done = cli.run_process("run", "watch", run_id, "--json")

    assert done.runs[0]["status"] == "succeeded", done.runs[0]["error"]
    ((found,),) = results(cli.requests[1])
    assert found["text"] == "calc.py\n1: def add(a, b):"


def test_chat_completions_get_tools_only_if_asked_for(cli: CommandLine):
    cli("models", "add", "old", "--provider", "openai", "--model", "m", "--api", "chat")
    cli.server.script("/chat/completions", Script(streams.chat(DIFF)))

    for words, explores in (((), False), (("--explore",), True)):
        assert cli.run_round("append a line", "-m", "old", *words).exit_code == 0
        assert tools_sent(cli) == explores


def test_a_server_without_tools_gives_a_hint(cli: CommandLine):
    error = {"message": "This model does not support tools.", "type": "invalid_request_error"}
    cli.script("gpt", Script.error(400, {"error": error}))

    (run,) = cli.run_round("append a line", "-m", "gpt").runs

    assert run["error"]["code"] == "provider_error"
    assert "--no-explore" in run["error"]["hint"]
