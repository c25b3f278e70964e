"""On a real terminal: the live table, Ctrl-C, hidden keys, the editor."""

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


def ended(child):
    """Wait for the end; returns the exit code and what was still written."""
    child.expect(pexpect.EOF)
    child.wait()  # close alone would kill what has let go of the terminal and not yet ended
    child.close()
    return child.exitstatus, child.before


def program(tmp_path: Path, script: str) -> str:
    path = tmp_path / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_the_live_table_comes_and_goes(terminal):
    child = terminal("run", "Fix it now", scenario="round")
    child.expect_exact(HIDDEN_CURSOR)
    child.expect_exact("TOKENS")
    child.expect(r"3fa1c9e2 +gpt +call +0\.\d s")
    child.expect(r"dead0001 +gemini +retrying in 0\.5 s \(429: slow")
    child.expect_exact(CURSOR)
    code, rest = ended(child)
    assert code == 0
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", rest)
    assert "3fa1c9e2  gpt     succeeded        2      +11 -4  21 s  $0.031" in shown
    assert "next: dursor run show 3fa1c9e2 --diff" in shown


def test_a_dumb_terminal_gets_lines(terminal):
    code, shown = ended(terminal("run", "Fix it now", scenario="round", TERM="dumb"))
    assert code == 0
    assert "\x1b" not in shown
    assert "3fa1c9e2 gpt: succeeded" in shown


def test_ctrl_c_shows_what_was_canceled_and_gives_the_cursor_back(terminal):
    child = terminal("run", "Fix it now", scenario="interrupted")
    child.expect_exact("queued")
    child.sendintr()
    child.expect_exact(CURSOR)
    code, rest = ended(child)
    assert code == 130
    assert "canceled" in rest
    assert "error: interrupted" in rest
    assert "Traceback" not in rest


def test_the_cursor_comes_back_however_often_ctrl_c_is_pressed(terminal):
    child = terminal("run", "Fix it now", scenario="stubborn")
    child.expect_exact("queued")
    child.sendintr()
    code, rest = ended(child)
    assert code == 130
    assert rest.rindex(CURSOR) > rest.rfind(HIDDEN_CURSOR)
    assert "Traceback" not in rest


def test_colours_unless_told_otherwise(terminal):
    _, shown = ended(terminal("run", "list", scenario="one", NO_COLOR=""))
    assert "\x1b[32msucceeded\x1b[0m" in shown
    _, plain = ended(terminal("run", "list", scenario="one", NO_COLOR="1"))
    assert "\x1b" not in plain


def test_a_patch_is_harmless_on_a_terminal(terminal):
    _, shown = ended(terminal("run", "diff", "3fa1", scenario="odd"))
    assert shown.strip() == r"+caf\udce9 \x1b[2J\r"


def test_a_typed_key_is_not_echoed(terminal):
    child = terminal("models", "set-key", "gpt", scenario="key")
    child.expect_exact("Key for gpt: ")
    child.sendline("sk-typed")
    code, rest = ended(child)
    assert code == 0
    assert "display   depyt-ks" in rest
    assert "sk-typed" not in rest


def test_adding_a_model_asks_for_a_key_that_may_be_left_out(terminal):
    child = terminal(
        "models", "add", "mine", "--provider", "google", "--model", "m", scenario="key"
    )
    child.expect_exact("Key for mine (empty: none): ")
    child.sendline("")
    code, rest = ended(child)
    assert code == 0
    assert "display   none" in rest


@pytest.mark.parametrize(
    ("answer", "said"), [("", "no key was typed"), ("\x04", "nothing was typed")]
)
def test_no_key_is_said(terminal, answer, said):
    child = terminal("models", "set-key", "gpt", scenario="key")
    child.expect_exact("Key for gpt: ")
    child.send(answer or "\r")
    code, rest = ended(child)
    assert code == 2
    assert f"error: {said}" in rest


def test_ctrl_c_at_the_question(terminal):
    child = terminal("models", "set-key", "gpt", scenario="key")
    child.expect_exact("Key for gpt: ")
    child.sendintr()
    code, rest = ended(child)
    assert code == 130
    assert "error: interrupted" in rest


def test_the_editor_opens_when_there_is_no_text(terminal, tmp_path):
    editor = program(
        tmp_path, 'printf "Fix it with ${OPENAI_API_KEY:-no key}\\n" > "$2"; ls -l "$2" >&2'
    )
    child = terminal(
        "run", "--dry-run", scenario="plan", EDITOR=f"{editor} --wait", OPENAI_API_KEY="sk-secret"
    )
    code, shown = ended(child)
    assert code == 0
    assert "<Fix it with no key>" in shown
    assert "-rw-------" in shown
    path = re.search(r"\S+dursor-\S+\.md", shown)
    assert path is not None
    assert not Path(path[0]).exists()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 3", "failed with exit code 3"),
        ("exit 0", "the instruction is empty"),
        (None, "cannot start"),
    ],
)
def test_an_editor_that_gives_nothing_is_refused(terminal, tmp_path, script, said):
    editor = str(tmp_path / "none") if script is None else program(tmp_path, script)
    code, shown = ended(terminal("run", "-m", "gpt", scenario="plan", VISUAL=editor))
    assert code == 2
    assert said in shown
    assert 'hint: dursor run "Fix the failing test"' in shown


def test_a_passphrase_is_asked_where_no_other_key_store_is(home, tmp_path):
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
    for question in ("New passphrase for the key file: ", "Once more: "):
        child.expect_exact(question)
        child.sendline("open sesame")
    code, rest = ended(child)
    assert code == 0
    assert "key       file" in rest
    assert "sesame" not in rest
    assert not any(
        b"typed-by-hand" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    )
