"""What leads every request of a task: the same bytes as long as the base is, for a vendor's cache."""

import json
from typing import Any

import pytest
import repos
from command_line import DIFF, VENDORS, WIRES, CommandLine, make_append_reply, turns
from vendors import tool_streams
from vendors.server import ReceivedRequest, Script

AWS = "AKIAQ4ZTRN7WVK2LMX3P"
NEXT = make_append_reply("line 5", "line 4")


def prefix(request: ReceivedRequest) -> bytes:
    """The bytes of a request up to the conversation."""
    return request.body[: request.body.index(b"# Instruction")]


def now(request: ReceivedRequest) -> str:
    """What stands before the instruction in the last turn."""
    text = turns(request)[-1][1]
    return text[: text.index("# Instruction")]


def big(name: str) -> str:
    """A file of about 2,500 tokens that speaks of NAME."""
    return "".join(f"def {name}_{n}():\n    return {name!r}\n" for n in range(250))


def shows(request: ReceivedRequest, name: str) -> bool:
    """Whether the whole file that speaks of NAME is in REQUEST; parts may fill what room is left."""
    return json.dumps(big(name))[1:-1].encode() in request.body


@pytest.mark.parametrize("model", VENDORS)
@pytest.mark.parametrize("goes_on", ["--from", "--task"])
def test_a_second_round_sends_the_same_beginning_and_tells_what_was_cached(
    cli: CommandLine, model: str, goes_on: str
):
    wire = {
        "gpt": tool_streams.responses,
        "claude": tool_streams.messages,
        "gemini": tool_streams.gemini,
    }[model]
    looks = Script(wire([tool_streams.Call("list_files", {})]).events)
    answers = (DIFF, NEXT if goes_on == "--from" else DIFF)
    cli.script(model, looks, *(Script(WIRES[model](text)) for text in answers))
    (one,) = cli.run_round("append line 4", "-m", model).runs
    words = ("--from", one["id"]) if goes_on == "--from" else ("--task", one["task_id"])

    (two,) = cli.run_round("something quite different", "-m", model, *words).runs

    first, looked, second = cli.requests
    assert b"line 3" in prefix(first)
    assert b'"tools":' in prefix(first)
    assert prefix(second) == prefix(looked) == prefix(first)
    assert turns(second)[0] == turns(first)[0]
    assert two["status"] == "succeeded", two["error"]
    assert two["usage"]["cached_input_tokens"] == 600
    assert "1.0k in (600 cached)" in cli("run", "show", two["id"]).stdout
    for request in cli.requests:
        marked(request, model)
    assert first.json.get("prompt_cache_key") == second.json.get("prompt_cache_key")


def marked(request: ReceivedRequest, model: str) -> None:
    """Fail unless MODEL's vendor is told where what may be cached ends, as it wants to be told."""
    body = request.json
    if model == "gpt":
        context = body["input"][0]["content"][0]
        assert context["prompt_cache_breakpoint"] == {"mode": "explicit"}
        assert request.body.count(b"prompt_cache_breakpoint") == 1
        assert body["prompt_cache_key"]
    elif model == "claude":
        context, asked = body["messages"][0]["content"][:1], body["messages"][-1]["content"]
        marks = [*body["system"], *context, asked[-1]]
        assert [one.get("cache_control") for one in marks] == [{"type": "ephemeral"}] * 3
    else:
        assert b"cache" not in request.body  # what begins alike is found without a mark


def test_it_is_the_first_round_s_choice_whatever_the_next_ones_ask(cli: CommandLine):
    files = {f"{name}.py": big(name) for name in ("apple", "pear", "plum", "quince")}
    repos.commit(cli.repo, files)
    cli.reply_with("No change is needed.", models=["gpt"])
    words = ("-m", "gpt", "--context-budget", "6000")
    (one,) = cli.run_round("mend the apple and the pear", *words).runs
    task = ("--task", one["task_id"])

    for text in ("mend the plum", "mend the quince", "mend the apple"):
        cli.run_round(text, *words, *task)
    cli.run_round("mend the plum", *words)

    first, *later, other = cli.requests
    assert shows(first, "apple")
    assert not shows(first, "plum")
    assert [prefix(request) == prefix(first) for request in later] == [True] * 3
    assert prefix(other) != prefix(first)


def test_what_is_new_stands_beside_the_instruction_within_the_budget(cli: CommandLine):
    repos.commit(cli.repo, {f"{name}.py": big(name) for name in ("apple", "pear", "plum")})
    cli.reply_with("No change is needed.", models=["gpt"])
    (one,) = cli.run_round("mend the apple", "-m", "gpt", "--context-budget", "3000").runs

    words = ("-m", "gpt", "--task", one["task_id"], "--context-budget", "6000")
    (two,) = cli.run_round("mend the plum", *words).runs

    first, second = cli.requests
    assert prefix(second) == prefix(first)
    assert shows(second, "apple")
    assert shows(second, "plum")
    assert "def plum_1()" in now(second)
    assert "def apple_1()" not in now(second)
    assert not shows(second, "pear")
    shown = cli("run", "show", two["id"], "--context", "--json").data["context"]
    paths = [file["path"] for file in shown]
    assert {"apple.py", "plum.py"} <= set(paths)
    assert sum(file["tokens"] for file in shown) <= 6000


def test_files_stand_beside_the_instruction_as_they_are_now(cli: CommandLine):
    repos.commit(cli.repo, {"old.txt": "old\n", "gone.txt": "gone\n", "large.txt": big("large")})
    diff = (
        "--- a/README.md\n+++ b/README.md\n@@ -3 +3,2 @@\n line 3\n+line 4\n"
        "--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+new\n"
        "diff --git a/old.txt b/moved.txt\nrename from old.txt\nrename to moved.txt\n"
        "--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n"
    )
    cli.reply_with(f"Done.\n\n```diff\n{diff}```\n", NEXT, models=["claude"])
    (one,) = cli.run_round("change much", "-m", "claude").runs

    (two,) = cli.run_round("and line 5", "-m", "claude", "--from", one["id"]).runs

    first, second = cli.requests
    assert two["status"] == "succeeded", two["error"]
    assert prefix(second) == prefix(first)
    shown = now(second)
    assert "## README.md\n```\nline 1\nline 2\nline 3\nline 4\n```" in shown
    assert "## new.txt\n```\nnew\n```" in shown
    assert "## moved.txt\n```\nold\n```" in shown
    assert "Deleted or moved: " in shown
    assert "gone.txt" in shown
    assert "large_1" not in shown


def test_a_large_file_is_shown_around_its_change_or_named(cli: CommandLine):
    large = "".join(f"line {n} of the large file\n" for n in range(3000))
    wide = "x" * 40_000 + "\n"
    repos.commit(cli.repo, {"large.txt": large, "wide.txt": wide})
    diff = (
        "--- a/large.txt\n+++ b/large.txt\n@@ -1500,3 +1500,3 @@\n line 1499 of the large file\n"
        "-line 1500 of the large file\n+changed\n line 1501 of the large file\n"
        "--- a/wide.txt\n+++ b/wide.txt\n@@ -1 +1,2 @@\n " + wide + "+end\n"
    )
    cli.reply_with(
        f"Done.\n\n```diff\n{diff}```\n", make_append_reply("line 4", "line 3"), models=["gpt"]
    )
    (one,) = cli.run_round("change large.txt", "-m", "gpt").runs
    assert one["status"] == "succeeded", one["error"]

    cli.run_round("go on", "-m", "gpt", "--from", one["id"])

    shown = now(cli.requests[1])
    assert "## large.txt (excerpts)\nlines 1481-1521:\n```\nline 1480 of" in shown
    assert "changed\n" in shown
    assert "line 1400 of" not in shown
    assert "too large to show again: wide.txt" in shown


def test_secrets_have_the_same_stand_ins_in_every_process(cli: CommandLine):
    repos.commit(cli.repo, {"settings.py": f'access = "{AWS}"\n'})
    cli.reply_with(DIFF, NEXT, models=["gpt"])

    one = cli.run_process("run", "append line 4", "-m", "gpt", "--json").runs[0]
    two = cli.run_process("run", "go on", "-m", "gpt", "--from", one["id"], "--json").runs[0]

    first, second = cli.requests
    assert two["status"] == "succeeded", two["error"]
    assert b"DURSOR_SECRET_" in prefix(first)
    assert prefix(second) == prefix(first)
    assert all(AWS not in request.body.decode() for request in cli.requests)
    key = cli.data / "placeholder.key"
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_a_later_file_tells_of_changes_no_beginning(cli: CommandLine):
    password = 'password = "zX7kQ2vR9pLm4w"\n'
    repos.commit(cli.repo, {"tests/t.py": password, "settings.py": password + big("pear")})
    cli.reply_with("No change is needed.", models=["gpt"])
    (one,) = cli.run_round("look", "-m", "gpt", "--context-budget", "1000").runs

    words = ("--task", one["task_id"], "--file", "settings.py")
    cli.run_round("look", "-m", "gpt", *words)

    first, second = cli.requests
    assert prefix(second) == prefix(first)
    assert "DURSOR_SECRET_" in now(second)
    assert "zX7kQ2vR9pLm4w" not in now(second)


@pytest.mark.parametrize("dirty", [False, True])
def test_another_base_has_a_beginning_of_its_own(cli: CommandLine, dirty: bool):
    repos.commit(cli.repo, {"apple.py": big("apple"), "pear.py": big("pear")})
    cli.reply_with("No change is needed.", models=["gpt"])
    words = ["-m", "gpt", "--context-budget", "3000", *(["--dirty"] if dirty else [])]
    repos.write(cli.repo, {"calc.py": "def add(): ...\n"})
    (one,) = cli.run_round("mend the apple and calc.py", *words).runs
    repos.write(cli.repo, {"calc.py": "def moved_on(): ...\n"})
    if not dirty:
        repos.commit(cli.repo)

    cli.run_round("mend the pear and calc.py", *words, "--task", one["task_id"])

    first, second = cli.requests
    assert shows(first, "apple")
    assert not shows(second, "apple")
    assert shows(second, "pear")
    assert b"moved_on" in prefix(second)
    assert b"moved_on" not in first.body


@pytest.mark.parametrize("why", ["forbidden", "budget", "pinned"])
def test_what_cannot_be_shown_again_is_chosen_anew(cli: CommandLine, why: str):
    repos.commit(cli.repo, {"apple.py": big("apple"), "pear.py": big("pear")})
    cli.reply_with("No change is needed.", models=["gpt"])
    (one,) = cli.run_round("mend the apple", "-m", "gpt", "--context-budget", "3000").runs
    words = ["-m", "gpt", "--task", one["task_id"], "--context-budget", "3000"]
    if why == "forbidden":
        cli.configure(forbidden_paths="apple.py")
    elif why == "budget":
        words[-1] = "300"
    else:
        words += ["--file", "pear.py"]

    (two,) = cli.run_round("mend it", *words).runs

    first, second = cli.requests
    assert two["error"]["code"] == "no_patch"
    assert shows(first, "apple")
    assert not shows(second, "apple")
    assert shows(second, "pear") == (why in {"pinned", "forbidden"})


def test_a_changed_file_may_be_pinned(cli: CommandLine):
    cli.reply_with(DIFF, NEXT, models=["gpt"])
    (one,) = cli.run_round("append line 4", "-m", "gpt").runs

    cli.run_round("go on", "-m", "gpt", "--from", one["id"], "--file", "README.md")

    first, second = cli.requests
    assert prefix(second) == prefix(first)
    assert now(second).count("line 4") == 1


def test_retrying_repeats_the_request_of_any_round(cli: CommandLine):
    cli.reply_with(DIFF, NEXT, DIFF, NEXT, models=["gpt"])
    (one,) = cli.run_round("append line 4", "-m", "gpt").runs
    (two,) = cli.run_round("go on", "-m", "gpt", "--from", one["id"]).runs

    for run in (one, two):
        cli("run", "retry", run["id"])

    bodies = [request.body for request in cli.requests]
    assert bodies[2:] == bodies[:2]


def test_what_a_small_window_has_no_room_for_is_said(cli: CommandLine):
    wide: dict[str, Any] = {f"{name}.txt": f"{name} " * 50_000 for name in ("apple", "plums")}
    repos.commit(cli.repo, wide)
    for name, model in (("small", "gpt-5.3"), ("large", "gpt-5.4")):
        cli("models", "add", name, "--provider", "openai", "--model", model)
    cli.reply_with(DIFF, models=["gpt"])
    words = ("-m", "small", "-m", "large", "--context-budget", "200000")

    planned = cli("run", "append line 4", *words, "--dry-run")
    done = cli.run_round("append line 4", *words)

    small, large = done.runs
    (warning,) = small["warnings"]
    assert warning == "files that do not fit the context window of gpt-5.3: plums.txt"
    assert planned.stderr == f"warning: {warning}\n"
    assert large["warnings"] == []
    sent = {request.json["model"]: request.body for request in cli.requests}
    assert b"apple apple" in sent["gpt-5.3"]
    assert b"plums plums" not in sent["gpt-5.3"]
    assert b"plums.txt" in sent["gpt-5.3"]
    assert b"plums plums" in sent["gpt-5.4"]
    assert len(json.dumps(sent["gpt-5.3"].decode())) / 3 < 128_000 - 16_384
