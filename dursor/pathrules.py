"""Which paths may never be sent to a model, nor be touched by its answer."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property

DEFAULT_FORBIDDEN = (".git", ".env", ".env.*", "*.secret", "*.key", "*.pem", "credentials.*")

# Code points that HFS+ ignores in names: `.g<U+200C>it` opens `.git` there.
_IGNORED = dict.fromkeys(
    [*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF]
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")
_SHORT = re.compile(r"(?P<stem>[^~]{1,6})~\d+(?P<rest>\..*)?$")


@dataclass(frozen=True)
class PathRules:
    """The defaults, what was added to them, and what was allowed in spite of them (globs)."""

    forbidden: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    def reason(self, path: str) -> str | None:
        """Why PATH is forbidden, in a few words, or None."""
        if hard := _escape(path):
            return hard
        plain = _plain(path)
        parts = plain.split("/")
        if any(map(_is_git, parts)):
            return "it is git's own"
        if self._allowed.matches(plain):
            return None
        if glob := self._forbidden.first(plain, parts):
            return f"it matches {glob!r}"
        return None

    @cached_property
    def _forbidden(self) -> _Globs:
        return _Globs((*DEFAULT_FORBIDDEN[1:], *self.forbidden))

    @cached_property
    def _allowed(self) -> _Globs:
        return _Globs(self.allowed)


@dataclass
class _Globs:
    globs: tuple[str, ...]
    _compiled: list[tuple[str, re.Pattern[str]]] = field(init=False)

    def __post_init__(self) -> None:
        self._compiled = [(glob, _compile(glob)) for glob in self.globs]

    def matches(self, plain: str) -> bool:
        return any(pattern.fullmatch(plain) for _, pattern in self._compiled)

    def first(self, plain: str, parts: list[str]) -> str | None:
        for glob, pattern in self._compiled:
            if pattern.fullmatch(plain):
                return glob
        return _short_name(parts)


def _escape(path: str) -> str | None:
    """Why PATH leaves the repository or cannot be a path of it."""
    if not path or _CONTROL.search(path):
        return "it is empty or holds control characters"
    slashed = path.replace("\\", "/")
    if slashed.startswith("/") or _DRIVE.match(path):
        return "it is absolute"
    parts = [_bare(part) for part in slashed.split("/")]
    if any(part in {"", ".", ".."} for part in parts):
        return "it leaves the repository or is not in its plain form"
    return None


def _bare(part: str) -> str:
    """One component without what file systems ignore; `..` keeps its dots."""
    part = part.translate(_IGNORED).split(":", 1)[0]
    stripped = part.rstrip(". ")
    return stripped or ("." if part.strip() in {".", ""} else "..")


def _plain(path: str) -> str:
    parts = path.replace("\\", "/").split("/")
    return "/".join(_fold(_bare(part)) for part in parts)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _is_git(part: str) -> bool:
    return part == ".git" or bool(re.fullmatch(r"git~\d+|gi[0-9a-f]{4}~\d+", part))


def _short_name(parts: list[str]) -> str | None:
    """The default that a component's NTFS short name may stand for."""
    for part in parts:
        match = _SHORT.fullmatch(part)
        if not match:
            continue
        stem, rest = match["stem"], match["rest"] or ""
        if stem == "env" and not rest:
            return ".env"
        if stem == "creden":
            return "credentials.*"
        if rest[:4] in {".sec", ".key", ".pem"}:
            return f"*{rest}"
    return None


def _compile(glob: str) -> re.Pattern[str]:
    """GLOB as a pattern for a folded path: at any depth without a slash, and all below a match."""
    glob = _fold(glob.replace("\\", "/")).removeprefix("./").rstrip("/")
    anywhere = "/" not in glob
    glob = glob.lstrip("/")
    out, at = "", 0
    while at < len(glob):
        if glob.startswith("**/", at):
            out, at = out + r"(?:[^/]+/)*", at + 3
        elif glob.startswith("**", at):
            out, at = out + r".*", at + 2
        elif glob[at] == "*":
            out, at = out + r"[^/]*", at + 1
        elif glob[at] == "?":
            out, at = out + r"[^/]", at + 1
        elif glob[at] == "[" and (end := glob.find("]", at + 2)) > 0:
            body = glob[at + 1 : end]
            negated = body[0] in "!^"
            out += (
                "["
                + ("^/" if negated else "")
                + re.escape(body[negated:]).replace(r"\-", "-")
                + "]"
            )
            at = end + 1
        else:
            out, at = out + re.escape(glob[at]), at + 1
    return re.compile((r"(?:.*/)?" if anywhere else "") + out + r"(?:/.*)?", re.DOTALL)
