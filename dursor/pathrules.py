"""Which paths may never be sent to a model, nor be touched by its answer."""

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
_GIT = re.compile(r"\.git|git~\d+|gi[0-9a-f]{4}~\d+")  # the latter are its NTFS short names
_SHORT = re.compile(r"([^~]{1,6})~\d+(\.[^.]*)?")
_SHORT_STEMS = {"env": ".env", "creden": "credentials.*"}
_SHORT_ENDS = {".sec": "*.secret", ".key": "*.key", ".pem": "*.pem"}


@dataclass(frozen=True)
class PathRules:
    """The defaults, what was added to them, and what was allowed in spite of them (globs).

    A glob without a slash matches at any depth; one with a slash from the top; `**` spans folders;
    what matches a folder matches all below it. Paths are compared as the laxest file system would:
    without regard to case, to trailing dots and blanks, to streams, to invisible letters.
    """

    forbidden: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    def reason(self, path: str) -> str | None:
        """Return why PATH is forbidden, in a few words, or None."""
        parts = _parts(path)
        if reason := _escapes(path, parts):
            return reason
        if any("git" in part or "~" in part for part in parts) and any(map(_GIT.fullmatch, parts)):
            return "it is git's own"
        glob = self._forbidden.first(parts) or _short_name(parts)
        if glob is None or self._allowed.first(parts):
            return None
        return f"it matches {glob!r}"

    @cached_property
    def _forbidden(self) -> _Globs:
        return _Globs((*DEFAULT_FORBIDDEN[1:], *self.forbidden))

    @cached_property
    def _allowed(self) -> _Globs:
        return _Globs(self.allowed)


def _escapes(path: str, parts: Sequence[str]) -> str | None:
    """Return why PATH cannot be a path inside of a repository, or None."""
    if not path or _CONTROL.search(path):
        return "it is empty or holds control characters"
    if path[0] in "/\\" or _DRIVE.match(path):
        return "it is absolute"
    if ".." in parts:
        return "it leaves the repository"
    return "it is not a plain path" if "" in parts or "." in parts else None


def _parts(path: str) -> list[str]:
    return [_plain(part) for part in path.replace("\\", "/").split("/")]


@lru_cache(maxsize=1 << 16)  # the folders of a repository come again and again
def _plain(part: str) -> str:
    """Return one component as the laxest file system compares it."""
    if not part.isascii():
        part = "".join(c for c in part if unicodedata.category(c) != "Cf")
        part = unicodedata.normalize("NFKC", part)
    part = part.casefold()
    if part in {"", ".", ".."}:
        return part
    stem = part.split(":", 1)[0].rstrip(". ")
    if stem:
        return stem
    return part if ":" in part else ".."  # nothing but dots and blanks: no name at all


def _short_name(parts: Iterable[str]) -> str | None:
    """Return the default that an NTFS short name among PARTS may stand for."""
    for part in parts:
        if "~" in part and (match := _SHORT.fullmatch(part)):
            end = match[2] or ""
            glob = _SHORT_STEMS.get(match[1]) or _SHORT_ENDS.get(end[:4])
            if glob:
                return glob
    return None


class _Globs:
    """Globs compiled for matching the plain components of a path."""

    def __init__(self, globs: Iterable[str]) -> None:
        self._names: list[tuple[str, re.Pattern[str]]] = []
        self._paths: list[tuple[str, list[re.Pattern[str] | None]]] = []
        for glob in globs:
            text = _fold(glob.replace("\\", "/")).removeprefix("./").rstrip("/")
            if "/" in text:
                self._paths.append((glob, _components(text.lstrip("/"))))
            elif text:
                self._names.append((glob, re.compile(translate(text))))

    @cached_property
    def _any_name(self) -> re.Pattern[str]:
        return re.compile("|".join(pattern.pattern for _, pattern in self._names) or r"(?!)")

    def first(self, parts: Sequence[str]) -> str | None:
        """Return the first glob that matches the path of PARTS or a folder above it."""
        for part in parts:
            if self._any_name.match(part):
                return next(glob for glob, pattern in self._names if pattern.match(part))
        return next((glob for glob, pattern in self._paths if _matches(pattern, parts)), None)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _components(text: str) -> list[re.Pattern[str] | None]:
    """Compile a glob's components; None stands for `**`."""
    out: list[re.Pattern[str] | None] = []
    for part in text.split("/"):
        if part != "**":
            out.append(re.compile(translate(part)))
        elif not out or out[-1] is not None:
            out.append(None)
    return out


def _matches(pattern: Sequence[re.Pattern[str] | None], parts: Sequence[str]) -> bool:
    """Tell whether PATTERN matches PARTS or a leading run of them."""
    states = {0}
    for part in parts:
        states |= {at + 1 for at in states if at < len(pattern) and pattern[at] is None}
        if len(pattern) in states:
            return True
        after: set[int] = set()
        for at in states:
            component = pattern[at]
            if component is None:
                after.add(at)
            elif component.match(part):
                after.add(at + 1)
        states = after
    return len(pattern) in states
