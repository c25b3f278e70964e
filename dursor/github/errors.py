"""Which answer of GitHub means what to a user."""

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
from dursor.github.payload import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.github.transport import RestResponse

NEEDS = "x-accepted-github-permissions"
SCOPES = "x-accepted-oauth-scopes"
SSO = "x-github-sso"
NOT_ALLOWED = ("Resource not accessible by", "Must have admin rights", "does not have permission")
LOGIN = "dursor github status"


def problem(reply: RestResponse) -> tuple[str, Sequence[str]]:
    """Read an error's message and its details; both are fit to be shown."""
    try:
        data = json.loads(reply.body)
    except (ValueError, RecursionError):
        return "", ()
    if not isinstance(data, dict):
        return "", ()
    details = data.get("errors")
    listed = details if isinstance(details, list) else []
    return words(data.get("message") or ""), tuple(_detail(one) for one in listed[:20])


def _detail(entry: Any) -> str:
    if not isinstance(entry, dict):
        return words(entry)
    if entry.get("message"):
        return words(entry["message"])
    return words(f"{entry.get('field', 'something')} is {entry.get('code', 'wrong')}")


def explain(reply: RestResponse, doing: str, source: str, host: str) -> DursorError:
    """Choose the error for an answer that was not hoped for.

    DOING is what was asked ("list the branches of o/r"), SOURCE where the login came from.
    """
    message, details = problem(reply)
    status = reply.status
    if status == 401:
        said = message or "it is not valid"
        return AuthError(f"{host} refused {source}: {said}", hint=f"{LOGIN}, dursor github login")
    if status == 403:
        return _forbidden(reply, doing, source, host, message)
    if status == 404:
        return NotFoundError(
            f"cannot {doing}: it is not on {host}, or {source} cannot see it",
            hint="dursor github repos",
        )
    said = "; ".join(dict.fromkeys(details)) or message or f"status {status}"
    return _other(status, f"cannot {doing}: {said}", host)


def _other(status: int, line: str, host: str) -> DursorError:
    if status >= 500:
        return ProviderError(
            f"{host} answered with status {status}",
            hint="try again: nothing is made twice; githubstatus.com tells of outages",
        )
    if status == 400:
        return UsageError(line, hint="dursor --version, then upgrade it")
    kind = {409: ConflictError, 410: NotFoundError, 422: ConflictError, 451: PolicyError}
    return kind.get(status, ProviderError)(line, hint="look at it on GitHub")


def _forbidden(
    reply: RestResponse, doing: str, source: str, host: str, message: str
) -> DursorError:
    if "archived" in message:
        return PolicyError(f"cannot {doing}: {message}", hint="unarchive it on GitHub")
    if reply.headers.get(SSO, "").startswith("required"):
        _, _, url = reply.headers[SSO].partition("url=")
        return AuthError(
            f"{source} is not authorized for the organization's single sign-on",
            hint=f"open {words(url)}" if url.startswith("https://") else "authorize it on GitHub",
        )
    if "suspended" in message:
        return AuthError(f"cannot {doing}: {message}", hint="unsuspend the installation on GitHub")
    needed = words(reply.headers.get(NEEDS) or reply.headers.get(SCOPES) or "")
    if any(mark in message for mark in NOT_ALLOWED) or needed:
        wanted = f": it lacks {needed}" if needed else f": {message}"
        return AuthError(
            f"{source} may not {doing}{wanted}",
            hint="grant it that permission on GitHub, or dursor github login with another",
        )
    return AuthError(f"{host} forbids to {doing}: {message or 'no reason given'}", hint=LOGIN)
