"""What git says of a remote, and what that means to a user."""

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
        "your git configuration rewrites {url}: {said}",
        "git config --get-regexp ^url",
    ),
    (ABSENT, NotFoundError, "no repository at {url}", "look for a slip in the URL"),
    (
        UNTRUSTED,
        NetworkError,
        "cannot trust {url}: {said}",
        "behind a proxy with certificates of its own: export SSL_CERT_FILE=CA.pem",
    ),
    (
        NOT_GIT,
        ProviderError,
        "what answers at {url} is no git server: {said}",
        "try again; a proxy or a page to sign in may stand between",
    ),
    (UNREACHABLE, NetworkError, "cannot reach {url}: {said}", "try again"),
)
MOVED = "stale info|fetch first|non-fast-forward|already exists|remote ref updated since checkout"
MEANWHILE = r"is at \w+ but expected|reference already exists|unable to resolve reference"
FAILED = re.compile(r"^!\t[^\t]*\t(.*)$", re.MULTILINE)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


def explain_remote(stderr: str, url: str) -> DursorError:
    """Choose the error for a git process that failed at URL, without a login of ours."""
    if re.search(LOGIN, stderr):
        return AuthError(
            f"{url} asks for a login: it is private, or not there",
            hint=f"git clone {url} FOLDER && dursor repo add FOLDER",
        )
    return _common(stderr, url)


def explain_login(stderr: str, url: str) -> DursorError:
    """Choose the error for a git process that failed at URL although it was given a token."""
    said = _from_remote(stderr)
    if "archived" in said:
        return PolicyError(f"{url}: {said}", hint="unarchive it on GitHub")
    if re.search(r"returned error: 30\d|unable to update url base", stderr):
        return NotFoundError(
            f"{url} has moved", hint="dursor repo remove it, then dursor repo add its new address"
        )
    if "returned error: 403" in stderr or "denied to" in said:
        return AuthError(
            f"the login may not write to {url}: {said or 'status 403'}",
            hint="dursor github status, then grant it Contents: read and write",
        )
    if re.search(LOGIN, stderr):
        return AuthError(
            f"{url} refused the login: {said or 'the token is not valid'}",
            hint="dursor github status, then dursor github login",
        )
    if re.search(ABSENT, stderr):
        return NotFoundError(
            f"no repository at {url}, or the login cannot see it", hint="dursor github repos"
        )
    return _common(stderr, url)


def explain_push(stdout: str, stderr: str, url: str, branch: str) -> DursorError:
    """Choose the error for a push of BRANCH to URL that failed."""
    refused = FAILED.search(stdout)
    if refused is None:
        return explain_login(stderr, url)
    reason, said = _shown(refused[1]), _from_remote(stderr)
    if "workflow" in reason:
        return AuthError(
            f"the login may not change workflow files: {_inner(reason)}",
            hint="grant it Workflows: read and write (a classic token: the scope workflow)",
        )
    moved = re.search(MOVED, reason) or re.search(MEANWHILE, f"{reason} {said}")
    if "[rejected]" in reason or moved:
        return ConflictError(
            f"the branch {branch} is not where it was: somebody else has pushed to it",
            hint="dursor pr sync, look at what is new, then start again from there",
        )
    if "directory file conflict" in reason or "cannot lock ref" in reason + said:
        return ConflictError(
            f"the repository has a branch that stands in the way of {branch}",
            hint="--branch ANOTHER-NAME",
        )
    return PolicyError(
        f"{url} does not take the branch {branch}: {said or _inner(reason)}",
        hint="--branch ANOTHER-NAME, or look at the repository's rules on GitHub",
    )


def _common(stderr: str, url: str) -> DursorError:
    said = _shown(find_reason(stderr))
    if "dubious ownership" in stderr:
        return explain("clone", stderr)
    for pattern, kind, message, hint in COMMON:
        if re.search(pattern, stderr):
            return kind(message.format(url=url, said=said), hint=hint)
    return InternalError(f"git and {url} do not get on: {said}", hint="git --version")


def _from_remote(stderr: str) -> str:
    """Pick what the server itself said, in one line."""
    lines = [line[8:].strip() for line in stderr.splitlines() if line.startswith("remote: ")]
    return _shown(" ".join(line.removeprefix("error: ") for line in lines if line))


def _inner(reason: str) -> str:
    """Take the words in brackets at the end: `[remote rejected] (WORDS)`."""
    match = re.search(r"\] \((.*)\)$", reason)
    return match[1] if match else reason


def _shown(text: str) -> str:
    return CONTROL.sub(" ", text).strip()[:400]
