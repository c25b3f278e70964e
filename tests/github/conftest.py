import pytest

from dursor.errors import AuthError
from dursor.github.client import GitHub
from dursor.github.credentials import find_credentials
from dursor.github.host import GitHubHost


class MemoryVault:
    """Keeps secrets for one test; `closed` is a key store that nobody can open."""

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
    """Remembers how long it was asked to sleep, and does not."""

    def __init__(self):
        self.slept = []

    def __call__(self, seconds):
        self.slept.append(seconds)


@pytest.fixture
def vault():
    return MemoryVault()


@pytest.fixture
def sleeper():
    return Sleeper()


@pytest.fixture
def connect(hub, vault, sleeper):
    """Connect to the GitHub as what an environment says; closed at the end."""
    opened = []

    def connect(env, **options):
        host = GitHubHost.from_env(env)
        login = find_credentials(env, vault, None, host)
        opened.append(GitHub(host, login, vault, **{"sleep": sleeper, **options}))
        return opened[-1]

    yield connect
    for github in opened:
        github.close()


@pytest.fixture
def lib(hub):
    """Make a private repository of Ada's."""
    return hub.repo("ada/lib", {"a.py": "1\n"}, private=True)


@pytest.fixture
def ada(hub, lib, connect):
    """Connect as Ada, by a token."""
    return connect(hub.env(hub.token("ada")))
