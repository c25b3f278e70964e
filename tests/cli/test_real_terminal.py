"""A real terminal: the live table, Ctrl-C, hidden keys, the editor."""

import re
import sys
from pathlib import Path

import fake_app
import pexpect
import pytest

# pexpect forks to make the terminal; the threads it is warned of are the test runner's, asleep
pytestmark = pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")

HIDDEN_CURSOR, CURSOR = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture
def terminal(home, tmp_path):
    """Start `dursor WORDS` with SCENARIO on a terminal."""
    started = []

    def start(*words, scenario, **environment):
        child = pexpect.spawn(
            sys.executable,
            [fake_app.__file__, *words],
            env={**home, "COLUMNS": "100", "FAKE_APP_SCENARIO": scenario, **environment},
            cwd=str(tmp_path),
            dimensions=(30, 100),
            timeout=20,
            encoding="utf-8",
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def wait_for_end(child):
    """Wait for the end; return the exit code and the remaining output."""
    child.expect(pexpect.EOF)
    child.wait()  # close alone would kill what has let go of the terminal and not yet ended
    child.close()
    return child.exitstatus, child.before


def program(tmp_path: Path, script: str) -> str:
    path = tmp_path / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_the_live_table_appears_and_disappears(terminal):
    child = terminal("run", "Fix it now", scenario="round")
    child.expect_exact(HIDDEN_CURSOR)
    child.expect_exact("TOKENS")
    child.expect(r"3fa1c9e2 +gpt +call +0\.\d s")
    child.expect(r"dead0001 +gemini +retrying in 0\.5 s \(429: slow")
    child.expect_exact(CURSOR)
    code, rest = wait_for_end(child)
    assert code == 0
    output = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", rest)
    assert "3fa1c9e2  gpt     succeeded        2      +11 -4  21 s  $0.031" in output
    assert "next: dursor run show 3fa1c9e2 --diff" in output


def test_a_dumb_terminal_gets_lines(terminal):
    code, output = wait_for_end(terminal("run", "Fix it now", scenario="round", TERM="dumb"))
    assert code == 0
    assert "\x1b" not in output
    assert "3fa1c9e2 gpt: succeeded" in output


def test_ctrl_c_shows_the_canceled_runs_and_restores_the_cursor(terminal):
    child = terminal("run", "Fix it now", scenario="interrupted")
    child.expect_exact("queued")
    child.sendintr()
    child.expect_exact(CURSOR)
    code, rest = wait_for_end(child)
    assert code == 130
    assert "canceled" in rest
    assert "error: interrupted" in rest
    assert "Traceback" not in rest


def test_repeated_ctrl_c_restores_the_cursor(terminal):
    child = terminal("run", "Fix it now", scenario="stubborn")
    child.expect_exact("queued")
    child.sendintr()
    code, rest = wait_for_end(child)
    assert code == 130
    assert rest.rindex(CURSOR) > rest.rfind(HIDDEN_CURSOR)
    assert "Traceback" not in rest


def test_no_color_turns_colours_off(terminal):
    _, output = wait_for_end(terminal("run", "list", scenario="one", NO_COLOR=""))
    assert "\x1b[32msucceeded\x1b[0m" in output
    _, plain = wait_for_end(terminal("run", "list", scenario="one", NO_COLOR="1"))
    assert "\x1b" not in plain


def test_a_patch_is_escaped_on_a_terminal(terminal):
    _, output = wait_for_end(terminal("run", "diff", "3fa1", scenario="odd"))
    assert output.strip() == r"+caf\udce9 \x1b[2J\r"


def test_a_typed_key_is_not_echoed(terminal):
    child = terminal("models", "set-key", "gpt", scenario="key")
    child.expect_exact("Key for gpt: ")
    child.sendline("sk-typed")
    code, rest = wait_for_end(child)
    assert code == 0
    assert "display   depyt-ks" in rest
    assert "sk-typed" not in rest


def test_adding_a_model_asks_for_an_optional_key(terminal):
    child = terminal(
        "models", "add", "mine", "--provider", "google", "--model", "m", scenario="key"
    )
    child.expect_exact("Key for mine (empty: none): ")
    child.sendline("")
    code, rest = wait_for_end(child)
    assert code == 0
    assert "display   none" in rest


@pytest.mark.parametrize(
    ("answer", "message"), [("", "no key was typed"), ("\x04", "nothing was typed")]
)
def test_a_missing_key_is_reported(terminal, answer, message):
    child = terminal("models", "set-key", "gpt", scenario="key")
    child.expect_exact("Key for gpt: ")
    child.send(answer or "\r")
    code, rest = wait_for_end(child)
    assert code == 2
    assert f"error: {message}" in rest


def test_ctrl_c_at_the_prompt(terminal):
    child = terminal("models", "set-key", "gpt", scenario="key")
    child.expect_exact("Key for gpt: ")
    child.sendintr()
    code, rest = wait_for_end(child)
    assert code == 130
    assert "error: interrupted" in rest


def test_the_editor_opens_when_there_is_no_text(terminal, tmp_path):
    editor = program(
        tmp_path, 'printf "Fix it with ${OPENAI_API_KEY:-no key}\\n" > "$2"; ls -l "$2" >&2'
    )
    child = terminal(
        "run", "--dry-run", scenario="plan", EDITOR=f"{editor} --wait", OPENAI_API_KEY="sk-secret"
    )
    code, output = wait_for_end(child)
    assert code == 0
    assert "<Fix it with no key>" in output
    assert "-rw-------" in output
    path = re.search(r"\S+dursor-\S+\.md", output)
    assert path is not None
    assert not Path(path[0]).exists()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 3", "failed with exit code 3"),
        ("exit 0", "the instruction is empty"),
        (None, "cannot start"),
    ],
)
def test_an_editor_without_a_result_is_refused(terminal, tmp_path, script, message):
    editor = str(tmp_path / "none") if script is None else program(tmp_path, script)
    code, output = wait_for_end(terminal("run", "-m", "gpt", scenario="plan", VISUAL=editor))
    assert code == 2
    assert message in output
    assert 'hint: dursor run "Fix the failing test"' in output


def test_the_file_key_store_asks_for_a_passphrase(home, tmp_path):
    """With the real application, the key is stored in the encrypted file."""
    child = pexpect.spawn(
        sys.executable,
        ["-m", "dursor", "models", "set-key", "gpt"],
        env={**home, "DURSOR_KEY_STORE": "file"},
        cwd=str(tmp_path),
        timeout=20,
        encoding="utf-8",
    )
    child.expect_exact("Key for gpt: ")
    child.sendline("sk-typed-by-hand")
    for question in ("New passphrase for the key file: ", "Repeat the passphrase: "):
        child.expect_exact(question)
        child.sendline("open sesame")
    code, rest = wait_for_end(child)
    assert code == 0
    assert "key       file" in rest
    assert "sesame" not in rest
    assert not any(
        b"typed-by-hand" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    )
