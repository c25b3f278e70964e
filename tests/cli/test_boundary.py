"""A command prints its result or its error, whatever happens."""

import os
import re
import subprocess
import sys
from pathlib import Path

import fake_app
import pytest

from dursor.cli.output import crash
from dursor.errors import AuthError, BudgetError, ConflictError, PolicyError, UsageError

UNWRITABLE = ["</dev/null", *([">/dev/full"] if Path("/dev/full").exists() else [])]
NOT_FOUND = UsageError("no such thing: 'x'", hint="dursor run list")


def test_a_value_is_printed_alone(dursor):
    done = dursor("run", "show", "3fa1", answers={"runs.find": fake_app.RUN})
    assert done.exit_code == 0
    assert done.stdout.startswith("run          3fa1c9e2")
    assert done.stderr == ""
    assert done.app.only_call == ("runs.find", ("3fa1",), {})


def test_json_is_one_object_on_stdout(dursor):
    done = dursor("run", "show", "3fa1", "--json", answers={"runs.find": fake_app.RUN})
    assert done.json["version"] == 1
    assert done.json["status"] == "ok"
    assert done.json["data"]["id"] == fake_app.RUN.id
    assert done.json["errors"] == []
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NOT_FOUND, 2),
        (AuthError("no key"), 4),
        (BudgetError("too dear"), 6),
        (PolicyError("forbidden"), 7),
        (ConflictError("moved on"), 8),
    ],
)
def test_an_error_is_a_line_a_hint_and_its_exit_code(dursor, error, code):
    answers = {"runs.find": error}
    done = dursor("run", "show", "x", answers=answers)
    assert (done.exit_code, done.stdout) == (code, "")
    hint = f"hint: {error.hint}\n" if error.hint else ""
    assert done.stderr == f"error: {error.message}\n{hint}"
    as_json = dursor("run", "show", "x", "--json", answers=answers)
    failure = {"code": error.code, "message": error.message, "hint": error.hint}
    assert as_json.json == {"version": 1, "status": "error", "data": None, "errors": [failure]}
    assert (as_json.exit_code, as_json.stderr) == (code, "")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["nosuch"], "dursor has no command 'nosuch'", "dursor --help"),
        (["modles"], "dursor has no command 'modles'", "dursor models"),
        (["models", "lst"], "dursor models has no command 'lst'", "dursor models list"),
        (["models"], "missing command", "dursor models --help"),
        (["run", "list", "--limt", "3"], "no such option: --limt", "dursor run list --limit"),
        (["run", "show"], "missing argument 'RUN'", "dursor run show --help"),
        (
            ["run", "show", "a", "b"],
            "got unexpected extra argument(s) (b)",
            "dursor run show --help",
        ),
        (
            ["run", "list", "--limit", "many"],
            "invalid value for '--limit': 'many' is not a valid int",
            "dursor run list --help",
        ),
        (
            ["models", "add", "mine"],
            "missing option '--provider'. Choose from: openai, anthropic, google",
            "dursor models add --help",
        ),
        (["--version", "demo"], "--version cannot be combined with a command", "dursor --version"),
    ],
)
def test_usage_errors_are_refused_in_our_format(dursor, words, message, hint):
    done = dursor(*words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"error: {message}\nhint: {hint}\n"
    as_json = dursor(*words, "--json")
    assert as_json.json["errors"] == [{"code": "usage", "message": message, "hint": hint}]
    assert (as_json.exit_code, as_json.json["data"]) == (2, None)


def test_json_after_two_dashes_is_text(dursor):
    done = dursor("run", "--", "--json", answers={"rounds.start": NOT_FOUND})
    assert done.stdout == ""
    assert done.app.only_call[1][0].instruction == "--json"


def test_ctrl_c_is_one_line_and_130(dursor):
    done = dursor("run", "show", "x", answers={"runs.find": KeyboardInterrupt()})
    assert (done.exit_code, done.stdout, done.stderr) == (130, "", "error: interrupted\n")
    as_json = dursor("run", "show", "x", "--json", answers={"runs.find": KeyboardInterrupt()})
    assert as_json.exit_code == 130
    assert as_json.json["errors"][0]["code"] == "interrupted"


def test_help_and_version(dursor):
    assert dursor("--version").stdout == "dursor 0.1.0\n"
    assert dursor("--version", "--json").json["data"] == {"version": "0.1.0"}
    assert dursor().stdout == dursor("--help").stdout == dursor("-h").stdout
    assert dursor("models", "-h").stdout.startswith("Usage: dursor models [OPTIONS] COMMAND")


@pytest.mark.parametrize(
    "words",
    [
        ["--help", "--json"],
        ["--json", "-h"],
        ["run", "--help", "--json"],
        ["models", "--json", "--help"],
        ["run", "show", "--help", "--json"],
    ],
)
def test_help_in_json_is_data(dursor, words):
    done = dursor(*words)
    plain = dursor(*(word for word in words if word != "--json"))
    assert (done.exit_code, plain.exit_code) == (0, 0)
    assert done.json["data"] == {"help": plain.stdout.removesuffix("\n")}


def test_control_characters_of_an_error_are_escaped(dursor):
    done = dursor("run", "show", "x", answers={"runs.find": UsageError("a\x1b[2J\nb\u202ec")})
    assert done.stderr == "error: a\\x1b[2J b\\u202ec\n"


def test_a_bug_is_one_line_with_a_hint(process):
    key = "sk-ant-" + "a1" * 20
    done = process("run", "show", "3fa1", scenario="bug", OPENAI_API_KEY=key)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: internal error: ZeroDivisionError: while holding [redacted]\n"
        "hint: DURSOR_DEBUG=1 dursor run show 3fa1\n"
    )


def test_a_bug_in_json_is_one_object(process):
    done = process("run", "show", "3fa1", "--json", scenario="bug")
    assert done.returncode == 1
    assert '"code": "internal"' in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_debugging_shows_the_traceback_without_secrets(process):
    key = "a-secret-of-no-known-form"
    done = process("run", "show", "3fa1", scenario="bug", OPENAI_API_KEY=key, DURSOR_DEBUG="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert key not in done.stderr
    known = process("run", "show", "3fa1", scenario="error", DURSOR_DEBUG="1")
    assert "Traceback" in known.stderr
    assert known.stderr.endswith("error: the server broke\nhint: try again\n")
    assert known.returncode == 5


def test_a_closed_pipe_is_not_an_error(home):
    words = [sys.executable, fake_app.__file__, "run", "list"]
    with subprocess.Popen(
        words,
        env={**home, "FAKE_APP_SCENARIO": "list"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith(b"RUN")
        running.stdout.close()
        assert running.stderr is not None
        assert running.stderr.read() == b""
        assert running.wait(30) == 0


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_closed_standard_streams_do_not_end_a_command(home, word):
    done = subprocess.run(
        f'exec "{sys.executable}" -m dursor {word} >&- 2>&-',
        shell=True,
        env=home,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0


def test_a_terminal_of_another_encoding_gets_escapes(process):
    done = process("run", "list", scenario="list", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.isascii()


def test_a_deleted_folder_is_reported(home, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f'cd "{gone}" && rmdir "{gone}" && exec "{sys.executable}" -m dursor run list'
    done = subprocess.run(
        ["sh", "-c", script],
        env={**home, "PYTHONPATH": home["PYTHONPATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: the current folder no longer exists\n")
    assert os.linesep in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("target", UNWRITABLE)
@pytest.mark.parametrize(
    "words",
    ["--version", "--help", "run list", "run list --json", "run diff 3fa1", "nosuch --json"],
)
def test_a_full_stdout_is_one_line(home, words, target, unbuffered):
    done = subprocess.run(
        f'exec "{sys.executable}" "{fake_app.__file__}" {words} 1{target}',
        shell=True,
        env={**home, "FAKE_APP_SCENARIO": "everything", "PYTHONUNBUFFERED": unbuffered},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert re.fullmatch("error: cannot write to stdout: [A-Z][a-z ]+\n", done.stderr), done.stderr


@pytest.mark.parametrize("target", UNWRITABLE)
def test_a_full_stderr_changes_nothing(home, target):
    done = subprocess.run(
        f'exec "{sys.executable}" "{fake_app.__file__}" run show 3fa1 2{target}',
        shell=True,
        env={**home, "FAKE_APP_SCENARIO": "error"},
        check=False,
        timeout=30,
    )
    assert done.returncode == 5


def test_a_bug_that_cannot_be_printed_as_json_is_a_line(home):
    done = subprocess.run(
        f'exec "{sys.executable}" "{fake_app.__file__}" run show 3fa1 --json 1{UNWRITABLE[0]}',
        shell=True,
        env={**home, "FAKE_APP_SCENARIO": "bug"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: internal error: ZeroDivisionError")
    assert "Traceback" not in done.stderr


def test_unraisable_exceptions_are_shown_only_in_debugging(monkeypatch, capsys):
    class Odd:
        def __del__(self):
            raise AttributeError("half made")

    monkeypatch.setattr(sys, "unraisablehook", crash.ignore_unraisable)
    Odd()  # and away
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("DURSOR_DEBUG", "1")
    Odd()
    assert "half made" in capsys.readouterr().err
