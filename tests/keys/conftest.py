import threading

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordSetError


class Memory(KeyringBackend):
    """A keyring that works."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


class Forgetful(Memory):
    """A keyring that silently stores nothing."""

    def set_password(self, service, username, password):
        pass


class Plaintext(Memory):
    """A keyring that stores plain text."""


class Failing(Memory):
    """A keyring that cannot be unlocked."""

    def get_password(self, service, username):
        raise PasswordSetError("the collection\nis locked")


class Odd(Memory):
    """A keyring that raises its own exception."""

    class OddError(Exception):
        pass

    def get_password(self, service, username):
        raise self.OddError


class Hanging(Memory):
    """A keyring that hangs."""

    def __init__(self):
        super().__init__()
        self.let_go = threading.Event()

    def get_password(self, service, username):
        self.let_go.wait(60)


class Chain(Memory):
    """Several keyrings, as in keyring's chainer backend."""

    def __init__(self, *backends):
        super().__init__()
        self.backends = list(backends)


@pytest.fixture
def use():
    """Activate a backend."""
    before, hanging = keyring.get_keyring(), []

    def choose(backend):
        keyring.set_keyring(backend)
        hanging.append(backend)
        return backend

    yield choose
    keyring.set_keyring(before)
    for backend in hanging:
        if isinstance(backend, Hanging):
            backend.let_go.set()


@pytest.fixture
def backends():
    return {
        one.__name__: one for one in (Memory, Forgetful, Plaintext, Failing, Odd, Hanging, Chain)
    }
