"""What lies around a command and is broken: configuration, data folder, database, git, environment."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import repos
from front import DIFF, Front, Outcome

GPT = ("-m", "gpt")


def refused(front: Front, code: str, *words: str, real: bool = False) -> dict[str, str]:
    """The one error of WORDS (a round unless given), said in both ways, with nothing sent."""
    words = words or ("run", "append a line", *GPT)
    run = front.process if real else front
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


def configured(front: Front, data: bytes) -> Path:
    file = front.home / "config" / "config.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    return file


@pytest.mark.parametrize(
    ("data", "said"),
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
def test_a_broken_configuration_is_said_with_its_file(front: Front, data: bytes, said: str):
    file = configured(front, data)

    error = refused(front, "usage", "run", "append a line", *([] if b"models" in data else GPT))

    assert said in error["message"]
    assert str(file) in error["message"]
    assert error["hint"]
    assert front.sent == []
    assert not (front.data / "dursor.db").exists()


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
def test_a_bad_variable_is_named(front: Front, name: str, value: str):
    front.extra[f"DURSOR_{name}"] = value
    if name == "KEY_STORE":
        words = ("models", "set-key", "gpt", "--stdin", "--json")
        error = only_error(front(*words, input="sk-some-key-1234"), "usage")
    else:
        error = refused(front, "usage")

    assert f"DURSOR_{name}" in error["message"]
    assert value in error["message"]
    assert front.sent == []


def test_an_unknown_setting_stops_nothing(front: Front):
    configured(front, b"max_file = 3\n")
    front.answers(DIFF)

    assert front.round("append a line", *GPT).exit_code == 0


def damaged(path: Path) -> None:
    path.write_bytes(b"this is no database, whatever its name says\n" * 100)


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
    ("spoil", "said"),
    [(damaged, "is no database"), (truncated, ""), (newer, "newer dursor"), (folder, "")],
)
def test_a_spoiled_database_is_one_line(front: Front, spoil: Callable[[Path], None], said: str):
    front.answers(DIFF)
    front.round("append a line", *GPT)
    database, sent = front.data / "dursor.db", len(front.sent)
    for beside in front.data.glob("dursor.db-*"):
        beside.unlink()
    spoil(database)

    for words in (("run", "append a line", *GPT), ("run", "list"), ("task", "list")):
        error = refused(front, "internal", *words)
        assert str(database) in error["message"]
        assert said in error["message"]
        assert error["hint"]
    assert len(front.sent) == sent


def test_a_data_folder_that_cannot_be_made_is_one_line(front: Front):
    (front.home / "file").write_text("in the way\n")
    front.extra["DURSOR_DATA_DIR"] = str(front.home / "file" / "data")

    error = refused(front, "internal")

    assert str(front.home / "file") in error["message"]
    assert front("run", "list", "--json").data["items"] == []
    assert front.sent == []


@pytest.mark.parametrize("name", ["data/leases", "data/keys.json", "config/config.toml"])
def test_something_else_where_a_file_of_ours_belongs_is_one_line(front: Front, name: str):
    path = front.home / name
    path.parent.mkdir()
    if name == "data/leases":
        path.write_text("in the way\n")
    else:
        path.mkdir()
    front.extra["DURSOR_ENCRYPTION_KEY"] = "pass phrase"
    words = ("models", "set-key", "gpt", "--stdin") if "keys" in name else ("run", "x y", *GPT)

    error = only_error(front(*words, "--json", input="sk-some-key-1234"), "internal")

    assert str(path) in error["message"]
    assert error["hint"].startswith("ls ")
    assert front.sent == []


def test_a_data_folder_that_cannot_be_written_is_one_line(front: Front):
    front.answers(DIFF)
    front.round("append a line", *GPT)
    files = [front.data, *front.data.rglob("*")]
    for path in files:
        path.chmod(0o500 if path.is_dir() else 0o400)
    may = os.access(front.data / "dursor.db", os.W_OK)  # root may write all the same
    try:
        listed = front("run", "list", "--json")
        if not may:
            assert str(front.data) in refused(front, "internal")["message"]
    finally:
        for path in files:
            path.chmod(0o700 if path.is_dir() else 0o600)

    assert len(listed.data["items"]) == 1


def test_without_git_a_round_says_so(front: Front):
    empty = front.home / "empty"
    empty.mkdir()
    front.extra["PATH"] = str(empty)

    error = refused(front, "usage", real=True)

    assert "git is not installed" in error["message"]
    assert "git" in error["hint"]
    assert front.sent == []


def test_a_text_that_is_not_utf_8_is_refused(front: Front):
    done = subprocess.run(
        [sys.executable, "-m", "dursor", "run", b"caf\xe9 au lait", *GPT, "--json"],
        env=front.env,
        cwd=front.repo,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 2
    assert "not UTF-8" in json.loads(done.stdout)["errors"][0]["message"]
    assert b"Traceback" not in done.stderr
    assert front.sent == []


def test_closed_standard_streams_break_nothing(front: Front):
    front.answers(DIFF)
    command = f"exec {sys.executable} -m dursor"

    for line, exit_code in (
        (f"{command} run - -m gpt <&-", 2),
        (f"{command} run 'append a line' -m gpt <&- 2>&-", 0),
        (f"{command} run 'append a line' -m gpt >&- 2>&-", None),
        (f"{command} run list >&- 2>&-", None),
    ):
        done = subprocess.run(
            ["sh", "-c", line], env=front.env, cwd=front.repo, capture_output=True, check=False
        )
        assert b"Traceback" not in done.stdout + done.stderr
        assert exit_code is None or done.returncode == exit_code, (line, done)


def test_a_folder_that_is_gone_is_said(front: Front):
    gone = front.home / "gone"
    line = f"mkdir {gone} && cd {gone} && rmdir {gone} && exec {sys.executable} -m dursor run list"
    done = subprocess.run(
        ["sh", "-c", line], env=front.env, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "no longer exists" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bare_repository_can_be_asked_about_but_not_changed(front: Front):
    bare = front.home / "bare.git"
    repos.git(front.repo, "clone", "-q", "--bare", ".", str(bare))
    front.answers(DIFF)

    done = front("run", "append a line", *GPT, "--json", cwd=bare)
    dirty = front("run", "append a line", *GPT, "--dirty", "--json", cwd=bare)
    applied = front("run", "apply", done.runs[0]["id"], "--json", cwd=bare)

    assert (done.exit_code, dirty.exit_code, applied.exit_code) == (0, 2, 2)
    assert only_error(applied, "usage")["message"]


def test_a_model_without_a_server_is_one_line(front: Front):
    words = ("--provider", "openai", "--model", "m", "--base-url")
    front("models", "add", "nobody", *words, "http://127.0.0.1:9/v1")
    front.configure(retries=0, connect_timeout=1)

    done = front.round("append a line", "-m", "nobody")

    assert (done.exit_code, done.runs[0]["error"]["code"]) == (5, "network")
    assert "127.0.0.1" in done.runs[0]["error"]["message"]
