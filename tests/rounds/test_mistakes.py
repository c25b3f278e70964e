"""Mistakes in commands, and their error messages."""

import pytest
import repos
from command_line import CommandLine


@pytest.mark.parametrize(
    "words",
    [
        ("run", "list", "--limit", "9" * 20),
        ("task", "list", "--limit", "9" * 30),
        ("run", "x y", "-m", "gpt", "--max-files", "9" * 20),
        ("context", "x y", "--context-budget", "9" * 20),
        (
            "models",
            "add",
            "x",
            "--provider",
            "openai",
            "--model",
            "m",
            "--max-output-tokens",
            "9" * 20,
        ),
    ],
)
def test_a_number_that_is_too_large(cli: CommandLine, words: tuple[str, ...]):
    done = cli(*words, "--json")
    assert done.exit_code == 2
    assert done.json["errors"][0]["code"] == "usage"
    assert "must be at most 1000000000000" in done.json["errors"][0]["message"]


@pytest.mark.parametrize("name", ["", "  ", "a b", "a\x07"])
def test_an_invalid_model_name(cli: CommandLine, name: str):
    done = cli("models", "add", "x", "--provider", "openai", "--model", name, "--json")
    assert (done.exit_code, done.json["errors"][0]["code"]) == (2, "usage")
    assert [one["name"] for one in cli("models", "list", "--json").data["items"]] == [
        "gpt",
        "claude",
        "gemini",
    ]


def test_a_file_that_is_not_a_key(cli: CommandLine):
    cli.extra["DURSOR_ENCRYPTION_KEY"] = "open sesame"
    done = cli("models", "set-key", "gpt", "--stdin", "--json", input="k" * (8 * 1024 + 1))
    assert (done.exit_code, done.json["errors"][0]["code"]) == (2, "usage")
    assert "larger than 8 KiB" in done.json["errors"][0]["message"]
    assert cli("models", "set-key", "gpt", "--stdin", input="k" * 200).exit_code == 0


@pytest.mark.parametrize("value", ["gpt,claud", "gpt claud:2", "claud"])
def test_a_default_model_that_does_not_exist(cli: CommandLine, value: str):
    done = cli("config", "set", "models", value, "--json")
    assert done.exit_code == 2
    assert done.json["errors"][0]["message"] == "model 'claud' does not exist"
    assert done.json["errors"][0]["hint"] == "did you mean 'claude'?"
    assert cli("config", "get", "models", "--json").data["value"] == []
    assert cli("config", "set", "models", "gpt,claude:2").exit_code == 0


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (".git/config", "git ls-files"),
        ("my keys/a[1].key", "--allow-path 'my keys/a[[]1].key'"),
    ],
)
def test_a_file_that_may_not_be_sent_gives_a_useful_hint(cli: CommandLine, path: str, hint: str):
    done = cli("context", "x y", "--file", path, "--json")
    assert done.exit_code == 7
    assert done.json["errors"][0]["hint"] == hint


@pytest.mark.parametrize("path", ["../x", "/etc/passwd"])
def test_no_option_allows_a_file_outside(cli: CommandLine, path: str):
    for command in (("context", "x y"), ("run", "x y", "-m", "gpt")):
        done = cli(*command, "--file", path, "--json")
        assert done.exit_code in {2, 7}
        assert "--allow-path" not in done.stdout


def test_a_failed_merge_is_not_suggested_again(cli: CommandLine):
    cli.reply_with(
        "Done.\n\n```diff\n--- a/README.md\n+++ b/README.md\n@@ -2 +2 @@\n-line 2\n+two\n```\n"
    )
    run = cli.run_round("change it", "-m", "gpt").runs[0]["id"][:8]
    (cli.repo / "README.md").write_text("line 1\nmine\nline 3\n")

    plain = cli("run", "apply", run, "--json").json["errors"][0]
    merged = cli("run", "apply", run, "--3way", "--json").json["errors"][0]
    assert (plain["code"], plain["hint"]) == ("conflict", f"dursor run apply {run} --3way")
    assert merged["code"] == "conflict"
    advice = f"git stash && dursor run apply {run}, or dursor run TEXT -m gpt"
    assert merged["hint"] == advice


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (
            "mend src/claculator.py",
            "src/claculator.py does not exist; did you mean src/calculator.py?",
        ),
        ("mend Calculater.py:3", "Calculater.py does not exist; did you mean src/calculator.py?"),
        ("mend lib/calculater.py", None),
        ("mend it\n\nas in calculater.py", None),
        ("mend calculator.py", None),
        ("write src/calculator2.py like it", None),
        ("call calculator.add(1), see https://a.io/calculater.py, not REDME.md.old", None),
        ("write an utterly.py new", None),
    ],
)
def test_a_misspelled_path_in_an_instruction(cli: CommandLine, text: str, warning: str | None):
    repos.commit(cli.repo, {"src/calculator.py": "x = 1\n"})
    for form in ((), ("--json",)):
        done = cli("context", text, *form)
        assert done.exit_code == 0
        assert warning is None or warning in done.stderr
        assert ("does not exist" in done.stderr) == (warning is not None)
