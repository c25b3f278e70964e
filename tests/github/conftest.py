import pytest

from dursor.errors import AuthError
from dursor.github.client import GitHub
from dursor.github.credentials import find_credentials
from dursor.github.host import GitHubHost


class MemoryStore:
    """Keeps secrets for one test; if `closed`, it raises AuthError."""

    def __init__(self):
        self.secrets = {}
        self.closed = False

    def get(self, name):
        self._check()
        return self.secrets.get(name)

    def put(self, name, secret):
        self._check()
        self.secrets[name] = secret

    def drop(self, name):
        self.secrets.pop(name, None)

    def _check(self):
        if self.closed:
            raise AuthError("closed")


class Sleeper:
    """Records durations instead of sleeping."""

    def __init__(self):
        self.slept = []

    def __call__(self, seconds):
        self.slept.append(seconds)


@pytest.fixture
def secret_store():
    return MemoryStore()


@pytest.fixture
def sleeper():
    return Sleeper()


@pytest.fixture
def connect(hub, secret_store, sleeper):
    """Connect to the double with the credentials of an environment."""
    opened = []

    def connect(env, **options):
        host = GitHubHost.from_env(env)
        login = find_credentials(env, secret_store, None, host)
        opened.append(GitHub(host, login, secret_store, **{"sleep": sleeper, **options}))
        return opened[-1]

    yield connect
    for github in opened:
        github.close()


@pytest.fixture
def lib(hub):
    """A private repository of Ada's."""
    return hub.repo("ada/lib", {"a.py": "1\n"}, private=True)


@pytest.fixture
def ada(hub, lib, connect):
    """A client with a token of Ada's."""
    return connect(hub.env(hub.token("ada")))
