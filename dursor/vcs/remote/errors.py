"""Turn git's messages about a remote into errors."""

from __future__ import annotations

import re

from dursor.errors import (
    AuthError,
    ConflictError,
    DursorError,
    InternalError,
    NetworkError,
    NotFoundError,
    PolicyError,
    ProviderError,
    UsageError,
)
from dursor.vcs.command import explain, find_reason

LOGIN = (
    "could not read Username|could not read Password|Authentication failed|Access denied"
    "|returned error: 40[13]|Invalid username"
)
ABSENT = "not found|does not appear to be a git repository|returned error: 404|does not exist"
UNTRUSTED = "SSL certificate problem|certificate verif(y|ication) failed"
NOT_GIT = (
    "is this a git repository|git-http-push failed|Cannot access URL .*, return code 22"
    "|protocol error|Could not read from remote repository"
    "|bad line length|invalid (ls-refs|server) response"
)
UNREACHABLE = (
    "Could not resolve|Failed to connect|Couldn't connect|Connection (refused|reset|timed out)"
    "|unable to access|early EOF|unexpected disconnect|hung up|RPC failed|Operation too slow"
    "|of body are still expected|expected flush"
)
COMMON: tuple[tuple[str, type[DursorError], str, str], ...] = (
    (
        r"transport '\w+' not allowed",
        UsageError,
        "your git configuration rewrites {url}: {reason}",
        "git config --get-regexp ^url",
    ),
    (ABSENT, NotFoundError, "{url} is not a repository", "check the URL"),
    (
        UNTRUSTED,
        NetworkError,
        "cannot trust the certificate of {url}: {reason}",
        "export SSL_CERT_FILE=CA.pem if a proxy has its own certificates",
    ),
    (
        NOT_GIT,
        ProviderError,
        "{url} is not a git server: {reason}",
        "try again, or check for a proxy or a login page",
    ),
    (UNREACHABLE, NetworkError, "cannot reach {url}: {reason}", "try again"),
)
MOVED = "stale info|fetch first|non-fast-forward|already exists|remote ref updated since checkout"
RACED = r"is at \w+ but expected|reference already exists|unable to resolve reference"
FAILED = re.compile(r"^!\t[^\t]*\t(.*)$", re.MULTILINE)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


def explain_remote(stderr: str, url: str) -> DursorError:
    """Return the error for a git process that failed at URL without a login."""
    if re.search(LOGIN, stderr):
        return AuthError(
            f"{url} requires a login: it is private or does not exist",
            hint=f"git clone {url} FOLDER && dursor repo add FOLDER",
        )
    return _explain_common(stderr, url)


def explain_login(stderr: str, url: str) -> DursorError:
    """Return the error for a git process that failed at URL with a token."""
    message = _find_server_message(stderr)
    if "archived" in message:
        return PolicyError(f"{url}: {message}", hint="unarchive it on GitHub")
    if re.search(r"returned error: 30\d|unable to update url base", stderr):
        return NotFoundError(
            f"{url} has moved", hint="dursor repo remove REPO && dursor repo add NEW-URL"
        )
    if "returned error: 403" in stderr or "denied to" in message:
        return AuthError(
            f"the login cannot write to {url}: {message or 'status 403'}",
            hint="grant Contents: read and write to the login that dursor github status shows",
        )
    if re.search(LOGIN, stderr):
        return AuthError(
            f"{url} rejected the login: {message or 'the token is not valid'}",
            hint="dursor github login",
        )
    if re.search(ABSENT, stderr):
        return NotFoundError(
            f"{url} does not exist, or the login cannot read it", hint="dursor github repos"
        )
    return _explain_common(stderr, url)


def explain_push(stdout: str, stderr: str, url: str, branch: str) -> DursorError:
    """Return the error for a failed push of BRANCH to URL."""
    rejection = FAILED.search(stdout)
    if rejection is None:
        return explain_login(stderr, url)
    reason, message = _clean(rejection[1]), _find_server_message(stderr)
    if "workflow" in reason:
        return AuthError(
            f"the login cannot change workflow files: {_find_inner(reason)}",
            hint="grant it Workflows: read and write (classic token: scope workflow)",
        )
    moved = re.search(MOVED, reason) or re.search(RACED, f"{reason} {message}")
    if "[rejected]" in reason or moved:
        return ConflictError(
            f"branch {branch} has moved: somebody else pushed to it",
            hint="dursor pr sync PR, then start a round from the new commits",
        )
    if "directory file conflict" in reason or "cannot lock ref" in reason + message:
        return ConflictError(
            f"branch {branch} conflicts with the name of an existing branch",
            hint="--branch ANOTHER-NAME",
        )
    return PolicyError(
        f"{url} rejects branch {branch}: {message or _find_inner(reason)}",
        hint="--branch ANOTHER-NAME, or check the repository's rules on GitHub",
    )


def _explain_common(stderr: str, url: str) -> DursorError:
    reason = _clean(find_reason(stderr))
    if "dubious ownership" in stderr:
        return explain("clone", stderr)
    for pattern, kind, message, hint in COMMON:
        if re.search(pattern, stderr):
            return kind(message.format(url=url, reason=reason), hint=hint)
    return InternalError(f"git failed at {url}: {reason}", hint="git --version")


def _find_server_message(stderr: str) -> str:
    """Return the server's own message in one line."""
    lines = [line[8:].strip() for line in stderr.splitlines() if line.startswith("remote: ")]
    return _clean(" ".join(line.removeprefix("error: ") for line in lines if line))


def _find_inner(reason: str) -> str:
    """Return the words in the parentheses of `[remote rejected] (WORDS)`."""
    match = re.search(r"\] \((.*)\)$", reason)
    return match[1] if match else reason


def _clean(text: str) -> str:
    return CONTROL.sub(" ", text).strip()[:400]
