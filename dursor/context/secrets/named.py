"""Passwords and keys that no shape tells, known by the name beside them and by their own look."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    Found = tuple[int, int, str]

# Lower case: the name of every secret holds one of them, what stands before its value another.
NAMES = (b"pass", b"pwd", b"secret", b"token", b"key", b"credential")
HEADER = b"authorization"
URL = b"://"

_LEFT = 40  # characters of a name before what tells
_NAME_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_OF_SHELL, _SHORT, _LONG = 6, 8, 12  # the least a shell's variable, a password, a key has
_EVENNESS = 0.7  # of the entropy that as many different characters have
_ENTROPY = 3.2  # bits a character; what has more is even enough, however long it is

# The rest of a name, a sign, and the value: quoted, or bare. A blank is a sign in few places only.
_VALUE = (
    r"(?P<rest>[A-Za-z0-9_]{0,20})(?:\\?[\"'`]){0,2}\]?[ \t]{0,8}"
    r"(?:(?P<sign>:=|=>|={1,3}|[:,(>])(?:[ \t]*\(\s{0,40}|\s{0,4})|(?P<blank>[ \t]{1,8}))"
    r"(?:[bBrRuU@]{0,2}\\?(?P<quote>[\"'`])(?P<quoted>[^\s\"'`\\]{6,200})\\?(?P=quote)"
    r"|(?P<hex>[0-9a-f]{32,128})(?![A-Za-z0-9_])"
    r"|(?P<bare>[^\s\"'`,;()<>{}\[\]\\|]{6,200})(?=[\s\"'`;\\<]|$))"
)
_AWS = (
    r"[A-Za-z0-9_]{0,20}(?:\\?[\"'`]){0,2}\s{0,4}(?::=|=>|[=:,(>])\s{0,4}(?:\\?[\"'`])?"
    r"(?P<value>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
)
_CREDENTIAL = (
    r"(?i)[\"'`]{0,2}\s{0,4}[:=,]\s{0,4}[\"'`]?(?:bearer|basic|token)[ ]+"
    r"(?P<value>[a-z0-9._~+/=-]{16,600})"
)
_IN_URL = (
    r"://(?P<user>[^\s:/?#@\"'`<>{}$]{0,60}):(?P<value>[^\s/\"'`<>{}]{6,200})"
    r"@(?P<host>[A-Za-z0-9\[][\w.-]*)"
)

_TELLS = (
    r"(?i)pass(?:w|phrase|$)|pwd|secret|token|credential|(?:api|access|private|auth|account|client"
    r"|encryption|master|service|shared|signing|deploy|license|storage)[_.-]?(?:access[_.-]?)?key"
)
_OF_SHELL_NAME = (
    r"(?:[A-Z][A-Z0-9_]*)?(?:PASS|PASSWORD|PASSWD|PWD|SECRET|TOKEN|PASSPHRASE)|[A-Z][A-Z0-9_]*KEY"
)
_NOT_ONE = (
    r"(?i)hash|sha\d|md5|digest|checksum|public|fingerprint|etag|integrity"
    r"|(?:[_.-](?:name|id|ur[li]|type|path|file|dir|class|field|label|text|title|error|message"
    r"|hint|pattern|regex|size|count|length|index|version|ttl|prefix|suffix|format|header|param)s?"
    r"|Name|Id|Ur[li]|Type|Path|File|Class|Field|Label|Text|Title|Error|Message|Length|Count)$"
)
_DUMMY = (
    r"(?i)example|change.?me|place.?holder|your|dummy|fake|sample|todo|insert|redacted|replace"
    r"|x{4}|\*{3}|\.\.\.|pbkdf2|bcrypt|argon2|sha\d|DURSOR_SECRET|://|%[sdr(]|^\$|\$[{(]|\{\{|[<>{}]|\(\)"
)
_WEAK = r"(?i)123456|abcdef|password|secret"
_UUID = r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_WORD = r"[A-Z]?[a-z]{4,}|[A-Z]{5,}"
_UNSPEAKABLE = r"(?i)[^aeiouy]{4}|q[^u]|[jvxz]{2}"
_SAME_TO_ALL = r"(?i)localhost$|127\.|(?:[\w-]+\.)*(?:example(?:\.\w+)?|invalid|test)$"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)  # only when a text calls for it


def entropy(text: str) -> float:
    """Shannon entropy in bits a character."""
    counts = Counter(text).values()
    return math.log2(len(text)) - sum(n * math.log2(n) for n in counts) / len(text)


def match_name(text: str, start: int, end: int) -> Iterator[Found]:
    """Yield the secret whose name holds the telling word from START to END of TEXT."""
    found = _compiled(_VALUE).match(text, end)
    if found is None:
        return
    kind = next(kind for kind in ("quoted", "hex", "bare") if found[kind])
    name, value = f"{_stem(text, start)}{text[start:end]}{found['rest']}", found[kind]
    if _compiled(_NOT_ONE).search(name) or _is_dummy(value) or _is_its_type(name, value):
        return
    if found["blank"] and not (
        name.startswith("--") or (found["quoted"] and _is_macro(text, start))
    ):
        return
    close = found["sign"] == "=" and not set(text[end : found.start(kind)]) & {" ", "\t", "\n"}
    if close and _compiled(_OF_SHELL_NAME).fullmatch(name):
        good = len(value) >= _OF_SHELL and _looks_random(value, words=1)
    elif _compiled(_TELLS).search(name):
        least = _SHORT if "pass" in name.lower() or "pwd" in name.lower() else _LONG
        sign = (found["sign"] or "=") if kind == "bare" else ""
        good = len(value) >= least and _is_telling(value, sign)
    else:
        good = False
    if good:
        yield (*found.span(kind), "password or key")


def _is_macro(text: str, start: int) -> bool:
    """Whether the name at START of TEXT is one that C's preprocessor is told the value of."""
    line = text[text.rfind("\n", max(0, start - 2 * _LEFT), start) + 1 : start]
    return line.lstrip(" \t").startswith("#define")


def match_aws_key(text: str, start: int, end: int) -> Iterator[Found]:
    """Yield the AWS secret key that the word from START to END of TEXT is part of the name of."""
    before = text[max(0, start - _LEFT) : end].lower()
    if "aws" not in before and "secretaccess" not in before and "secret_access" not in before:
        return
    found = _compiled(_AWS).match(text, end)
    if found and entropy(found["value"]) >= 4.0 and "EXAMPLE" not in found["value"]:
        yield (*found.span("value"), "AWS secret key")


def match_header(text: str, end: int) -> Iterator[Found]:
    """Yield the credential of an Authorization header whose name ends at END of TEXT."""
    found = _compiled(_CREDENTIAL).match(text, end)
    if found and not _is_dummy(found["value"]) and _looks_random(found["value"]):
        yield (*found.span("value"), "credential of a header")


def match_url(text: str, start: int) -> Iterator[Found]:
    """Yield the password in the URL whose :// is at START of TEXT."""
    found = _compiled(_IN_URL).match(text, start)
    if found is None or found["value"] == found["user"] or _is_dummy(found["value"]):
        return
    if _compiled(_SAME_TO_ALL).match(found["host"]) is None and _looks_random(found["value"]):
        yield (*found.span("value"), "password in a URL")


def _stem(text: str, end: int) -> str:
    """The part of a name that stands before END of TEXT."""
    left = text[max(0, end - _LEFT) : end]
    return left[len(left.rstrip(_NAME_CHARS)) :]


def _is_dummy(value: str) -> bool:
    return bool(_compiled(_DUMMY).search(value) or _compiled(_UUID).fullmatch(value))


def _is_its_type(name: str, value: str) -> bool:
    """Whether VALUE is a name, too, that ends in NAME: `key` may be `Ed25519Key`."""
    return value.isidentifier() and value.lower().endswith(name.lower())


def _is_telling(value: str, sign: str) -> bool:
    """Whether VALUE is hardly anything but a secret; bare behind SIGN, it could be code."""
    if _compiled(_WEAK).search(value):
        return False
    if not sign:
        return _looks_random(value, words=1 / 2)
    kinds = (str.isdigit, str.isupper, str.islower)
    mixed = all(any(map(kind, value)) for kind in kinds)
    return sign in {"=", ":", ">"} and mixed and _looks_random(value, words=1 / 4)


def _looks_random(value: str, words: float = 1 / 2) -> bool:
    """Whether VALUE mixes kinds of characters evenly, and no more than a part of it is WORDS."""
    if not any(c.isdigit() for c in value) or not any(c.isalpha() for c in value):
        return False
    if entropy(value) < min(_ENTROPY, _EVENNESS * math.log2(len(value))):
        return False
    unspeakable = _compiled(_UNSPEAKABLE)
    found = [word for word in _compiled(_WORD).findall(value) if not unspeakable.search(word)]
    return sum(map(len, found)) <= len(value) * words
