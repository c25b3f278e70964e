"""Check and shorten URLs of repositories without loading GitPython."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import SplitResult, unquote, urlsplit

from dursor.errors import UsageError
from dursor.hosts import is_loopback

SCP_FORM = re.compile(r"(?:[^@/:\s]+@)?([^@/:\s]+):(?!//)(.+)")


def strip_credentials(url: str) -> str:
    """Remove user and password from URL; an SSH user name is part of the address and stays."""
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/]*)@(.*)", url, re.DOTALL)
    if not match:
        return url
    scheme, userinfo, rest = match.groups()
    user = userinfo.partition(":")[0]
    return f"{scheme}{user}@{rest}" if "ssh" in scheme.lower() else scheme + rest


def derive_name(url: str) -> str:
    """Derive a repository's name from the last part of its URL without `.git`."""
    path = re.sub(r"^[^:/]*://[^/]*", "", url).replace(":", "/")
    last = PurePosixPath(unquote(path).rstrip("/")).name.removesuffix(".git")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-.")
    return name or "repository"


def check_url(url: str) -> SplitResult:
    """Split URL; UsageError if it cannot be cloned. Messages never contain credentials."""
    shown = strip_credentials(url)
    if not url.isprintable() or url.startswith("-") or set(url) & set(" \\"):
        raise UsageError(f"{shown[:100]!a} is not a URL")
    if re.match(r"[A-Za-z0-9][A-Za-z0-9+.-]*::", url):
        raise UsageError(f"git's helper protocols are not supported: {shown}", hint="use https://")
    if "://" not in url:
        raise _explain_invalid(url)
    parts = _split(url, shown)
    if parts.scheme == "file":
        return _check_file(parts, shown)
    if parts.scheme not in {"https", "http"}:
        raise UsageError(f"cannot clone over {parts.scheme}: {shown}", hint=_suggest_https(parts))
    return _check_web(parts, shown)


def _check_web(parts: SplitResult, shown: str) -> SplitResult:
    if parts.username is not None or parts.password is not None:
        raise UsageError("a URL must not contain credentials", hint=f"dursor repo add {shown}")
    if not parts.hostname or not parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(f"{shown} is not the URL of a repository")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise UsageError(f"plain http is not safe: {shown}", hint=_suggest_https(parts))
    return parts


def _split(url: str, shown: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"{shown} is not a URL") from error
    return parts


def _check_file(parts: SplitResult, shown: str) -> SplitResult:
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
        raise UsageError(f"{shown} is not the URL of a local repository", hint="file:///full/path")
    return parts


def _explain_invalid(url: str) -> UsageError:
    match = SCP_FORM.fullmatch(url)
    if not match:
        return UsageError(f"{url} is not a URL", hint="https://host/owner/name.git")
    return UsageError(
        f"cannot clone over ssh: {url}", hint=f"dursor repo add https://{match[1]}/{match[2]}"
    )


def _suggest_https(parts: SplitResult) -> str:
    return f"dursor repo add https://{parts.hostname or 'host'}{parts.path}"
