import base64
import os

import pytest
import repos
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hub.keys import key_pair

from dursor.domain import GitHubAppConfig, Secret
from dursor.errors import AuthError, UsageError
from dursor.github.credentials import (
    AppCredentials,
    TokenCredentials,
    check_app,
    find_credentials,
    parse_private_key,
    parse_token,
    secret_name,
)
from dursor.github.host import GITHUB, GitHubHost

APP = {"DURSOR_GITHUB_APP_ID": "17", "DURSOR_GITHUB_APP_PRIVATE_KEY": key_pair()[0]}
CONFIG = GitHubAppConfig("18", "99", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
GHES = GitHubHost("https://ghe.example.com/api/v3", "https://ghe.example.com")
ON_GHES = {"GITHUB_API_URL": GHES.api_url}


def token_of(login):
    assert isinstance(login, TokenCredentials)
    return login.token.reveal(), login.source


@pytest.fixture
def stored(secret_store):
    """A store with an App's key and a token for github.com."""
    secret_store.put(secret_name(GITHUB, "app"), Secret(key_pair()[0]))
    secret_store.put(secret_name(GITHUB, "token"), Secret("stored-token"))
    return secret_store


@pytest.fixture
def gh(tmp_path):
    """Create a `gh` that knows some hosts and records its environment; returns its PATH."""

    def make(answers, *, tail=""):
        cases = "".join(f"{host}) echo {token};;\n" for host, token in answers.items())
        script = (
            "#!/bin/sh\n"
            f'env >"{tmp_path}/gh-env"; echo "$*" >"{tmp_path}/gh-args"\n{tail}\n'
            f'case "$4" in\n{cases}*) echo "no oauth token" >&2; exit 1;;\nesac\n'
        )
        repos.write(tmp_path / "bin", {"gh": repos.Script(script)})
        return f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin"

    return make


def test_precedence_of_all_sources(stored, gh):
    env = {
        **APP,
        "DURSOR_GITHUB_TOKEN": "own",
        "GH_TOKEN": "gh",
        "GITHUB_TOKEN": "actions",
        "PATH": gh({"github.com": "cli"}),
    }

    def find(config=None):
        return find_credentials(env, stored, config, GITHUB)

    assert find() == AppCredentials(
        "17", parse_private_key(key_pair()[0]), None, "DURSOR_GITHUB_APP_ID"
    )
    for name in APP:
        del env[name]
    assert token_of(find(CONFIG)) == ("own", "DURSOR_GITHUB_TOKEN")
    del env["DURSOR_GITHUB_TOKEN"]
    assert find(CONFIG) == AppCredentials("18", Secret(key_pair()[0]), "99", "dursor github login")
    assert token_of(find()) == ("stored-token", "dursor github login")
    stored.drop(secret_name(GITHUB, "token"))
    assert token_of(find()) == ("gh", "GH_TOKEN")
    del env["GH_TOKEN"]
    assert token_of(find()) == ("actions", "GITHUB_TOKEN")
    del env["GITHUB_TOKEN"]
    assert token_of(find()) == ("cli", "gh auth token")
    del env["PATH"]
    with pytest.raises(AuthError) as failure:
        find()
    assert failure.value.exit_code == 4
    assert "dursor github login" in str(failure.value.hint)


def test_remote_host_gets_no_token_of_another_host(stored, gh):
    env = {**APP, "DURSOR_GITHUB_TOKEN": "own", "GH_TOKEN": "gh", "GH_ENTERPRISE_TOKEN": "e"}
    env["PATH"] = gh({"github.com": "cli"})
    for host in (GHES, GitHubHost.from_remote_url("git@evil.example:ada/lib.git", env)):
        with pytest.raises(AuthError) as failure:
            find_credentials(env, stored, CONFIG, host)
        assert host.name in failure.value.message
        assert (
            failure.value.hint == f"export GITHUB_API_URL={host.api_url}, then dursor github login"
        )


def test_stored_token_belongs_to_one_host(stored):
    stored.put(secret_name(GHES, "token"), Secret("enterprise"))
    assert token_of(find_credentials({}, stored, None, GHES))[0] == "enterprise"
    assert token_of(find_credentials(ON_GHES, stored, None, GITHUB))[0] == "stored-token"
    names = {
        secret_name(host, kind) for host in (GHES, GITHUB) for kind in ("token", "app", "cache")
    }
    assert len(names) == 6


def test_enterprise_variables_are_for_the_named_enterprise(secret_store):
    env = {**ON_GHES, "GH_TOKEN": "gh", "GH_ENTERPRISE_TOKEN": "e", "GITHUB_ENTERPRISE_TOKEN": "f"}
    assert token_of(find_credentials(env, secret_store, None, GHES)) == ("e", "GH_ENTERPRISE_TOKEN")
    del env["GH_ENTERPRISE_TOKEN"]
    assert token_of(find_credentials(env, secret_store, None, GHES)) == (
        "f",
        "GITHUB_ENTERPRISE_TOKEN",
    )
    del env["GITHUB_ENTERPRISE_TOKEN"]
    assert token_of(find_credentials(env, secret_store, None, GHES)) == ("gh", "GH_TOKEN")
    with pytest.raises(AuthError):
        find_credentials(env, secret_store, None, GITHUB)


def test_gh_receives_the_host_and_no_secret(secret_store, gh, tmp_path):
    env = {
        "PATH": f"bin{os.pathsep}{gh({'ghe.example.com': 'cli'})}",
        "HOME": str(tmp_path),
        "OPENAI_API_KEY": "sk-secret",
        "GITHUB_ENTERPRISE_TOKEN": "",
    }
    assert token_of(find_credentials(env, secret_store, None, GHES)) == ("cli", "gh auth token")
    assert (tmp_path / "gh-args").read_text() == "auth token --hostname ghe.example.com\n"
    environment = (tmp_path / "gh-env").read_text()
    assert "sk-secret" not in environment
    assert f"HOME={tmp_path}" in environment


@pytest.mark.parametrize("tail", ["exit 0", "kill -9 $$", "echo; exit 3"])
def test_failing_gh_is_ignored(secret_store, gh, tail):
    with pytest.raises(AuthError, match=r"no GitHub login for github\.com"):
        find_credentials({"PATH": gh({"github.com": "x"}, tail=tail)}, secret_store, None, GITHUB)


def test_incomplete_app_variables(secret_store):
    for name in APP:
        rest = {key: value for key, value in APP.items() if key != name}
        with pytest.raises(AuthError, match=f"{name} is not"):
            find_credentials({**rest, "GH_TOKEN": "gh"}, secret_store, None, GITHUB)


@pytest.mark.parametrize("ident", ["17", "Iv1.8a61f9b3a7aba766", "Iv23liABCDEFGHIJ1234"])
def test_valid_app_ids(ident):
    check_app(ident, "123")


@pytest.mark.parametrize(("ident", "installation"), [("my-app", None), ("1 2", None), ("17", "x")])
def test_invalid_app_ids(ident, installation):
    with pytest.raises(AuthError):
        check_app(ident, installation)


@pytest.mark.parametrize("text", ["", "  ", "two words", "tök", "a\nb"])
def test_invalid_tokens(text):
    with pytest.raises(AuthError) as failure:
        parse_token(text, "GH_TOKEN")
    assert "GH_TOKEN" in failure.value.message
    assert text.strip() == "" or text not in failure.value.message


def test_invalid_token_does_not_fall_back_to_another_variable(secret_store):
    with pytest.raises(AuthError, match="GH_TOKEN"):
        find_credentials(
            {"GH_TOKEN": "two words", "GITHUB_TOKEN": "good"}, secret_store, None, GITHUB
        )


def test_private_key_formats():
    pem = key_pair()[0]
    forms = [
        pem,
        f"  {pem}\n\n",
        pem.replace("\n", "\\n"),
        pem.replace("\n", "\r\n"),
        base64.b64encode(pem.encode()).decode(),
        base64.encodebytes(pem.encode()).decode(),
    ]
    assert {parse_private_key(form).reveal() for form in forms} == {pem.strip() + "\n"}


def pem_of(key, lock=None):
    encryption = (
        serialization.BestAvailableEncryption(lock) if lock else serialization.NoEncryption()
    )
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, encryption).decode()


def test_pkcs8_private_key():
    pem = pem_of(rsa.generate_private_key(65537, 2048))
    assert pem.startswith("-----BEGIN PRIVATE KEY-----")
    assert parse_private_key(pem).reveal() == pem


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (" ", "empty"),
        ("not a key", "neither PEM nor Base64"),
        ("aGVsbG8=", "damaged"),
        (key_pair()[1], "damaged, or a public key"),
        (key_pair()[0][:300], "damaged"),
        (pem_of(ed25519.Ed25519PrivateKey.generate()), "RSA"),
        (pem_of(ed25519.Ed25519PrivateKey.generate(), b"pass"), "locked with a passphrase"),
    ],
    ids=range(7),
)
def test_invalid_private_keys(text, why):
    with pytest.raises(AuthError, match=why) as failure:
        parse_private_key(text, "KEY.pem")
    assert failure.value.message.startswith("KEY.pem is not")
    assert "BEGIN" not in failure.value.message


def test_invalid_url_in_the_environment(secret_store):
    with pytest.raises(UsageError):
        find_credentials({"GITHUB_API_URL": "http://ghe.example.com"}, secret_store, None, GITHUB)
