"""Decide which paths must not be sent to a model or changed by its patch."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DEFAULT_FORBIDDEN = (".git", ".env", ".env.*", "*.secret", "*.key", "*.pem", "credentials.*")

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")
_GIT = re.compile(r"\.git|git~\d+|gi[0-9a-f]{4}~\d+")  # the last two are NTFS short names
_SHORT = re.compile(r"([^~]{1,6})~\d+(\.[^.]*)?")
_SHORT_STEMS = {"env": ".env", "creden": "credentials.*"}
_SHORT_ENDS = {".sec": "*.secret", ".key": "*.key", ".pem": "*.pem"}


@dataclass(frozen=True)
class PathRules:
    """The default globs, additional forbidden globs, and allowed ones that override both.

    A glob without a slash matches at any depth, one with a slash from the top, `**` spans folders,
    and a folder matches everything below it. Paths are compared as the laxest file system does:
    regardless of case, trailing dots and spaces, streams and invisible characters.
    """

    forbidden: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    def find_reason(self, path: str) -> str | None:
        """Return why PATH is forbidden, or None."""
        parts = _split(path)
        if reason := _check_syntax(path, parts):
            return reason
        if any("git" in part or "~" in part for part in parts) and any(map(_GIT.fullmatch, parts)):
            return "it belongs to git"
        glob = self._forbidden.find(parts) or _find_short_name(parts)
        if glob is None or self._allowed.find(parts):
            return None
        return f"it matches {glob!r}"

    @cached_property
    def _forbidden(self) -> _Globs:
        return _Globs((*DEFAULT_FORBIDDEN[1:], *self.forbidden))

    @cached_property
    def _allowed(self) -> _Globs:
        return _Globs(self.allowed)


def _check_syntax(path: str, parts: Sequence[str]) -> str | None:
    """Return why PATH is not a path in a repository, or None."""
    if not path or _CONTROL.search(path):
        return "it is empty or contains control characters"
    if path[0] in "/\\" or _DRIVE.match(path):
        return "it is absolute"
    if ".." in parts:
        return "it leaves the repository"
    return "it is not a plain path" if "" in parts or "." in parts else None


def _split(path: str) -> list[str]:
    return [_normalize(part) for part in path.replace("\\", "/").split("/")]


@lru_cache(maxsize=1 << 16)  # folder names repeat in every path
def _normalize(part: str) -> str:
    """Normalize a component as the laxest file system does."""
    if not part.isascii():
        part = "".join(c for c in part if unicodedata.category(c) != "Cf")
        part = unicodedata.normalize("NFKC", part)
    part = part.casefold()
    if part in {"", ".", ".."}:
        return part
    stem = part.split(":", 1)[0].rstrip(". ")
    if stem:
        return stem
    return part if ":" in part else ".."  # only dots and spaces: not a name


def _find_short_name(parts: Iterable[str]) -> str | None:
    """Return the default glob that an NTFS short name among PARTS may match."""
    for part in parts:
        if "~" in part and (match := _SHORT.fullmatch(part)):
            end = match[2] or ""
            glob = _SHORT_STEMS.get(match[1]) or _SHORT_ENDS.get(end[:4])
            if glob:
                return glob
    return None


class _Globs:
    """Globs compiled to match normalized components of a path."""

    def __init__(self, globs: Iterable[str]) -> None:
        self._names: list[tuple[str, re.Pattern[str]]] = []
        self._paths: list[tuple[str, list[re.Pattern[str] | None]]] = []
        for glob in globs:
            text = unicodedata.normalize("NFKC", glob.replace("\\", "/")).casefold()
            text = text.removeprefix("./").rstrip("/")
            if "/" in text:
                self._paths.append((glob, _compile(text.lstrip("/"))))
            elif text:
                self._names.append((glob, re.compile(translate(text))))

    @cached_property
    def _any_name(self) -> re.Pattern[str]:
        return re.compile("|".join(pattern.pattern for _, pattern in self._names) or r"(?!)")

    def find(self, parts: Sequence[str]) -> str | None:
        """Return the first glob that matches PARTS or a parent folder."""
        for part in parts:
            if self._any_name.match(part):
                return next(glob for glob, pattern in self._names if pattern.match(part))
        return next((glob for glob, pattern in self._paths if _matches(pattern, parts)), None)


def _compile(text: str) -> list[re.Pattern[str] | None]:
    """Compile the components of a glob; None is `**`."""
    patterns: list[re.Pattern[str] | None] = []
    for part in text.split("/"):
        if part != "**":
            patterns.append(re.compile(translate(part)))
        elif not patterns or patterns[-1] is not None:
            patterns.append(None)
    return patterns


def _matches(pattern: Sequence[re.Pattern[str] | None], parts: Sequence[str]) -> bool:
    """Check whether PATTERN matches PARTS or a leading part of them."""
    states = {0}
    for part in parts:
        states |= {i + 1 for i in states if i < len(pattern) and pattern[i] is None}
        if len(pattern) in states:
            return True
        after: set[int] = set()
        for index in states:
            component = pattern[index]
            if component is None:
                after.add(index)
            elif component.match(part):
                after.add(index + 1)
        states = after
    return len(pattern) in states
