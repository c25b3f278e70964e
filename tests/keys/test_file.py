"""The encrypted key file."""

import json
import shutil
import stat
import subprocess
import sys

import pytest

from dursor.domain import KeySource, Secret
from dursor.errors import AuthError, InternalError
from dursor.keys import file as module
from dursor.keys.file import ITERATIONS, VARIABLE, EncryptedFile

KEY = Secret("sk-test-0123456789abcdef")
ENV = {VARIABLE: "correct horse"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "keys.json"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """A file with one key, created once, since PBKDF2 is slow on purpose."""
    path = tmp_path_factory.mktemp("keys") / "data" / "keys.json"
    EncryptedFile(path, ENV).set("model:gpt", KEY)
    return path


@pytest.fixture
def ring(sealed, path):
    shutil.copytree(sealed.parent, path.parent)
    return EncryptedFile(path, ENV)


def test_secret_is_encrypted_and_readable_in_another_process(ring, path):
    assert ring.source is KeySource.FILE
    other = EncryptedFile(path, ENV)
    assert other.get("model:gpt") == KEY
    assert other.get("model:claude") is None
    raw = path.read_bytes()
    for hidden in (KEY.reveal(), "correct horse", "model:gpt"):
        assert hidden.encode() not in raw
    assert json.loads(raw)["iterations"] >= 600_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_secrets_are_replaced_and_deleted_by_name(ring, path):
    ring.set("github:token", Secret("ghp_ä\n-----BEGIN"))
    ring.set("model:gpt", Secret("another"))
    assert ring.delete("model:claude") is False
    assert EncryptedFile(path, ENV).get("model:gpt") == Secret("another")
    assert ring.delete("model:gpt") is True
    assert ring.get("model:gpt") is None
    assert EncryptedFile(path, ENV).get("github:token") == Secret("ghp_ä\n-----BEGIN")
    assert [one.name for one in path.parent.iterdir() if not one.name.endswith(".lock")] == [
        "keys.json"
    ]


def test_key_is_derived_once_per_process(ring, path):
    ring.set("provider:openai", KEY)
    before = module._derive_key.cache_info().misses
    ring.get("provider:openai")
    EncryptedFile(path, ENV).get("model:gpt")
    assert module._derive_key.cache_info().misses == before


def test_two_files_have_two_salts(ring, path):
    other = path.with_name("other.json")
    EncryptedFile(other, ENV).set("x", KEY)
    assert json.loads(other.read_text())["salt"] != json.loads(path.read_text())["salt"]


def test_missing_file_needs_no_passphrase(path):
    ring = EncryptedFile(path, {})
    assert ring.get("model:gpt") is None
    assert ring.delete("model:gpt") is False
    assert not ring.has_passphrase
    assert not path.parent.exists()


@pytest.mark.parametrize("use", ["get", "set", "delete"])
def test_no_passphrase_and_nobody_to_ask(ring, path, use):
    closed = EncryptedFile(path, {VARIABLE: ""})
    arguments = ("model:gpt", KEY) if use == "set" else ("model:gpt",)
    with pytest.raises(AuthError) as caught:
        getattr(closed, use)(*arguments)
    assert caught.value.exit_code == 4
    assert str(path) in caught.value.message
    assert caught.value.hint == "export DURSOR_ENCRYPTION_KEY=PASSPHRASE"


@pytest.mark.parametrize("use", ["get", "set", "delete"])
def test_wrong_passphrase_is_reported_and_changes_nothing(ring, path, use):
    before = path.read_bytes()
    closed = EncryptedFile(path, {VARIABLE: "wr0ng"})
    arguments = ("model:gpt", KEY) if use == "set" else ("model:gpt",)
    with pytest.raises(AuthError, match=f"{VARIABLE} cannot decrypt") as caught:
        getattr(closed, use)(*arguments)
    assert "wr0ng" not in caught.value.message
    assert path.read_bytes() == before


class Typist:
    """Types the given answers and records the prompts."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, question):
        self.asked.append(question)
        return self.answers.pop(0)


def test_passphrase_is_typed_twice_for_a_new_file_and_once_for_an_old_one(path):
    typist = Typist("secret", "secret")
    ring = EncryptedFile(path, {}, typist)
    ring.set("model:gpt", KEY)
    ring.get("model:gpt")
    assert [question.split()[0] for question in typist.asked] == ["New", "Repeat"]
    typist = Typist("mistyped", "secret")
    ring = EncryptedFile(path, {}, typist)
    with pytest.raises(AuthError, match="the passphrase cannot decrypt"):
        ring.get("model:gpt")
    assert ring.get("model:gpt") == KEY
    assert ring.get("model:gpt") == KEY
    assert typist.asked == ["Passphrase: "] * 2


@pytest.mark.parametrize("answers", [("",), ("one", "two")])
def test_empty_passphrase_is_refused(path, answers):
    with pytest.raises(AuthError):
        EncryptedFile(path, {}, Typist(*answers)).set("model:gpt", KEY)
    assert not path.exists()


def test_passphrase_in_the_environment_is_not_prompted(path):
    EncryptedFile(path, ENV, Typist()).set("model:gpt", KEY)


def resealed(content):
    body = {name: value for name, value in content.items() if name != "checksum"}
    return json.dumps({**body, "checksum": module._compute_checksum(body)}).encode()


DAMAGE = {
    "empty": lambda raw: b"",
    "cut": lambda raw: raw[:-20],
    "a letter": lambda raw: raw.replace(b"gAAAA", b"gAAAB"),
    "a byte": lambda raw: b"\xff" + raw,
    "other JSON": lambda raw: b"[1]",
    "no fields": lambda raw: b'{"checksum": 1}',
    "few iterations": lambda raw: resealed({**json.loads(raw), "iterations": 1000}),
    "too many iterations": lambda raw: resealed({**json.loads(raw), "iterations": 10**9}),
    "no number": lambda raw: resealed({**json.loads(raw), "iterations": "many"}),
    "no salt": lambda raw: resealed({**json.loads(raw), "salt": ""}),
    "another version": lambda raw: resealed({**json.loads(raw), "version": 2}),
    "nothing in it": lambda raw: resealed({"version": 1}),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_file_is_distinguished_from_a_wrong_passphrase(ring, path, damage):
    path.write_bytes(damage(path.read_bytes()))
    for use in (lambda: ring.get("model:gpt"), lambda: ring.set("model:gpt", KEY)):
        with pytest.raises(AuthError, match="is damaged") as caught:
            use()
        assert str(path) in caught.value.message
        assert "set-key" in caught.value.hint


def test_weak_key_derivation_is_refused(path):
    with pytest.raises(ValueError, match=str(ITERATIONS)):
        EncryptedFile(path, ENV, iterations=ITERATIONS - 1)


def test_file_that_cannot_be_read(path):
    path.mkdir(parents=True)
    with pytest.raises(InternalError, match="cannot read"):
        EncryptedFile(path, ENV).get("x")


def test_concurrent_writes_keep_all_secrets(ring, path):
    code = """
import pathlib, sys
from dursor.domain import Secret
from dursor.keys.file import EncryptedFile
ring = EncryptedFile(pathlib.Path(sys.argv[1]), {"DURSOR_ENCRYPTION_KEY": "correct horse"})
ring.set(sys.argv[2], Secret(sys.argv[2]))
"""
    names = ["a", "b", "c"]
    started = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in names]
    assert [one.wait() for one in started] == [0, 0, 0]
    assert [ring.get(name) for name in names] == [Secret(name) for name in names]
    assert ring.get("model:gpt") == KEY
