"""Broken surroundings: configuration, data folder, database, git, environment."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import repos
from command_line import DIFF, CommandLine, Outcome

GPT = ("-m", "gpt")


def refused(cli: CommandLine, code: str, *words: str, real: bool = False) -> dict[str, str]:
    """Return the only error of WORDS (default: a round), which sends nothing."""
    words = words or ("run", "append a line", *GPT)
    run = cli.run_process if real else cli
    plain, spoken = run(*words), run(*words, "--json")
    exit_code = {"usage": 2, "internal": 1, "policy": 7, "not_found": 2}[code]
    assert (plain.exit_code, spoken.exit_code) == (exit_code, exit_code), (plain, spoken)
    for done in (plain, spoken):
        assert "Traceback" not in done.stdout + done.stderr
    assert plain.stdout == ""
    assert plain.stderr.startswith("error: ")
    assert plain.stderr.count("\n") <= 2, plain.stderr
    return only_error(spoken, code)


def only_error(done: Outcome, code: str) -> dict[str, str]:
    envelope = json.loads(done.stdout)
    assert (envelope["version"], envelope["status"], envelope["data"]) == (1, "error", None)
    (error,) = envelope["errors"]
    assert error["code"] == code, error
    assert "\n" not in error["message"]
    return dict(error)


def configured(cli: CommandLine, data: bytes) -> Path:
    file = cli.home / "config" / "config.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    return file


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"max_files = [", "is not valid TOML"),
        (b"\xff\xfe", "UTF-8"),
        (b"max_files = 'many'", "max_files"),
        (b"timeout = -1", "timeout"),
        (b"timeout = nan", "timeout"),
        (b"budget_usd = '-5'", "budget_usd"),
        (b"models = 3", "models"),
        (b"prices = 3", "prices"),
        (b"[prices.x]\ninput = 'free'", "prices"),
        (b"a = " + b"[" * 5000, "is not valid TOML"),
    ],
)
def test_a_broken_configuration_names_its_file(cli: CommandLine, data: bytes, expected: str):
    file = configured(cli, data)

    error = refused(cli, "usage", "run", "append a line", *([] if b"models" in data else GPT))

    assert expected in error["message"]
    assert str(file) in error["message"]
    assert error["hint"]
    assert cli.requests == []
    assert not (cli.data / "dursor.db").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_FILES", "0"),
        ("TIMEOUT", "soon"),
        ("TIMEOUT", "nan"),
        ("RETRIES", "-1"),
        ("BUDGET_USD", "much"),
        ("KEY_STORE", "paper"),
        ("JOBS", "1e3"),
        ("REQUIRE", "most"),
    ],
)
def test_a_bad_variable_is_named(cli: CommandLine, name: str, value: str):
    cli.extra[f"DURSOR_{name}"] = value
    if name == "KEY_STORE":
        words = ("models", "set-key", "gpt", "--stdin", "--json")
        error = only_error(cli(*words, input="sk-some-key-1234"), "usage")
    else:
        error = refused(cli, "usage")

    assert f"DURSOR_{name}" in error["message"]
    assert value in error["message"]
    assert cli.requests == []


def test_an_unknown_setting_is_ignored(cli: CommandLine):
    configured(cli, b"max_file = 3\n")
    cli.reply_with(DIFF)

    assert cli.run_round("append a line", *GPT).exit_code == 0


def damaged(path: Path) -> None:
    path.write_bytes(b"this is not a database, whatever its name says\n" * 100)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 4096 + 100])


def newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [(damaged, "is not a database"), (truncated, ""), (newer, "newer dursor"), (folder, "")],
)
def test_a_damaged_database_is_one_line(
    cli: CommandLine, spoil: Callable[[Path], None], expected: str
):
    cli.reply_with(DIFF)
    cli.run_round("append a line", *GPT)
    database, sent = cli.data / "dursor.db", len(cli.requests)
    for beside in cli.data.glob("dursor.db-*"):
        beside.unlink()
    spoil(database)

    for words in (("run", "append a line", *GPT), ("run", "list"), ("task", "list")):
        error = refused(cli, "internal", *words)
        assert str(database) in error["message"]
        assert expected in error["message"]
        assert error["hint"]
    assert len(cli.requests) == sent


def test_a_data_folder_that_cannot_be_created_is_one_line(cli: CommandLine):
    (cli.home / "file").write_text("in the way\n")
    cli.extra["DURSOR_DATA_DIR"] = str(cli.home / "file" / "data")

    error = refused(cli, "internal")

    assert str(cli.home / "file") in error["message"]
    assert cli("run", "list", "--json").data["items"] == []
    assert cli.requests == []


@pytest.mark.parametrize("name", ["data/leases", "data/keys.json", "config/config.toml"])
def test_an_unexpected_file_in_the_data_folder_is_one_line(cli: CommandLine, name: str):
    path = cli.home / name
    path.parent.mkdir()
    if name == "data/leases":
        path.write_text("in the way\n")
    else:
        path.mkdir()
    cli.extra["DURSOR_ENCRYPTION_KEY"] = "pass phrase"
    words = ("models", "set-key", "gpt", "--stdin") if "keys" in name else ("run", "x y", *GPT)

    error = only_error(cli(*words, "--json", input="sk-some-key-1234"), "internal")

    assert str(path) in error["message"]
    assert error["hint"].startswith("ls ")
    assert cli.requests == []


def test_a_data_folder_that_cannot_be_written_is_one_line(cli: CommandLine):
    cli.reply_with(DIFF)
    cli.run_round("append a line", *GPT)
    files = [cli.data, *cli.data.rglob("*")]
    for path in files:
        path.chmod(0o500 if path.is_dir() else 0o400)
    may = os.access(cli.data / "dursor.db", os.W_OK)  # root may write all the same
    try:
        listed = cli("run", "list", "--json")
        if not may:
            assert str(cli.data) in refused(cli, "internal")["message"]
    finally:
        for path in files:
            path.chmod(0o700 if path.is_dir() else 0o600)

    assert len(listed.data["items"]) == 1


def test_a_missing_git_is_reported(cli: CommandLine):
    empty = cli.home / "empty"
    empty.mkdir()
    cli.extra["PATH"] = str(empty)

    error = refused(cli, "usage", real=True)

    assert "git is not installed" in error["message"]
    assert "git" in error["hint"]
    assert cli.requests == []


def test_a_text_that_is_not_utf_8_is_refused(cli: CommandLine):
    done = subprocess.run(
        [sys.executable, "-m", "dursor", "run", b"caf\xe9 au lait", *GPT, "--json"],
        env=cli.env,
        cwd=cli.repo,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 2
    assert "not UTF-8" in json.loads(done.stdout)["errors"][0]["message"]
    assert b"Traceback" not in done.stderr
    assert cli.requests == []


def test_closed_standard_streams_break_nothing(cli: CommandLine):
    cli.reply_with(DIFF)
    command = f"exec {sys.executable} -m dursor"

    for line, exit_code in (
        (f"{command} run - -m gpt <&-", 2),
        (f"{command} run 'append a line' -m gpt <&- 2>&-", 0),
        (f"{command} run 'append a line' -m gpt >&- 2>&-", None),
        (f"{command} run list >&- 2>&-", None),
    ):
        done = subprocess.run(
            ["sh", "-c", line], env=cli.env, cwd=cli.repo, capture_output=True, check=False
        )
        assert b"Traceback" not in done.stdout + done.stderr
        assert exit_code is None or done.returncode == exit_code, (line, done)


def test_a_deleted_folder_is_reported(cli: CommandLine):
    gone = cli.home / "gone"
    line = f"mkdir {gone} && cd {gone} && rmdir {gone} && exec {sys.executable} -m dursor run list"
    done = subprocess.run(
        ["sh", "-c", line], env=cli.env, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "no longer exists" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bare_repository_works_but_cannot_be_changed(cli: CommandLine):
    bare = cli.home / "bare.git"
    repos.git(cli.repo, "clone", "-q", "--bare", ".", str(bare))
    cli.reply_with(DIFF)

    done = cli("run", "append a line", *GPT, "--json", cwd=bare)
    dirty = cli("run", "append a line", *GPT, "--dirty", "--json", cwd=bare)
    applied = cli("run", "apply", done.runs[0]["id"], "--json", cwd=bare)

    assert (done.exit_code, dirty.exit_code, applied.exit_code) == (0, 2, 2)
    assert only_error(applied, "usage")["message"]


def test_a_model_without_a_server_is_one_line(cli: CommandLine):
    words = ("--provider", "openai", "--model", "m", "--base-url")
    cli("models", "add", "nobody", *words, "http://127.0.0.1:9/v1")
    cli.configure(retries=0, connect_timeout=1)

    done = cli.run_round("append a line", "-m", "nobody")

    assert (done.exit_code, done.runs[0]["error"]["code"]) == (5, "network")
    assert "127.0.0.1" in done.runs[0]["error"]["message"]
