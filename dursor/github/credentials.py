"""The credentials for a GitHub host, found without a request."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from dursor.domain import Secret
from dursor.errors import AuthError
from dursor.github.host import API, GITHUB, TENANTS, GitHubHost
from dursor.github.programs import run_program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from dursor.domain import GitHubAppConfig

APP_ID = "DURSOR_GITHUB_APP_ID"
PRIVATE_KEY = "DURSOR_GITHUB_APP_PRIVATE_KEY"
INSTALLATION_ID = "DURSOR_GITHUB_APP_INSTALLATION_ID"
DURSOR_TOKEN = "DURSOR_GITHUB_TOKEN"  # noqa: S105 - the name of a variable
TOKENS = ("GH_TOKEN", "GITHUB_TOKEN")
ENTERPRISE_TOKENS = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
STORED = "dursor github login"
LOGIN_APP = "dursor github login --app-id ID --private-key-file FILE"
# Variables that gh needs to find its own login.
GH_VARIABLES = (
    *("GH_CONFIG_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"),
    *("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"),
)


class NotSignedInError(AuthError):
    """No credentials exist for this host."""


class SecretStore(Protocol):
    """Keeps secrets between commands, encrypted, never in the database."""

    def get(self, name: str) -> Secret | None:
        """Return the secret called NAME."""

    def put(self, name: str, secret: Secret) -> None:
        """Keep a secret; AuthError if there is no place for it."""


@dataclass(frozen=True)
class AppCredentials:
    """A GitHub App; without an installation id, it is looked up for each repository."""

    app_id: str  # or its client id
    private_key: Secret
    installation_id: str | None
    source: str  # a variable or a command, for messages


@dataclass(frozen=True)
class TokenCredentials:
    """A personal access token, or any other token."""

    token: Secret
    source: str


Credentials: TypeAlias = AppCredentials | TokenCredentials


def secret_name(host: GitHubHost, kind: Literal["token", "app", "cache"]) -> str:
    """Return the name of HOST's token, App key or cached installation tokens in the store."""
    return f"github:{kind}:{host.name}"


def find_credentials(
    env: Mapping[str, str], store: SecretStore, app: GitHubAppConfig | None, host: GitHubHost
) -> Credentials:
    """Return the credentials for HOST; raises NotSignedInError.

    Variables count only for the host that the environment names: a remote's URL must not choose
    the host that receives a token.
    """
    is_named = host == GitHubHost.from_env(env)
    credentials = (_read_dursor_variables(env) if is_named else None) or _load(store, app, host)
    if credentials is None and is_named:
        credentials = _read_common_variables(env, host)
    credentials = credentials or _ask_gh(env, host)
    if credentials is not None:
        return credentials
    raise NotSignedInError(
        f"no GitHub login for {host.name}",
        hint=f"dursor github login, or export {DURSOR_TOKEN}=..."
        if is_named
        else f"export {API}={host.api_url}, then dursor github login",
    )


def parse_token(text: str, source: str) -> Secret:
    """Return a token; AuthError if it cannot be sent in a header."""
    token = text.strip()
    if token and token.isascii() and token.isprintable() and " " not in token:
        return Secret(token)
    raise AuthError(
        f"{source} is not a token: it is empty, or has a space or a non-ASCII character",
        hint="copy the token again",
    )


def parse_private_key(text: str, source: str = "the private key") -> Secret:
    """Return a private key from PEM, also with escaped line breaks or in Base64."""
    pem = text.replace("\\n", "\n").replace("\r\n", "\n").strip()
    if not pem:
        raise _to_key_error(source, "it is empty")
    if "-----BEGIN" not in pem:
        try:
            pem = base64.b64decode("".join(pem.split()), validate=True).decode("ascii").strip()
        except (binascii.Error, ValueError) as error:
            raise _to_key_error(source, "it is neither PEM nor Base64") from error
    key = Secret(pem + "\n")
    load_private_key(key, source)
    return key


def load_private_key(key: Secret, source: str) -> RSAPrivateKey:
    """Load KEY for signing; AuthError if it is invalid."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:  # validation takes 0.1 s, and GitHub rejects a wrong key at once
        private_key = load_pem_private_key(
            key.reveal().encode(), None, unsafe_skip_rsa_key_validation=True
        )
    except TypeError as error:
        raise _to_key_error(source, "it is locked with a passphrase") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _to_key_error(source, "it is damaged, or a public key") from error
    if not isinstance(private_key, RSAPrivateKey):
        raise _to_key_error(source, "it is not an RSA key")
    return private_key


def _to_key_error(source: str, reason: str) -> AuthError:
    return AuthError(
        f"{source} is not the private key of an App: {reason}",
        hint="download a private key (.pem) from the App's page on GitHub",
    )


def check_app(app_id: str, installation_id: str | None) -> None:
    """Raise AuthError for malformed ids."""
    if not re.fullmatch(r"[0-9]{1,20}|(?i:iv)[A-Za-z0-9.]{6,60}", app_id):
        raise AuthError(
            f"{app_id[:60]!a} is not an App id or client id",
            hint="copy the id from the App's page on GitHub",
        )
    if installation_id is not None and not re.fullmatch(r"[0-9]{1,20}", installation_id):
        raise AuthError(
            f"{installation_id[:60]!a} is not an installation id", hint="remove --installation-id"
        )


def _read_dursor_variables(env: Mapping[str, str]) -> Credentials | None:
    app_id, key = env.get(APP_ID, "").strip(), env.get(PRIVATE_KEY, "").strip()
    if app_id and key:
        installation = env.get(INSTALLATION_ID, "").strip() or None
        check_app(app_id, installation)
        return AppCredentials(app_id, parse_private_key(key, PRIVATE_KEY), installation, APP_ID)
    if app_id or key:
        present, missing = (APP_ID, PRIVATE_KEY) if app_id else (PRIVATE_KEY, APP_ID)
        raise AuthError(f"{present} is set, but {missing} is not", hint=f"export {missing}=...")
    return _read_token(env, DURSOR_TOKEN)


def _read_common_variables(env: Mapping[str, str], host: GitHubHost) -> Credentials | None:
    is_cloud = host == GITHUB or host.name.endswith(TENANTS)
    names = TOKENS if is_cloud else (*ENTERPRISE_TOKENS, *TOKENS)
    return next((token for name in names if (token := _read_token(env, name))), None)


def _read_token(env: Mapping[str, str], name: str) -> Credentials | None:
    text = env.get(name, "").strip()
    return TokenCredentials(parse_token(text, name), name) if text else None


def _load(store: SecretStore, app: GitHubAppConfig | None, host: GitHubHost) -> Credentials | None:
    if app is not None and (key := store.get(secret_name(host, "app"))) is not None:
        return AppCredentials(app.app_id, key, app.installation_id, STORED)
    token = store.get(secret_name(host, "token"))
    return None if token is None else TokenCredentials(token, STORED)


def _ask_gh(env: Mapping[str, str], host: GitHubHost) -> Credentials | None:
    """Return the token of the `gh` command, if it is installed and signed in to HOST."""
    command = ["gh", "auth", "token", "--hostname", host.name]
    text = run_program(command, env, GH_VARIABLES, GH_PROMPT_DISABLED="1", NO_COLOR="1")
    source = "gh auth token"
    return TokenCredentials(parse_token(text, source), source) if text else None
