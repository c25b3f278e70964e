"""Who dursor is to GitHub: an App or a token, and where that was said. No network here."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from dursor.domain import Secret
from dursor.errors import AuthError
from dursor.github.host import API, GITHUB, GitHubHost
from dursor.github.programs import ask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from dursor.domain import GitHubAppConfig

APP_ID = "DURSOR_GITHUB_APP_ID"
PRIVATE_KEY = "DURSOR_GITHUB_APP_PRIVATE_KEY"
INSTALLATION_ID = "DURSOR_GITHUB_APP_INSTALLATION_ID"
OWN_TOKEN = "DURSOR_GITHUB_TOKEN"  # noqa: S105 - the name of a variable
TOKENS = ("GH_TOKEN", "GITHUB_TOKEN")
ENTERPRISE_TOKENS = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
STORED = "dursor github login"
# What gh needs to find its own login, besides where the user's things are.
GH_VARIABLES = (
    "GH_CONFIG_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
)


class NotSignedInError(AuthError):
    """Nobody has said who dursor is on this GitHub."""


class SecretStore(Protocol):
    """Where secrets are kept between commands: encrypted, never in the database."""

    def get(self, name: str) -> Secret | None:
        """Read a secret; None when there is none of this name."""
        ...

    def put(self, name: str, secret: Secret) -> None:
        """Keep a secret; AuthError when there is no place for it."""
        ...

    def drop(self, name: str) -> None:
        """Forget a secret."""
        ...


@dataclass(frozen=True)
class AppCredentials:
    """A GitHub App; without an installation id, a repository's own is looked up."""

    app_id: str  # or its client id
    private_key: Secret
    installation_id: str | None
    source: str  # where it was said, in words for people


@dataclass(frozen=True)
class TokenCredentials:
    """A personal access token, or any other that somebody else has made."""

    token: Secret
    source: str


Credentials: TypeAlias = AppCredentials | TokenCredentials


def token_key(host: GitHubHost) -> str:
    """Name the stored token for HOST; a login is never sent to another host than its own."""
    return f"github:token:{host.name}"


def app_key(host: GitHubHost) -> str:
    """Name the stored private key of the App on HOST."""
    return f"github:app:{host.name}"


def cache_key(host: GitHubHost) -> str:
    """Name what is kept of installation tokens for HOST."""
    return f"github:cache:{host.name}"


def find_credentials(
    env: Mapping[str, str], vault: SecretStore, app: GitHubAppConfig | None, host: GitHubHost
) -> Credentials:
    """Find the login for HOST; AuthError says what to type.

    What the environment holds is for the GitHub that the environment names: the address of some
    remote must not choose where a token goes.
    """
    named = host == GitHubHost.from_env(env)
    found = (_own(env) if named else None) or _stored(vault, app, host)
    if found is None and named:
        found = _ambient(env, host)
    found = found or _gh(env, host)
    if found is None:
        raise _missing(host, named=named)
    return found


def parse_token(text: str, source: str) -> Secret:
    """Take a token; AuthError when it could not stand in a request header."""
    token = text.strip()
    if token and token.isascii() and token.isprintable() and " " not in token:
        return Secret(token)
    raise AuthError(
        f"{source} holds something other than a token (nothing, a blank, a letter beyond ASCII)",
        hint="copy the token again",
    )


def parse_private_key(text: str, source: str = "the private key") -> Secret:
    """Take a private key: PEM, maybe with its line breaks spelt out, or Base64 of that."""
    pem = text.replace("\\n", "\n").replace("\r\n", "\n").strip()
    if not pem:
        raise _no_key(source, "it is empty")
    if "-----BEGIN" not in pem:
        try:
            pem = base64.b64decode("".join(pem.split()), validate=True).decode("ascii").strip()
        except (binascii.Error, ValueError) as error:
            raise _no_key(source, "it is neither PEM nor Base64 of it") from error
    key = Secret(pem + "\n")
    load_private_key(key, source)
    return key


def load_private_key(key: Secret, source: str) -> RSAPrivateKey:
    """Make KEY ready to sign with; AuthError says what is wrong with it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:  # proving the primes takes 0.1 s, and GitHub sees at once whether it is the App's key
        found = load_pem_private_key(
            key.reveal().encode(), None, unsafe_skip_rsa_key_validation=True
        )
    except TypeError as error:
        raise _no_key(source, "it is locked with a passphrase") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _no_key(source, "it is damaged, or a public one") from error
    if not isinstance(found, RSAPrivateKey):
        raise _no_key(source, "Apps have RSA keys")
    return found


def _no_key(source: str, why: str) -> AuthError:
    return AuthError(
        f"{source} is not the private key of an App: {why}",
        hint="download a private key (.pem) from the App's page on GitHub",
    )


def _own(env: Mapping[str, str]) -> Credentials | None:
    """Find what the environment says to dursor alone."""
    app_id, key = env.get(APP_ID, "").strip(), env.get(PRIVATE_KEY, "").strip()
    if app_id and key:
        installation = env.get(INSTALLATION_ID, "").strip() or None
        check_app(app_id, installation)
        return AppCredentials(app_id, parse_private_key(key, PRIVATE_KEY), installation, APP_ID)
    if app_id or key:
        given, lacking = (APP_ID, PRIVATE_KEY) if app_id else (PRIVATE_KEY, APP_ID)
        raise AuthError(f"{given} is set, {lacking} is not", hint=f"export {lacking}=...")
    return _token(env, OWN_TOKEN)


def check_app(app_id: str, installation_id: str | None) -> None:
    """Refuse ids that cannot be; AuthError."""
    if not re.fullmatch(r"[0-9]{1,20}|(?i:iv)[A-Za-z0-9.]{6,60}", app_id):
        raise AuthError(
            f"not an App id or client id: {app_id[:60]!a}", hint="look at the App's page on GitHub"
        )
    if installation_id is not None and not re.fullmatch(r"[0-9]{1,20}", installation_id):
        raise AuthError(
            f"not an installation id: {installation_id[:60]!a}",
            hint="leave it away: dursor finds it",
        )


def _stored(
    vault: SecretStore, app: GitHubAppConfig | None, host: GitHubHost
) -> Credentials | None:
    if app is not None and (key := vault.get(app_key(host))) is not None:
        return AppCredentials(app.app_id, key, app.installation_id, STORED)
    token = vault.get(token_key(host))
    return None if token is None else TokenCredentials(token, STORED)


def _ambient(env: Mapping[str, str], host: GitHubHost) -> Credentials | None:
    """Find what the environment says to any program."""
    is_cloud = host == GITHUB or host.name.endswith(".ghe.com")
    for name in TOKENS if is_cloud else (*ENTERPRISE_TOKENS, *TOKENS):
        if (found := _token(env, name)) is not None:
            return found
    return None


def _token(env: Mapping[str, str], name: str) -> Credentials | None:
    given = env.get(name, "").strip()
    return TokenCredentials(parse_token(given, name), name) if given else None


def _gh(env: Mapping[str, str], host: GitHubHost) -> Credentials | None:
    """Return the token of the `gh` command line, if it is installed and signed in to HOST."""
    words = ["gh", "auth", "token", "--hostname", host.name]
    text = ask(words, env, GH_VARIABLES, GH_PROMPT_DISABLED="1", NO_COLOR="1")
    if not text:
        return None
    return TokenCredentials(parse_token(text, "gh auth token"), "gh auth token")


def _missing(host: GitHubHost, *, named: bool) -> NotSignedInError:
    if named:
        return NotSignedInError(
            f"there is no login for {host.name}",
            hint=f"dursor github login, or export {OWN_TOKEN}=...",
        )
    return NotSignedInError(
        f"there is no login for {host.name}, which the environment does not name as a GitHub",
        hint=f"if it is one: export {API}={host.api_url}, then dursor github login",
    )
