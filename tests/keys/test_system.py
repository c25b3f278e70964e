"""The OS keyring and its time limit."""

import subprocess
import sys
import time

import pytest
from keyring.backends import fail, null

from dursor.domain import KeySource, Secret
from dursor.errors import AuthError
from dursor.keys.system import LIMIT, SystemKeyring

KEY = Secret("sk-test-0123456789abcdef")


def test_secret_is_stored_under_the_programs_name(use, backends):
    backend, ring = use(backends["Memory"]()), SystemKeyring()
    assert ring.source is KeySource.KEYRING
    assert ring.find_problem() is None
    assert ring.get("model:gpt") is None
    ring.set("model:gpt", KEY)
    assert backend.kept == {("dursor", "model:gpt"): KEY.reveal()}
    assert SystemKeyring().get("model:gpt") == KEY
    assert ring.delete("model:gpt") is True
    assert ring.delete("model:gpt") is False
    assert backend.kept == {}


def test_limit_is_three_seconds():
    assert SystemKeyring().limit == LIMIT == 3.0


@pytest.mark.parametrize("kind", ["fail", "null", "plaintext", "chain of unsafe ones"])
@pytest.mark.parametrize("call", [("get", "x"), ("set", "x", KEY), ("delete", "x")], ids=str)
def test_missing_keyring_is_reported(use, backends, kind, call):
    plain = backends["Plaintext"]()
    kinds = {"fail": fail.Keyring(), "null": null.Keyring(), "plaintext": plain}
    use(kinds.get(kind) or backends["Chain"](plain, fail.Keyring()))
    ring, (method, *arguments) = SystemKeyring(), call
    assert ring.find_problem() == "this machine has no OS keyring"
    with pytest.raises(AuthError, match="this machine has no OS keyring") as caught:
        getattr(ring, method)(*arguments)
    assert caught.value.hint.startswith("export DURSOR_KEY_STORE=file")
    assert caught.value.exit_code == 4
    assert plain.kept == {}


def test_first_safe_keyring_of_several_is_used(use, backends):
    plain, memory = backends["Plaintext"](), backends["Memory"]()
    use(backends["Chain"](plain, memory))
    SystemKeyring().set("x", KEY)
    assert (plain.kept, len(memory.kept)) == ({}, 1)


def test_failing_keyring_is_a_one_line_error(use, backends):
    use(backends["Failing"]())
    assert SystemKeyring().find_problem() == "the OS keyring failed: the collection is locked"
    use(backends["Odd"]())
    with pytest.raises(AuthError, match=r"the OS keyring failed \(OddError\)"):
        SystemKeyring().get("x")


def test_keyring_that_stores_nothing_is_detected(use, backends):
    use(backends["Forgetful"]())
    with pytest.raises(AuthError, match="did not store the key") as caught:
        SystemKeyring().set("x", KEY)
    assert KEY.reveal() not in caught.value.message


def test_hanging_keyring_times_out_and_is_not_tried_again(use, backends):
    use(backends["Hanging"]())
    ring = SystemKeyring(limit=0.1)
    start = time.monotonic()
    with pytest.raises(AuthError, match=r"timed out after 0\.1 s"):
        ring.get("x")
    first = time.monotonic() - start
    assert ring.find_problem() == "the OS keyring timed out after 0.1 s"
    assert time.monotonic() - start - first < 0.1
    assert first < 2


def test_hanging_keyring_import_does_not_block_the_process(tmp_path):
    package = tmp_path / "keyring"
    package.mkdir()
    (package / "__init__.py").write_text("import threading\nthreading.Event().wait(60)\n")
    code = """
import sys
sys.path.insert(0, sys.argv[1])
from dursor.keys.system import SystemKeyring
print(SystemKeyring(limit=0.2).find_problem())
"""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "the OS keyring timed out after 0.2 s\n"
    assert time.monotonic() - start < 20


def test_keyring_that_is_not_installed(tmp_path):
    code = """
import sys
sys.modules["keyring"] = None
from dursor.keys.system import SystemKeyring
print(SystemKeyring().find_problem())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "this machine has no OS keyring\n"
