"""Bad input: nothing created, nothing sent, the right exit code, one JSON object, never a traceback."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import repos
from command_line import DIFF, KEYS, CommandLine, Outcome, turns

from dursor.cli.command_tree import RUN


@pytest.fixture
def refused(cli: CommandLine) -> Iterator["Refusal"]:
    """Run commands that must fail; at the end nothing may have been created or sent."""
    yield Refusal(cli)
    assert cli.requests == []
    assert not cli.data.exists()


class Refusal:
    """Runs commands that must fail, with and without --json."""

    def __init__(self, cli: CommandLine) -> None:
        self.cli = cli

    def __call__(
        self, *words: str, code: str = "usage", exit_code: int = 2, **more: Any
    ) -> dict[str, str]:
        """Return the only error of WORDS."""
        done = self.cli(*words, **more)
        at = 1 if words[0] == "run" and words[1] not in RUN else 2
        spoken = self.cli(*words[:at], "--json", *words[at:], **more)
        assert "Traceback" not in done.stdout + done.stderr
        assert (done.exit_code, done.stdout) == (exit_code, ""), (words, done)
        assert spoken.exit_code == exit_code, (words, spoken)
        return find_error(spoken, code)


def find_error(done: Outcome, code: str) -> dict[str, str]:
    """Return the only error in DONE, which is exactly one JSON object."""
    envelope = json.loads(done.stdout)
    assert sorted(envelope) == ["data", "errors", "status", "version"]
    assert (envelope["version"], envelope["status"], envelope["data"]) == (1, "error", None)
    (error,) = envelope["errors"]
    assert sorted(error) == ["code", "hint", "message"]
    assert error["code"] == code, error
    assert error["message"]
    assert "\n" not in error["message"] + (error["hint"] or "")
    return dict(error)


GPT = ("-m", "gpt")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run", "x y", *GPT, "--repo", "nowhere"), "nowhere"),
        (("run", "x y", *GPT, "--base", "nosuchref"), "nosuchref"),
        (("run", "x y", *GPT, "--base", "HEAD:README.md"), "HEAD:README.md"),
        (("run", "x y", *GPT, "--base", "--all"), "--all"),
        (("run", "x y", *GPT, "--base", ""), "is not a valid ref"),
        (("run", "x y", *GPT, "--repo", ""), "empty"),
        (("run", "", *GPT), "empty"),
        (("run", " \n\t", *GPT), "empty"),
        (("run", *GPT), "TEXT is missing"),
        (("run", "lst", *GPT), "'list'"),
        (("run", "retry ", *GPT), "'retry'"),
        (("run", "two", "words", *GPT), "quote it"),
        (("run", "x y", *GPT, "--instruction-file", "none.txt"), "cannot be combined with"),
        (("run", *GPT, "--instruction-file", "none.txt"), "none.txt"),
        (("run", *GPT, "--instruction-file", "."), "cannot read"),
        (("run", "x y"), "no model chosen"),
        (("run", "x y", "-m", ""), "''"),
        (("run", "x y", "-m", "gpt:0"), "'gpt:0'"),
        (("run", "x y", "-m", "gpt:-1"), "'gpt:-1'"),
        (("run", "x y", "-m", "gpt:x"), "'gpt:x'"),
        (("run", "x y", "-m", "gpt:²"), "gpt:"),
        (("run", "x y", *GPT, "--max-files", "0"), "must be at least 1"),
        (("run", "x y", *GPT, "--max-files", "-3"), "-3"),
        (("run", "x y", *GPT, "--max-files", "1.5"), "1.5"),
        (("run", "x y", *GPT, "--budget", "-1"), "-1"),
        (("run", "x y", *GPT, "--budget", "nan"), "nan"),
        (("run", "x y", *GPT, "--budget", "inf"), "inf"),
        (("run", "x y", *GPT, "--budget", "$5"), "$5"),
        (("run", "x y", *GPT, "--timeout", "0"), "above 0"),
        (("run", "x y", *GPT, "--timeout", "-1"), "-1"),
        (("run", "x y", *GPT, "--timeout", "nan"), "nan"),
        (("run", "x y", *GPT, "--jobs", "0"), "must be at least 1"),
        (("run", "x y", *GPT, "--context-budget", "-1"), "-1"),
        (("run", "x y", *GPT, "--context-budget", "9" * 5000), "context-budget"),
        (("run", "x y", *GPT, "--require", "most"), "most"),
        (("run", "x y", *GPT, "--dry-run", "--detach"), "cannot be combined with"),
        (("run", "x y", *GPT, "--file", "../outside.py"), "'../outside.py'"),
        (("run", "x y", *GPT, "--file", "/etc/passwd"), "'/etc/passwd'"),
        (("run", "x y", *GPT, "--file", ""), "''"),
        (("run", "x y", *GPT, "--file", "."), "'.'"),
        (("run", "x y", *GPT, "--nosuch"), "--nosuch"),
        (("run", "x y", "-m"), "-m"),
        (("nosuch",), "nosuch"),
        (("models", "ad"), "'ad'"),
        (("models", "add", "UPPER", "--provider", "openai", "--model", "m"), "UPPER"),
        (("models", "add", "m", "--provider", "nobody", "--model", "m"), "nobody"),
        (("models", "add", "m", "--provider", "google", "--model", "m", "--api", "chat"), "--api"),
        (
            ("models", "add", "m", "--provider", "openai", "--model", "m", "--base-url", "x"),
            "'x'",
        ),
        (("repo", "add", "nowhere"), "nowhere"),
        (("config", "get", "max_file"), "max_file"),
        (("config", "set", "max_files", "many"), "max_files"),
    ],
)
def test_invalid_options_are_a_usage_error(refused: Refusal, words: tuple[str, ...], expected: str):
    error = refused(*words)

    assert expected in error["message"] + str(error["hint"])
    assert error["hint"], error


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("OPENAI_BASE_URL", "nowhere", "OPENAI_BASE_URL: 'nowhere' is not an http(s) URL"),
        ("OPENAI_BASE_URL", "http://x:99999/v1", "OPENAI_BASE_URL"),
        ("OPENAI_BASE_URL", "ftp://me:pw@x", "must not contain a user name"),
        ("DURSOR_TIMEOUT", "soon", "unset DURSOR_TIMEOUT"),
    ],
)
def test_invalid_variables_are_a_usage_error(
    cli: CommandLine, refused: Refusal, name: str, value: str, expected: str
):
    cli.extra[name] = value
    error = refused("run", "x y", *GPT)

    assert expected in f"{error['message']} {error['hint']}"
    assert "pw" not in error["message"]


@pytest.mark.parametrize(
    "words",
    [
        ("run", "x y", "-m", "gpt", "-m", "nosuch"),
        ("run", "x y", *GPT, "--task", "ffffffff"),
        ("run", "x y", *GPT, "--from", "ffffffff"),
        ("run", "show", "ffffffff"),
        ("run", "diff", "ffffffff"),
        ("run", "logs", "ffffffff"),
        ("run", "watch", "ffffffff"),
        ("run", "cancel", "ffffffff"),
        ("run", "retry", "ffffffff"),
        ("run", "apply", "ffffffff"),
        ("run", "compare", "ffffffff", "eeeeeeee"),
        ("run", "list", "--task", "ffffffff"),
        ("task", "show", "ffffffff"),
        ("task", "say", "ffffffff", "hello"),
        ("task", "close", "ffffffff"),
        ("models", "show", "nosuch"),
        ("models", "check", "nosuch"),
        ("models", "remove", "nosuch"),
        ("models", "set-key", "nosuch", "--stdin"),
        ("repo", "show", "nosuch"),
        ("repo", "remove", "nosuch"),
        ("repo", "branches", "nosuch"),
    ],
)
def test_missing_things_are_not_found(refused: Refusal, words: tuple[str, ...]):
    error = refused(*words, code="not_found")

    assert words[-1] in error["message"] or "ffffffff" in error["message"] or "nosuch" in str(error)
    assert error["hint"], error


@pytest.mark.parametrize("word", ["zz", "abc", "g" * 8, "", "-1", "ffff'; DROP TABLE runs; --"])
def test_text_that_cannot_be_an_id_is_not_found(refused: Refusal, word: str):
    done = refused.cli("run", "show", "--json", "--", word)

    assert done.exit_code == 2
    assert json.loads(done.stdout)["errors"][0]["code"] in {"usage", "not_found"}


@pytest.mark.parametrize(
    ("typed", "meant"), [("gtp", "gpt"), ("cluade", "claude"), ("gemni", "gemini")]
)
def test_a_similar_model_name_is_suggested(refused: Refusal, typed: str, meant: str):
    error = refused("run", "x y", "-m", typed, code="not_found")

    assert repr(meant) in error["hint"]


def test_a_round_without_models_lists_those_with_keys(refused: Refusal):
    assert "-m gpt -m claude -m gemini" in refused("run", "x y")["hint"]

    refused.cli.extra |= dict.fromkeys(KEYS, "")
    error = refused("run", "x y")
    assert "no model has a key" in error["message"]
    assert error["hint"].startswith("export OPENAI_API_KEY=")


def test_folders_without_a_commit_are_refused(refused: Refusal, tmp_path: Path):
    plain, empty = tmp_path / "plain", repos.init(tmp_path / "empty")
    plain.mkdir()
    bare = tmp_path / "bare.git"
    repos.git(tmp_path, "init", "-q", "--bare", str(bare))

    for cwd in (plain, empty, bare, empty / ".git"):
        error = refused("run", "x y", *GPT, cwd=cwd)
        assert error["hint"], error
    for folder in (plain, empty, bare):
        refused("run", "x y", *GPT, "--repo", str(folder))
        refused("context", "x y", cwd=folder)
        refused("patch", "-", cwd=folder, input=DIFF)


def test_a_broken_repository_is_one_line(refused: Refusal, tmp_path: Path):
    broken = repos.build(tmp_path / "broken")
    head = repos.git(broken, "rev-parse", "HEAD^{tree}")
    (broken / ".git" / "objects" / head[:2] / head[2:]).unlink()
    lost = tmp_path / "lost"
    lost.mkdir()
    (lost / ".git").write_text("gitdir: /nowhere/at/all\n")

    for cwd in (broken, lost):
        done = refused.cli("run", "x y", *GPT, "--json", cwd=cwd)
        assert done.exit_code in {1, 2}
        assert find_error(done, "internal" if done.exit_code == 1 else "usage")["message"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n", "empty"),
        (b"caf\xe9", "not UTF-8"),
        (b"\xff\xfea\x00", "not UTF-8"),
        (b"a\x00b", "NUL"),
    ],
)
def test_an_instruction_that_is_not_text_is_refused(
    refused: Refusal, tmp_path: Path, data: bytes, expected: str
):
    file = tmp_path / "instruction.txt"
    file.write_bytes(data)

    assert expected in refused("run", *GPT, "--instruction-file", str(file))["message"]
    for words in ((), ("--json",)):
        done = refused.cli("run", "-", *GPT, *words, input=data)
        assert done.exit_code == 2
        assert expected in done.stdout + done.stderr


@pytest.mark.parametrize("way", ["-", "--instruction-file"])
def test_an_instruction_is_decoded(cli: CommandLine, tmp_path: Path, way: str):
    data = "\ufeffappend a líne\r\nat the end\r\n".encode()
    file = tmp_path / "instruction.txt"
    file.write_bytes(data)
    cli.reply_with(DIFF)
    words = ("-",) if way == "-" else (way, str(file))

    (run,) = cli("run", *words, *GPT, "--json", input=data).runs

    assert run["instruction"] == "append a líne\nat the end"
    assert turns(cli.requests[0])[0][1].endswith("append a líne\nat the end")


def test_an_instruction_that_exceeds_the_window_is_not_sent(refused: Refusal, tmp_path: Path):
    file = tmp_path / "huge.txt"
    file.write_text("word " * 2_000_000)

    done = refused.cli("run", *GPT, "--instruction-file", str(file), "--json")

    assert done.exit_code == 2
    assert "exceed the context window of gpt-6.1-sol" in find_error(done, "usage")["message"]


def test_a_word_after_two_dashes_is_sent(cli: CommandLine):
    cli.reply_with(DIFF)

    assert cli("run", *GPT, "--json", "--", "list").exit_code == 0
    assert turns(cli.requests[0])[0][1].endswith("list")


def test_ambiguous_ids_are_refused(cli: CommandLine):
    cli.reply_with(DIFF)
    runs = cli.run_round("append a line", "-m", "gpt:17").runs
    first = next(
        run["id"][:1] for run in runs if sum(one["id"][0] == run["id"][0] for one in runs) > 1
    )

    done = cli("run", "show", first, "--json")

    assert (done.exit_code, done.json["errors"][0]["code"]) == (2, "usage")
