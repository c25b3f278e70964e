"""The system's keyring: working, absent, failing, hanging, and untouched when not needed."""

import time
from pathlib import Path

import leaks
import pytest
from command_line import DIFF, KEYS, CommandLine, Outcome

STORED = "sk-kept-in-the-keyring-1234"
WORKING = """
import json, pathlib
from keyring.backend import KeyringBackend
FILE = pathlib.Path({file!r})
class Ring(KeyringBackend):
    priority = 1
    def _all(self): return json.loads(FILE.read_text()) if FILE.exists() else {{}}
    def get_password(self, service, name): return self._all().get(service + "/" + name)
    def set_password(self, service, name, value):
        FILE.write_text(json.dumps(self._all() | {{service + "/" + name: value}}))
    def delete_password(self, service, name):
        FILE.write_text(json.dumps({{k: v for k, v in self._all().items() if k != service + "/" + name}}))
"""
FAILING = """
from keyring.backend import KeyringBackend
class Ring(KeyringBackend):
    priority = 1
    def _fail(self, *_): raise RuntimeError("the collection is locked\\nby Ada")
    get_password = set_password = delete_password = _fail
"""
HANGING = """
import time
from keyring.backend import KeyringBackend
class Ring(KeyringBackend):
    priority = 1
    def _hang(self, *_): time.sleep(60)
    get_password = set_password = delete_password = _hang
"""
POISON = "import pathlib\npathlib.Path({file!r}).write_text('imported')\nraise ImportError\n"
BACKENDS = {
    "absent": ("keyring.backends.fail.Keyring", "this machine has no OS keyring"),
    "failing": ("failing.Ring", "the OS keyring failed: the collection is locked by Ada"),
    "hanging": ("hanging.Ring", "the OS keyring timed out after 3 s"),
}


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """Return a folder on PYTHONPATH with a backend of each kind."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "working.py").write_text(WORKING.format(file=str(tmp_path / "ring.json")))
    (folder / "failing.py").write_text(FAILING)
    (folder / "hanging.py").write_text(HANGING)
    return folder


@pytest.fixture
def ringed(cli: CommandLine, modules: Path) -> CommandLine:
    """Configure a working keyring with a key for gpt, and none in the environment."""
    cli.extra |= dict.fromkeys(KEYS, "")
    cli.extra |= {
        "PYTHONPATH": str(modules),
        "PYTHON_KEYRING_BACKEND": "working.Ring",
        "DURSOR_KEY_STORE": "auto",
        "DURSOR_DEBUG": "",
    }
    done = cli.run_process("models", "set-key", "gpt", "--stdin", "--json", input=STORED)
    assert (done.exit_code, done.data["key"]) == (0, "keyring"), done
    return cli


def one_line(done: Outcome) -> str:
    """Return the only error line of DONE, and its hint."""
    assert done.stdout == ""
    line, *hint = done.stderr.splitlines()
    assert len(hint) <= 1, done.stderr
    return line


def test_a_key_in_the_keyring_is_used_and_forgotten(ringed: CommandLine, tmp_path: Path):
    ringed.reply_with(DIFF)

    done = ringed.run_process("run", "append a line", "-m", "gpt", "--json")
    removed = ringed.run_process("models", "remove", "gpt", "--json")

    assert done.exit_code == removed.exit_code == 0
    assert ringed.requests[0].headers["authorization"] == f"Bearer {STORED}"
    assert STORED not in (tmp_path / "ring.json").read_text()
    leaks.check(ringed, done, removed, keys=[STORED])


@pytest.mark.parametrize("kind", BACKENDS)
def test_a_keyring_that_cannot_be_read_is_one_clear_line(ringed: CommandLine, kind: str):
    backend, message = BACKENDS[kind]
    ringed.extra["PYTHON_KEYRING_BACKEND"] = backend

    began = time.monotonic()
    done = ringed.run_process("run", "append a line", "-m", "gpt:3")
    seconds = time.monotonic() - began

    assert done.exit_code == 4
    assert message in one_line(done)
    assert "DURSOR_KEY_STORE=file" in done.stderr
    assert seconds < 3 + 3  # its limit, and a start on a busy machine
    assert ringed.requests == []
    assert ringed("run", "list", "--all", "--json").data["items"] == []
    assert ringed("models", "show", "gpt", "--json").data["key"] == "keyring"


@pytest.mark.parametrize("choice", ["auto", "keyring"])
@pytest.mark.parametrize("kind", ["absent", "failing"])
def test_a_keyring_that_cannot_be_written_is_one_clear_line(
    cli: CommandLine, modules: Path, kind: str, choice: str
):
    backend, message = BACKENDS[kind]
    cli.extra |= {"PYTHONPATH": str(modules), "PYTHON_KEYRING_BACKEND": backend}
    cli.extra |= {"DURSOR_KEY_STORE": choice}

    done = cli.run_process("models", "set-key", "gpt", "--stdin", input=STORED)

    assert done.exit_code == 4
    assert message in one_line(done)
    wanted = "DURSOR_ENCRYPTION_KEY" if choice == "auto" else "DURSOR_KEY_STORE=file"
    assert wanted in done.stderr
    leaks.check(cli, done, keys=[STORED])


def test_with_a_passphrase_the_key_file_is_used_and_named(cli: CommandLine):
    cli.extra |= {
        "PYTHON_KEYRING_BACKEND": BACKENDS["absent"][0],
        "DURSOR_KEY_STORE": "auto",
        "DURSOR_ENCRYPTION_KEY": "pass phrase",
    }

    done = cli.run_process("models", "set-key", "gpt", "--stdin", "--json", input=STORED)

    assert (done.exit_code, done.data["key"]) == (0, "file")
    leaks.check(cli, done, keys=[STORED])


def test_a_key_of_the_environment_never_loads_keyring(cli: CommandLine, tmp_path: Path):
    folder, mark = tmp_path / "poison", tmp_path / "mark"
    folder.mkdir()
    (folder / "keyring.py").write_text(POISON.format(file=str(mark)))
    cli.extra |= {"PYTHONPATH": str(folder), "DURSOR_KEY_STORE": "auto"}
    cli.reply_with(DIFF)

    done = cli.run_process("run", "append a line", "-m", "gpt", "-m", "claude", "-m", "gemini")
    cli.run_process("models", "list")

    assert done.exit_code == 0
    assert not mark.exists()
    cli.extra["OPENAI_API_KEY"] = ""
    cli.run_process("models", "set-key", "gpt", "--stdin", input=STORED)
    assert mark.exists()  # it would have been noticed
