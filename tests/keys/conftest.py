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
    """A keyring that says nothing and keeps nothing."""

    def set_password(self, service, username, password):
        pass


class Plaintext(Memory):
    """A keyring that keeps keys in the clear."""


class Failing(Memory):
    """A keyring that cannot be unlocked."""

    def get_password(self, service, username):
        raise PasswordSetError("the collection\nis locked")


class Odd(Memory):
    """A keyring that fails in a way of its own."""

    class OddError(Exception):
        pass

    def get_password(self, service, username):
        raise self.OddError


class Hanging(Memory):
    """A keyring that waits for somebody who is not there."""

    def __init__(self):
        super().__init__()
        self.let_go = threading.Event()

    def get_password(self, service, username):
        self.let_go.wait(60)


class Chain(Memory):
    """Several keyrings, as keyring's own chainer has them."""

    def __init__(self, *backends):
        super().__init__()
        self.backends = list(backends)


@pytest.fixture
def use():
    """Makes a backend the one in use."""
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
