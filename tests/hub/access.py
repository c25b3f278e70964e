"""Callers and their permissions."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import jwt

from hub.state import Account, App, Installation, Repo, Token
from hub.wire import RefusalError, Request, missing

ORDER = ("read", "write", "admin")
EXPIRED = "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
TOO_FAR = "'Expiration time' claim ('exp') is too far in the future"
NOT_YET = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
UNREADABLE = "A JSON web token could not be decoded"
BY_APP = "Resource not accessible by integration"
BY_TOKEN = "Resource not accessible by personal access token"


@dataclass(frozen=True)
class Caller:
    """The sender of a request: an App with its assertion, a token, or nobody."""

    app: App | None = None
    token: Token | None = None

    @property
    def account(self) -> Account | None:
        """The account that acts."""
        if self.token is None:
            return None
        if self.token.installation is not None:
            app = self.token.installation.app
            return Account(f"{app.slug}[bot]", app.id + 100_000, "Bot")
        return self.token.user

    @property
    def installation(self) -> Installation | None:
        """The installation of the token."""
        return self.token.installation if self.token else None


def identify(state: Any, request: Request) -> Caller:
    """Return the sender of REQUEST; 401 for invalid credentials."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        return Caller()
    if scheme.lower() not in {"bearer", "token"} or not credential:
        raise RefusalError(401, "Bad credentials")
    if credential.count(".") == 2 and not credential.startswith("gh"):
        if scheme.lower() == "token":
            raise RefusalError(401, UNREADABLE)
        return Caller(app=app_of(state, credential))
    return Caller(token=find_token(state, credential))


def find_token(state: Any, text: str) -> Token:
    """Return a token that is valid now."""
    token = state.tokens.get(text)
    if token is not None and token.unknown_for > 0:
        token.unknown_for -= 1
        token = None
    if token is None or token.revoked or token.expires <= state.now():
        raise RefusalError(401, "Bad credentials")
    return token


def app_of(state: Any, assertion: str) -> App:
    """Return the App of a valid assertion."""
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise RefusalError(401, UNREADABLE) from None
    issuer = str(claims.get("iss"))
    app = next((a for a in state.apps if issuer in {str(a.id), a.client_id}), None)
    if app is None:
        raise RefusalError(404, "Integration not found")
    try:
        jwt.decode(
            assertion, app.key, ["RS256"], options={"verify_exp": False, "verify_iat": False}
        )
    except jwt.PyJWTError:
        raise RefusalError(401, UNREADABLE) from None
    _check_times(claims, state.now())
    return app


def _check_times(claims: dict[str, Any], now: float) -> None:
    issued, ends = claims.get("iat"), claims.get("exp")
    if not isinstance(ends, int) or ends <= now:
        raise RefusalError(401, EXPIRED)
    if ends > now + 600:
        raise RefusalError(401, TOO_FAR)
    if not isinstance(issued, int) or issued > now:
        raise RefusalError(401, NOT_YET)


def role(caller: Caller, repo: Repo) -> str | None:
    """Return the role of CALLER in REPO: None, read, write or admin."""
    token = caller.token
    if token is not None and token.installation is not None:
        installed = token.installation
        reaches = repo.owner is installed.account and _in(repo, installed.repos)
        if reaches and _in(repo, token.repos):
            return "write"
    elif token is not None and token.user is not None and _in(repo, token.repos):
        mine = "admin" if repo.owner is token.user else repo.roles.get(token.user.login)
        if mine is not None and ("repo" in token.scopes or not repo.private):
            return mine
    return None if repo.private else "read"


def _in(repo: Repo, ids: set[int] | None) -> bool:
    return ids is None or repo.id in ids


def demand(caller: Caller, repo: Repo, permission: str, level: str) -> None:
    """Refuse unless CALLER has PERMISSION ("contents") at LEVEL ("write") on REPO."""
    mine = role(caller, repo)
    if mine is None:
        raise missing()
    if not has(caller, repo, permission, level):
        what = BY_APP if caller.installation else BY_TOKEN
        raise RefusalError(403, what, x_accepted_github_permissions=f"{permission}={level}")


def has(caller: Caller, repo: Repo, permission: str, level: str) -> bool:
    """Tell whether CALLER has PERMISSION at LEVEL on REPO."""
    mine = role(caller, repo)
    if mine is None:
        return False
    if (permission, level) == ("metadata", "read"):
        return True
    token = caller.token
    if caller.installation is not None and mine == "read":
        return level == "read"  # a public repository that the App is not installed on
    granted = None if token is None else token.permissions
    if granted is not None and (repo.private or level != "read"):
        level_granted = granted.get(permission, "")
        return level_granted in ORDER and ORDER.index(level_granted) >= ORDER.index(level)
    if permission == "pull_requests" and level == "write":
        return caller.account is not None  # readers may open pull requests
    return ORDER.index(mine) >= ORDER.index(level)


def basic(request: Request) -> str | None:
    """Return the password that git sends, or None."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password if user else ""
