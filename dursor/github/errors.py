"""GitHub's error responses as errors with a hint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dursor.errors import (
    AuthError,
    ConflictError,
    DursorError,
    NotFoundError,
    PolicyError,
    ProviderError,
    UsageError,
)
from dursor.github.payload import to_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.github.repo_names import RepoName
    from dursor.github.transport import RestResponse

PERMISSIONS = "x-accepted-github-permissions"
SCOPES = "x-accepted-oauth-scopes"
SSO = "x-github-sso"
NOT_ALLOWED = ("Resource not accessible by", "Must have admin rights", "does not have permission")
STATUS = "dursor github status"


def parse_error(response: RestResponse) -> tuple[str, Sequence[str]]:
    """Return the message and the details of an error, each as one printable line."""
    try:
        data = json.loads(response.body)
    except (ValueError, RecursionError):
        return "", ()
    if not isinstance(data, dict):
        return "", ()
    details = data.get("errors")
    entries = details[:20] if isinstance(details, list) else []
    return to_line(data.get("message") or ""), tuple(_to_detail(entry) for entry in entries)


def _to_detail(entry: Any) -> str:
    if not isinstance(entry, dict):
        return to_line(entry)
    if entry.get("message"):
        return to_line(entry["message"])
    return to_line(f"{entry.get('field', 'a field')} is {entry.get('code', 'invalid')}")


def to_error(response: RestResponse, action: str, source: str, host: str) -> DursorError:
    """Return the error for an unsuccessful response.

    ACTION is the purpose of the request ("list the branches of o/r"), SOURCE names the
    credentials.
    """
    message, details = parse_error(response)
    status = response.status
    if status == 401:
        reason = message or "invalid credentials"
        return AuthError(f"{host} rejected {source}: {reason}", hint="dursor github login")
    if status == 403:
        return _to_forbidden(response, action, source, host, message)
    if status == 404:
        return NotFoundError(
            f"cannot {action}: it does not exist on {host}, or {source} has no access to it",
            hint="dursor github repos",
        )
    if status >= 500:
        return ProviderError(
            f"{host} returned status {status}", hint="try again later, or check githubstatus.com"
        )
    reason = "; ".join(dict.fromkeys(details)) or message or f"status {status}"
    if status == 400:
        return UsageError(f"cannot {action}: {reason}", hint="upgrade dursor")
    kind = {409: ConflictError, 410: NotFoundError, 422: ConflictError, 451: PolicyError}
    return kind.get(status, ProviderError)(f"cannot {action}: {reason}", hint="check it on GitHub")


def _to_forbidden(
    response: RestResponse, action: str, source: str, host: str, message: str
) -> DursorError:
    if "archived" in message:
        return PolicyError(f"cannot {action}: {message}", hint="unarchive it on GitHub")
    if response.headers.get(SSO, "").startswith("required"):
        _, _, url = response.headers[SSO].partition("url=")
        return AuthError(
            f"{source} is not authorized for the organization's single sign-on",
            hint=f"open {to_line(url)}" if url.startswith("https://") else "authorize it on GitHub",
        )
    if "suspended" in message:
        return AuthError(f"cannot {action}: {message}", hint="unsuspend the installation on GitHub")
    needed = to_line(response.headers.get(PERMISSIONS) or response.headers.get(SCOPES) or "")
    if needed or any(mark in message for mark in NOT_ALLOWED):
        reason = f"missing permission {needed}" if needed else message
        return AuthError(
            f"{source} is not allowed to {action}: {reason}",
            hint="grant the permission on GitHub, or dursor github login",
        )
    return AuthError(f"{host} refused to {action}: {message or 'no reason given'}", hint=STATUS)


def to_pull_error(response: RestResponse, name: RepoName, branch: str, base: str) -> DursorError:
    """Return the error for a pull request that GitHub refused to create."""
    reason = join_details(response)
    if "No commits between" in reason:
        return ConflictError(
            f"{branch} has no commits that {base} of {name} lacks", hint="dursor pr list"
        )
    if "base is invalid" in reason:
        return NotFoundError(f"{name} has no branch {base}", hint="--base BRANCH")
    if "head is invalid" in reason:
        return ConflictError(
            f"branch {branch} does not exist, or is not in a fork of {name}", hint="try again"
        )
    if "history" in reason:
        return ConflictError(
            f"{branch} and {base} of {name} have no commit in common", hint="--base BRANCH"
        )
    if "must be a collaborator" in reason:
        return AuthError(
            f"only collaborators can open pull requests in {name}",
            hint=f"ask the owner of {name} for access",
        )
    return ConflictError(
        f"GitHub refused the pull request in {name}: {reason}", hint=f"check {name} on GitHub"
    )


def join_details(response: RestResponse) -> str:
    """Return details and message of an error as one line."""
    message, details = parse_error(response)
    return "; ".join((*details, message))
