"""Path names as diffs write them, and the files of a tree that they name."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DEV_NULL = "/dev/null"
_PREFIX = re.compile(r"[a-z]/(?=.)", re.IGNORECASE)
_STAMP = re.compile(
    r"\t.*$|(?<!\s)\s+\d{4}-\d\d-\d\d[ T]\d\d:.*$|"
    r"(?<!\s)\s+\((?:original|modified|old|new|updated|before|after|previous|current|fixed)\)$"
)
_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # surrogates that encode no byte
_ESCAPE = re.compile(r'\\([0-7]{1,3}|[abtnvfr"\\])')
_LETTERS = {
    "a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92
}  # fmt: skip
_INVISIBLE = frozenset({"Cf", "Zl", "Zp", "Cc", "Co", "Cs"})
# For one component; https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_RULES = (
    (re.compile(r"\s|.*[. ]$"), "begins or ends with a blank, or ends with a dot"),
    (
        re.compile(
            r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)", re.IGNORECASE
        ),
        "is a device on Windows",
    ),
    (re.compile(r'.*[\\:*?"<>|]'), "is not valid on Windows"),
    (
        re.compile(r"[^.~]{1,8}~\d{1,6}(?:\.[^.]{0,3})?$"),
        "may be a short name of another on Windows",
    ),
)


def unquote(name: str) -> str:
    """Undo git's C-style quoting of NAME; return other names unchanged."""
    if len(name) < 2 or not (name.startswith('"') and name.endswith('"')) or _LONE.search(name):
        return name

    def byte(match: re.Match[str]) -> bytes:
        code = match[1]
        return bytes([_LETTERS[code] if code in _LETTERS else int(code, 8) & 0xFF])

    inner, out, index = name[1:-1], b"", 0
    for match in _ESCAPE.finditer(inner):
        out += inner[index : match.start()].encode("utf-8", "surrogateescape") + byte(match)
        index = match.end()
    out += inner[index:].encode("utf-8", "surrogateescape")
    return out.decode("utf-8", "surrogateescape")


def is_writable(name: str) -> bool:
    """Return whether a file can have NAME."""
    return not _LONE.search(name)


def quote(name: str) -> str:
    """Return NAME as git writes it in a patch: bare, or C-quoted where necessary."""
    data = name.encode("utf-8", "surrogateescape")
    letters = {code: letter for letter, code in _LETTERS.items()}
    if all(32 <= b < 127 and b not in letters for b in data):
        return name
    body = "".join(
        "\\" + letters[b] if b in letters else chr(b) if 32 <= b < 127 else f"\\{b:03o}"
        for b in data
    )
    return f'"{body}"'


def parse_header_name(text: str) -> str:
    """Return the name after `--- ` or `+++ ` without time stamp, quotes and markup."""
    text = text.strip("\r")
    if text.startswith('"'):
        end = re.match(r'"(?:[^"\\]|\\.)*"', text)
        return unquote(end[0]) if end else text
    text = _STAMP.sub("", text.rstrip()).rstrip()
    if len(text) > 2 and text[0] == text[-1] and text[0] in "`'":
        text = text[1:-1]
    return text


def parse_git_names(text: str) -> tuple[str, str] | None:
    """Return the two names after `diff --git `, with prefixes; None when unclear."""
    quoted = re.fullmatch(r'("(?:[^"\\]|\\.)*"|\S.*?) ("(?:[^"\\]|\\.)*")', text) or re.fullmatch(
        r'("(?:[^"\\]|\\.)*") (\S.*)', text
    )
    if quoted:
        return unquote(quoted[1]), unquote(quoted[2])
    words = text.split(" ")
    if len(words) == 2:
        return words[0], words[1]
    half = len(text) // 2
    if text[half : half + 1] == " " and strip_prefix(text[:half]) == strip_prefix(text[half + 1 :]):
        return text[:half], text[half + 1 :]
    return None


def strip_prefix(name: str) -> str:
    """Return NAME without a one-letter prefix such as a/."""
    return _PREFIX.sub("", name, count=1) if _PREFIX.match(name) else name


def is_prefixed(old: str, new: str) -> bool:
    """Return whether both names have prefixes that git writes."""
    pair = (old[:2], new[:2])
    return pair in {("a/", "b/"), ("i/", "w/"), ("c/", "i/"), ("c/", "w/"), ("o/", "w/")} or (
        (old == DEV_NULL and new[:2] in {"b/", "w/", "i/"})
        or (new == DEV_NULL and old[:2] in {"a/", "i/", "c/", "o/"})
    )


def locate(name: str, exists: Callable[[str], bool], *, prefixed: bool) -> str | None:
    """Return the path of the tree that NAME means, with or without its prefix, or None.

    Where the tree has both, PREFIXED decides. A leading `./` is ignored.
    """
    name = name.removeprefix("./")
    short = strip_prefix(name)
    if prefixed and exists(short):
        return short
    if exists(name):
        return name
    return short if exists(short) else None


def find_shared_path(old: str, new: str) -> str | None:
    """Return the common path of OLD and NEW below different first folders, such as old/."""
    first, _, rest = old.partition("/")
    other, _, same = new.partition("/")
    return rest if rest and rest == same and first != other else None


def is_ambiguous(name: str, entries: Iterable[str]) -> bool:
    """Return whether the one-letter first folder of a new file may be real or a prefix."""
    return bool(_PREFIX.match(name)) and any(path.startswith(name[:2]) for path in entries)


def resolve_new_path(name: str, *, prefixed: bool) -> str:
    """Return the path of a new file called NAME."""
    return strip_prefix(name) if prefixed else name.removeprefix("./")


def find_name_problem(path: str) -> str | None:
    """Return why a new file may not be called PATH, or None."""
    for part in path.split("/"):
        if any(unicodedata.category(char) in _INVISIBLE for char in part if not char.isascii()):
            return "its name has invisible characters"
        plain = unicodedata.normalize("NFKC", part)
        if plain.casefold().startswith(".git") and not part.startswith(".git"):
            return "its name looks like one of git's"
        for pattern, reason in _RULES:
            if pattern.match(part) or pattern.match(plain):
                return f"its name {reason}"
    return None
