"""The start of all requests of a task: equal bytes on an equal base, for the vendor's cache."""

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
    """Return the bytes of a request up to the conversation."""
    return request.body[: request.body.index(b"# Instruction")]


def find_now(request: ReceivedRequest) -> str:
    """Return the text before the instruction in the last turn."""
    text = turns(request)[-1][1]
    return text[: text.index("# Instruction")]


def make_file(name: str) -> str:
    """Return a file of about 2,500 tokens that mentions NAME."""
    return "".join(f"def {name}_{n}():\n    return {name!r}\n" for n in range(250))


def contains_file(request: ReceivedRequest, name: str) -> bool:
    """Return whether REQUEST contains the whole file that mentions NAME."""
    return json.dumps(make_file(name))[1:-1].encode() in request.body


@pytest.mark.parametrize("model", VENDORS)
@pytest.mark.parametrize("goes_on", ["--from", "--task"])
def test_a_second_round_sends_the_same_prefix_and_reports_cached_tokens(
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
    (run_1,) = cli.run_round("append line 4", "-m", model).runs
    words = ("--from", run_1["id"]) if goes_on == "--from" else ("--task", run_1["task_id"])

    (run_2,) = cli.run_round("something quite different", "-m", model, *words).runs

    first, looked, second = cli.requests
    assert b"line 3" in prefix(first)
    assert b'"tools":' in prefix(first)
    assert prefix(second) == prefix(looked) == prefix(first)
    assert turns(second)[0] == turns(first)[0]
    assert run_2["status"] == "succeeded", run_2["error"]
    assert run_2["usage"]["cached_input_tokens"] == 600
    assert "1.0k in (600 cached)" in cli("run", "show", run_2["id"]).stdout
    for request in cli.requests:
        assert_marked(request, model)
    assert first.json.get("prompt_cache_key") == second.json.get("prompt_cache_key")


def assert_marked(request: ReceivedRequest, model: str) -> None:
    """Fail unless the request marks the end of the cacheable part in the vendor's format."""
    body = request.json
    if model == "gpt":
        context = body["input"][0]["content"][0]
        assert context["prompt_cache_breakpoint"] == {"mode": "explicit"}
        assert request.body.count(b"prompt_cache_breakpoint") == 1
        assert body["prompt_cache_key"]
    elif model == "claude":
        context, asked = body["messages"][0]["content"][:1], body["messages"][-1]["content"]
        marks = [*body["system"], *context, asked[-1]]
        assert [mark.get("cache_control") for mark in marks] == [{"type": "ephemeral"}] * 3
    else:
        assert b"cache" not in request.body  # what begins alike is found without a mark


def test_the_prefix_is_selected_by_the_first_round(cli: CommandLine):
    files = {f"{name}.py": make_file(name) for name in ("apple", "pear", "plum", "quince")}
    repos.commit(cli.repo, files)
    cli.reply_with("No change is needed.", models=["gpt"])
    words = ("-m", "gpt", "--context-budget", "6000")
    (run_1,) = cli.run_round("mend the apple and the pear", *words).runs
    task = ("--task", run_1["task_id"])

    for text in ("mend the plum", "mend the quince", "mend the apple"):
        cli.run_round(text, *words, *task)
    cli.run_round("mend the plum", *words)

    first, *later, other = cli.requests
    assert contains_file(first, "apple")
    assert not contains_file(first, "plum")
    assert [prefix(request) == prefix(first) for request in later] == [True] * 3
    assert prefix(other) != prefix(first)


def test_new_files_precede_the_instruction_within_the_budget(cli: CommandLine):
    repos.commit(cli.repo, {f"{name}.py": make_file(name) for name in ("apple", "pear", "plum")})
    cli.reply_with("No change is needed.", models=["gpt"])
    (run_1,) = cli.run_round("mend the apple", "-m", "gpt", "--context-budget", "3000").runs

    words = ("-m", "gpt", "--task", run_1["task_id"], "--context-budget", "6000")
    (run_2,) = cli.run_round("mend the plum", *words).runs

    first, second = cli.requests
    assert prefix(second) == prefix(first)
    assert contains_file(second, "apple")
    assert contains_file(second, "plum")
    assert "def plum_1()" in find_now(second)
    assert "def apple_1()" not in find_now(second)
    assert not contains_file(second, "pear")
    shown = cli("run", "show", run_2["id"], "--context", "--json").data["context"]
    paths = [file["path"] for file in shown]
    assert {"apple.py", "plum.py"} <= set(paths)
    assert sum(file["tokens"] for file in shown) <= 6000


def test_changed_files_precede_the_instruction(cli: CommandLine):
    repos.commit(
        cli.repo, {"old.txt": "old\n", "gone.txt": "gone\n", "large.txt": make_file("large")}
    )
    diff = (
        "--- a/README.md\n+++ b/README.md\n@@ -3 +3,2 @@\n line 3\n+line 4\n"
        "--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+new\n"
        "diff --git a/old.txt b/moved.txt\nrename from old.txt\nrename to moved.txt\n"
        "--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n"
    )
    cli.reply_with(f"Done.\n\n```diff\n{diff}```\n", NEXT, models=["claude"])
    (run_1,) = cli.run_round("change much", "-m", "claude").runs

    (run_2,) = cli.run_round("and line 5", "-m", "claude", "--from", run_1["id"]).runs

    first, second = cli.requests
    assert run_2["status"] == "succeeded", run_2["error"]
    assert prefix(second) == prefix(first)
    shown = find_now(second)
    assert "## README.md\n```\nline 1\nline 2\nline 3\nline 4\n```" in shown
    assert "## new.txt\n```\nnew\n```" in shown
    assert "## moved.txt\n```\nold\n```" in shown
    assert "Deleted or moved: " in shown
    assert "gone.txt" in shown
    assert "large_1" not in shown


def test_a_large_changed_file_is_an_excerpt_or_only_named(cli: CommandLine):
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
    (run_1,) = cli.run_round("change large.txt", "-m", "gpt").runs
    assert run_1["status"] == "succeeded", run_1["error"]

    cli.run_round("go on", "-m", "gpt", "--from", run_1["id"])

    shown = find_now(cli.requests[1])
    assert "## large.txt (excerpts)\nlines 1481-1521:\n```\nline 1480 of" in shown
    assert "changed\n" in shown
    assert "line 1400 of" not in shown
    assert "too large to show again: wide.txt" in shown


def test_secrets_have_the_same_placeholders_in_every_process(cli: CommandLine):
    repos.commit(cli.repo, {"settings.py": f'access = "{AWS}"\n'})
    cli.reply_with(DIFF, NEXT, models=["gpt"])

    run_1 = cli.run_process("run", "append line 4", "-m", "gpt", "--json").runs[0]
    run_2 = cli.run_process("run", "go on", "-m", "gpt", "--from", run_1["id"], "--json").runs[0]

    first, second = cli.requests
    assert run_2["status"] == "succeeded", run_2["error"]
    assert b"DURSOR_SECRET_" in prefix(first)
    assert prefix(second) == prefix(first)
    assert all(AWS not in request.body.decode() for request in cli.requests)
    key = cli.data / "placeholder.key"
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_secret_found_later_does_not_change_the_prefix(cli: CommandLine):
    password = 'password = "zX7kQ2vR9pLm4w"\n'
    repos.commit(cli.repo, {"tests/t.py": password, "settings.py": password + make_file("pear")})
    cli.reply_with("No change is needed.", models=["gpt"])
    (run_1,) = cli.run_round("look", "-m", "gpt", "--context-budget", "1000").runs

    words = ("--task", run_1["task_id"], "--file", "settings.py")
    cli.run_round("look", "-m", "gpt", *words)

    first, second = cli.requests
    assert prefix(second) == prefix(first)
    assert "DURSOR_SECRET_" in find_now(second)
    assert "zX7kQ2vR9pLm4w" not in find_now(second)


@pytest.mark.parametrize("dirty", [False, True])
def test_another_base_has_another_prefix(cli: CommandLine, dirty: bool):
    repos.commit(cli.repo, {"apple.py": make_file("apple"), "pear.py": make_file("pear")})
    cli.reply_with("No change is needed.", models=["gpt"])
    words = ["-m", "gpt", "--context-budget", "3000", *(["--dirty"] if dirty else [])]
    repos.write(cli.repo, {"calc.py": "def add(): ...\n"})
    (run_1,) = cli.run_round("mend the apple and calc.py", *words).runs
    repos.write(cli.repo, {"calc.py": "def moved_on(): ...\n"})
    if not dirty:
        repos.commit(cli.repo)

    cli.run_round("mend the pear and calc.py", *words, "--task", run_1["task_id"])

    first, second = cli.requests
    assert contains_file(first, "apple")
    assert not contains_file(second, "apple")
    assert contains_file(second, "pear")
    assert b"moved_on" in prefix(second)
    assert b"moved_on" not in first.body


@pytest.mark.parametrize("why", ["forbidden", "budget", "pinned"])
def test_a_missing_file_starts_a_new_selection(cli: CommandLine, why: str):
    repos.commit(cli.repo, {"apple.py": make_file("apple"), "pear.py": make_file("pear")})
    cli.reply_with("No change is needed.", models=["gpt"])
    (run_1,) = cli.run_round("mend the apple", "-m", "gpt", "--context-budget", "3000").runs
    words = ["-m", "gpt", "--task", run_1["task_id"], "--context-budget", "3000"]
    if why == "forbidden":
        cli.configure(forbidden_paths="apple.py")
    elif why == "budget":
        words[-1] = "300"
    else:
        words += ["--file", "pear.py"]

    (run_2,) = cli.run_round("mend it", *words).runs

    first, second = cli.requests
    assert run_2["error"]["code"] == "no_patch"
    assert contains_file(first, "apple")
    assert not contains_file(second, "apple")
    assert contains_file(second, "pear") == (why in {"pinned", "forbidden"})


def test_a_changed_file_may_be_pinned(cli: CommandLine):
    cli.reply_with(DIFF, NEXT, models=["gpt"])
    (run_1,) = cli.run_round("append line 4", "-m", "gpt").runs

    cli.run_round("go on", "-m", "gpt", "--from", run_1["id"], "--file", "README.md")

    first, second = cli.requests
    assert prefix(second) == prefix(first)
    assert find_now(second).count("line 4") == 1


def test_a_retry_repeats_the_request_of_any_round(cli: CommandLine):
    cli.reply_with(DIFF, NEXT, DIFF, NEXT, models=["gpt"])
    (run_1,) = cli.run_round("append line 4", "-m", "gpt").runs
    (run_2,) = cli.run_round("go on", "-m", "gpt", "--from", run_1["id"]).runs

    for run in (run_1, run_2):
        cli("run", "retry", run["id"])

    bodies = [request.body for request in cli.requests]
    assert bodies[2:] == bodies[:2]


def test_files_that_do_not_fit_a_small_window_are_named(cli: CommandLine):
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
