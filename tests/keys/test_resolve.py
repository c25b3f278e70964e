"""The choice of a model's key and of the store for new keys."""

import subprocess
import sys

import pytest
from keyring.backends import fail

from dursor.config import Settings
from dursor.domain import KeySource, ModelProfile, Secret
from dursor.errors import AuthError, UsageError
from dursor.keys.resolve import Keys
from dursor.providers.vendors import VENDORS

OPENAI = ModelProfile("1" * 32, "gpt", "openai", "gpt-x", "GPT", built_in=True)
GOOGLE = ModelProfile("2" * 32, "gemini", "google", "g", "Gemini", built_in=True)
PASSPHRASE = {"DURSOR_ENCRYPTION_KEY": "correct horse"}


class Places(dict):
    """The store's record of key sources."""

    def key_sources(self):
        return self


def read_key(keys, profile):
    return keys.read(profile), keys.find_source(profile)


@pytest.fixture
def make(tmp_path):
    def keys(sources=(), handed=None, ask=None, **env):
        env = {"DURSOR_DATA_DIR": str(tmp_path), "DURSOR_CONFIG_DIR": str(tmp_path), **env}
        return Keys(env, Settings(env), Places(sources), ask, handed)

    return keys


@pytest.fixture
def memory(use, backends):
    return use(backends["Memory"]())


@pytest.mark.parametrize(
    ("env", "profile", "key"),
    [
        ({"OPENAI_API_KEY": "sk-1"}, OPENAI, "sk-1"),
        ({"OPENAI_API_KEY": " sk-1\n"}, OPENAI, "sk-1"),
        ({"GEMINI_API_KEY": "b"}, GOOGLE, "b"),
        ({"GEMINI_API_KEY": "b", "GOOGLE_API_KEY": "a"}, GOOGLE, "a"),
        ({"GEMINI_API_KEY": "b", "GOOGLE_API_KEY": " "}, GOOGLE, "b"),
    ],
)
def test_key_in_the_environment(make, env, profile, key):
    keys = make(**env)
    assert keys.read(profile) == Secret(key)
    assert keys.find_source(profile) is KeySource.ENV


def test_each_vendor_reads_its_variables(make):
    for provider, vendor in VENDORS.items():
        profile = ModelProfile("3" * 32, "x", provider, "m", "X")
        for variable in vendor.key_variables:
            assert read_key(make(**{variable: "k"}), profile) == (Secret("k"), KeySource.ENV)


@pytest.mark.parametrize(
    ("profile", "named"), [(OPENAI, "OPENAI_API_KEY"), (GOOGLE, "GOOGLE_API_KEY or GEMINI_API_KEY")]
)
def test_missing_key_names_variable_and_command(make, profile, named):
    keys = make()
    assert keys.find_source(profile) is None
    with pytest.raises(AuthError) as caught:
        keys.read(profile)
    assert caught.value.message == f"no key for model '{profile.name}': {named} is not set"
    assert f"dursor models set-key {profile.provider}" in caught.value.hint
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("key", ["sk-1 2", "sk-\n1", "sk-ä", "sk-\x00"])
def test_key_that_is_invalid_in_a_header(make, key):
    with pytest.raises(AuthError, match="OPENAI_API_KEY contains a space") as caught:
        make(OPENAI_API_KEY=key).read(OPENAI)
    assert "sk-" not in caught.value.message


def test_precedence_is_profile_then_environment_then_provider(make, memory):
    memory.set_password("dursor", "model:gpt", "own")
    memory.set_password("dursor", "provider:openai", "shared")
    own, shared = {"model:gpt": KeySource.KEYRING}, {"provider:openai": KeySource.KEYRING}
    env = {"OPENAI_API_KEY": "env"}

    def read(sources, **env):
        return read_key(make(sources, **env), OPENAI)

    assert read(own | shared, **env) == (Secret("own"), KeySource.KEYRING)
    assert read(shared, **env) == (Secret("env"), KeySource.ENV)
    assert read(shared) == (Secret("shared"), KeySource.KEYRING)


def test_profile_may_name_its_key_source(make, memory):
    memory.set_password("dursor", "model:mine", "own")
    profile = ModelProfile("4" * 32, "mine", "openai", "m", "M", key_source=KeySource.KEYRING)
    assert read_key(make(OPENAI_API_KEY="env"), profile) == (Secret("own"), KeySource.KEYRING)


@pytest.mark.parametrize(("name", "target"), [("model:gpt", "gpt"), ("provider:openai", "openai")])
def test_missing_stored_key_is_an_error_not_a_fallback(make, memory, name, target):
    env = {"OPENAI_API_KEY": "env"} if name == "model:gpt" else {}
    with pytest.raises(AuthError, match=f"'{target}' is no longer in the OS keyring") as caught:
        make({name: KeySource.KEYRING}, **env).read(OPENAI)
    assert caught.value.hint == f"dursor models set-key {target}"


def test_key_from_the_parent_process_comes_first(make):
    keys = make({"model:gpt": KeySource.FILE}, handed={OPENAI.id: "handed"}, OPENAI_API_KEY="env")
    assert keys.read(OPENAI) == Secret("handed")
    assert keys.read(GOOGLE.__class__(**{**vars(OPENAI), "id": "9" * 32, "name": "x"})) == Secret(
        "env"
    )


def test_new_key_goes_into_the_keyring_when_there_is_one(make, memory, tmp_path):
    keys = make()
    assert keys.store("model:gpt", Secret("k")) is KeySource.KEYRING
    assert memory.kept == {("dursor", "model:gpt"): "k"}
    assert keys.describe_store() == "the OS keyring"
    assert make({"model:gpt": KeySource.KEYRING}).get("model:gpt") == Secret("k")
    assert keys.get("model:gpt") is None
    assert list(tmp_path.iterdir()) == []


def test_new_key_goes_into_the_file_when_there_is_no_keyring(make, use, tmp_path):
    use(fail.Keyring())
    keys = make(**PASSPHRASE)
    assert keys.store("model:gpt", Secret("k")) is KeySource.FILE
    assert keys.describe_store() == (
        f"the encrypted key file {tmp_path / 'keys.json'} (this machine has no OS keyring)"
    )
    again = make({"model:gpt": KeySource.FILE}, **PASSPHRASE)
    assert read_key(again, OPENAI) == (Secret("k"), KeySource.FILE)
    assert again.delete("model:gpt", KeySource.FILE)
    assert not again.delete("model:gpt", KeySource.FILE)


def test_no_keyring_and_no_passphrase_is_an_error(make, use, tmp_path):
    use(fail.Keyring())
    for keys in (make(), make(DURSOR_KEY_STORE="file")):
        with pytest.raises(AuthError, match="no passphrase for the encrypted key file") as caught:
            keys.store("model:gpt", Secret("k"))
        assert caught.value.hint == "export DURSOR_ENCRYPTION_KEY=PASSPHRASE"
        with pytest.raises(AuthError, match="no passphrase for the encrypted key file"):
            keys.describe_store()
    assert not (tmp_path / "keys.json").exists()


def test_chosen_keyring_is_not_replaced_by_the_file(make, use, tmp_path):
    use(fail.Keyring())
    keys = make(DURSOR_KEY_STORE="keyring", **PASSPHRASE)
    for attempt in (lambda: keys.store("model:gpt", Secret("k")), keys.describe_store):
        with pytest.raises(AuthError, match="this machine has no OS keyring"):
            attempt()
    assert not (tmp_path / "keys.json").exists()


def test_chosen_file_does_not_use_the_keyring(make, use, backends, tmp_path):
    use(backends["Hanging"]())
    keys = make(DURSOR_KEY_STORE="file", **PASSPHRASE)
    assert keys.store("model:gpt", Secret("k")) is KeySource.FILE
    assert keys.describe_store() == f"the encrypted key file {tmp_path / 'keys.json'}"


def test_key_stored_elsewhere_is_deleted_from_its_former_place(make, memory):
    memory.set_password("dursor", "model:gpt", "old")
    keys = make({"model:gpt": KeySource.KEYRING}, DURSOR_KEY_STORE="file", **PASSPHRASE)
    assert keys.read(OPENAI) == Secret("old")  # read where it lies, whatever is chosen for new ones
    assert keys.store("model:gpt", Secret("new")) is KeySource.FILE
    assert memory.kept == {}


def test_environment_is_not_a_key_store(make):
    with pytest.raises(UsageError, match="environment"):
        make().delete("model:gpt", KeySource.ENV)


def test_bad_choice_of_a_store_is_a_usage_error(make):
    with pytest.raises(UsageError, match="auto, keyring or file"):
        make(DURSOR_KEY_STORE="plaintext").store("model:gpt", Secret("k"))


def test_key_in_the_environment_loads_no_key_store(tmp_path):
    code = """
import sys
from dursor.config import Settings
from dursor.domain import ModelProfile
from dursor.keys.resolve import Keys
env = {"DURSOR_DATA_DIR": sys.argv[1], "DURSOR_CONFIG_DIR": sys.argv[1], "OPENAI_API_KEY": "k"}
class Nothing:
    def key_sources(self): return {}
keys = Keys(env, Settings(env), Nothing())
profile = ModelProfile("1", "gpt", "openai", "m", "M")
assert keys.read(profile).reveal() == "k"
heavy = {"keyring", "cryptography", "tomllib", "platformdirs", "asyncio", "logging", "subprocess"}
print(*heavy & set(sys.modules))
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.check_output(command, text=True).strip() == ""
