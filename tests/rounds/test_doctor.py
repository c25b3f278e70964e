"""`dursor doctor` on machines with something broken."""

from typing import Any

import pytest
from command_line import KEYS, CommandLine, Outcome

LOST = """
from keyring.backend import KeyringBackend
class Ring(KeyringBackend):
    priority = 1
    kept = {}
    def get_password(self, service, name): return self.kept.get(name)
    def set_password(self, service, name, value): self.kept[name] = value
    def delete_password(self, service, name): del self.kept[name]
"""


def find_check(done: Outcome, name: str) -> dict[str, Any]:
    (check,) = [check for check in done.data["checks"] if check["name"] == name]
    return check


@pytest.fixture
def ci(cli: CommandLine) -> CommandLine:
    """Configure a CI job: keys in the environment, no keyring, no passphrase."""
    cli.extra |= {
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "DURSOR_KEY_STORE": "auto",
        "DURSOR_ENCRYPTION_KEY": "",
    }
    return cli


def test_every_check_runs_with_a_damaged_store(cli: CommandLine):
    cli.data.mkdir()
    (cli.data / "dursor.db").write_bytes(b"no database" * 1000)
    cli.extra |= {"ANTHROPIC_BASE_URL": "nowhere", "DURSOR_TIMEOUT": "soon"}

    done = cli("doctor", "--json")

    failed = {check["name"]: check["hint"] for check in done.data["checks"] if not check["ok"]}
    assert done.exit_code == 1
    assert {"config", "store", "keys", "network"} <= failed.keys()
    assert failed["store"].startswith(f"mv {cli.data}/dursor.db ")
    assert failed["network"] == "unset ANTHROPIC_BASE_URL"
    assert done.data["checks"][-1]["name"] == "repository"


def test_a_missing_keyring_is_a_warning_when_no_key_is_stored(ci: CommandLine):
    done = ci.run_process("doctor", "--json")

    assert (done.exit_code, done.json["status"], done.json["errors"]) == (0, "ok", [])
    check = find_check(done, "key store")
    assert (check["level"], check["ok"]) == ("warning", True)
    assert "DURSOR_ENCRYPTION_KEY" in check["hint"]
    assert f"warning: key store: {check['detail']}" in done.stderr
    levels = {check["name"]: check["level"] for check in done.data["checks"]}
    assert {name for name, level in levels.items() if level != "ok"} == {"key store"}


def test_a_machine_without_any_key_is_an_error(ci: CommandLine):
    ci.extra |= dict.fromkeys(KEYS, "")

    done = ci.run_process("doctor", "--json")

    assert done.exit_code == 1
    assert find_check(done, "keys")["level"] == "error"


def test_a_key_that_the_keyring_lost_is_an_error(ci: CommandLine, tmp_path):
    (tmp_path / "lost.py").write_text(LOST)
    ci.extra |= {"PYTHONPATH": str(tmp_path), "PYTHON_KEYRING_BACKEND": "lost.Ring"}
    stored = ci.run_process(
        "models", "set-key", "gpt", "--stdin", "--json", input="sk-soon-lost-1234"
    )
    assert stored.data["key"] == "keyring"

    done = ci.run_process("doctor", "--json")

    assert (done.exit_code, done.json["status"]) == (1, "partial")
    check = find_check(done, "key of gpt")
    assert (check["level"], check["ok"]) == ("error", False)
    assert check["detail"] == "the key stored for 'gpt' is no longer in the OS keyring"
    assert check["hint"] == "dursor models set-key gpt"
    assert find_check(done, "keys")["detail"] == "ready: claude, gemini"


def test_a_provider_key_that_the_file_lost_is_an_error(cli: CommandLine):
    cli.extra |= {"GEMINI_API_KEY": "", "DURSOR_ENCRYPTION_KEY": "pass phrase"}
    cli("models", "set-key", "google", "--stdin", input="AIza-soon-lost-1234")
    assert cli("doctor").exit_code == 0
    (cli.data / "keys.json").unlink()

    done = cli("doctor", "--json")

    assert done.exit_code == 1
    check = find_check(done, "key of gemini")
    assert check["detail"] == "the key stored for 'google' is no longer in the encrypted key file"
    assert check["hint"] == "dursor models set-key google"


def test_a_locked_key_file_is_an_error_where_a_key_is_stored_in_it(cli: CommandLine):
    cli.extra["DURSOR_ENCRYPTION_KEY"] = "pass phrase"
    cli("models", "set-key", "gpt", "--stdin", input="sk-locked-away-1234")
    cli.extra["DURSOR_ENCRYPTION_KEY"] = ""

    done = cli("doctor", "--json")

    assert done.exit_code == 1
    assert find_check(done, "key store")["level"] == "warning"
    assert "passphrase" in find_check(done, "key of gpt")["detail"]
