"""Passwords and keys without a vendor's shape, recognised by their name and their randomness."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dursor.secrets.matches import SecretMatch, compile_pattern, entropy

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

_MAX_STEM = 40  # characters of a name before the matched word
_NAME_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_MIN_SHELL, _MIN_PASSWORD, _MIN_KEY = 6, 8, 12  # characters of a value
_EVENNESS = 0.7  # part of the entropy of as many distinct characters
_ENTROPY = 3.2  # bits per character that are enough for any length

# The rest of a name, a sign, and the value, quoted or bare. A blank is rarely a sign.
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

_SENSITIVE_NAME = (
    r"(?i)pass(?:w|phrase|$)|pwd|secret|token|credential|(?:api|access|private|auth|account|client"
    r"|encryption|master|service|shared|signing|deploy|license|storage)[_.-]?(?:access[_.-]?)?key"
)
_SHELL_NAME = (
    r"(?:[A-Z][A-Z0-9_]*)?(?:PASS|PASSWORD|PASSWD|PWD|SECRET|TOKEN|PASSPHRASE)|[A-Z][A-Z0-9_]*KEY"
)
_OTHER_NAME = (
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
_UNPRONOUNCEABLE = r"(?i)[^aeiouy]{4}|q[^u]|[jvxz]{2}"
_PUBLIC_HOST = r"(?i)localhost$|127\.|(?:[\w-]+\.)*(?:example(?:\.\w+)?|invalid|test)$"


def match_name(text: str, start: int, end: int) -> Iterator[SecretMatch]:
    """Yield the secret whose name contains the word from START to END of TEXT."""
    match = compile_pattern(_VALUE).match(text, end)
    if match is None:
        return
    kind = next(kind for kind in ("quoted", "hex", "bare") if match[kind])
    left = text[max(0, start - _MAX_STEM) : start]
    stem = left[len(left.rstrip(_NAME_CHARS)) :]
    name = f"{stem}{text[start:end]}{match['rest']}"
    if _is_value(name, match, kind) and (
        not match["blank"] or name.startswith("--") or (match["quoted"] and _is_macro(text, start))
    ):
        yield SecretMatch(*match.span(kind), "password or key")


def _is_value(name: str, match: re.Match[str], kind: str) -> bool:
    """Tell whether the value of KIND in MATCH is the secret of NAME."""
    value = match[kind]
    is_type = value.isidentifier() and value.lower().endswith(name.lower())  # key: Ed25519Key
    if is_type or compile_pattern(_OTHER_NAME).search(name) or _is_dummy(value):
        return False
    between = match.string[match.start() : match.start(kind)]
    is_tight = match["sign"] == "=" and not set(between) & {" ", "\t", "\n"}
    if is_tight and compile_pattern(_SHELL_NAME).fullmatch(name):
        return len(value) >= _MIN_SHELL and _looks_random(value, words=1)
    if not compile_pattern(_SENSITIVE_NAME).search(name):
        return False
    is_password = "pass" in name.lower() or "pwd" in name.lower()
    sign = (match["sign"] or "=") if kind == "bare" else ""
    return len(value) >= (_MIN_PASSWORD if is_password else _MIN_KEY) and _is_secret(value, sign)


def _is_macro(text: str, start: int) -> bool:
    """Tell whether a macro of C defines the name at START of TEXT."""
    line = text[text.rfind("\n", max(0, start - 2 * _MAX_STEM), start) + 1 : start]
    return line.lstrip(" \t").startswith("#define")


def match_aws_key(text: str, start: int, end: int) -> Iterator[SecretMatch]:
    """Yield the AWS secret key whose name contains the word from START to END of TEXT."""
    before = text[max(0, start - _MAX_STEM) : end].lower()
    if "aws" not in before and "secretaccess" not in before and "secret_access" not in before:
        return
    match = compile_pattern(_AWS).match(text, end)
    if match and entropy(match["value"]) >= 4.0 and "EXAMPLE" not in match["value"]:
        yield SecretMatch(*match.span("value"), "AWS secret key")


def match_header(text: str, end: int) -> Iterator[SecretMatch]:
    """Yield the credential of an Authorization header whose name ends at END of TEXT."""
    match = compile_pattern(_CREDENTIAL).match(text, end)
    if match and not _is_dummy(match["value"]) and _looks_random(match["value"]):
        yield SecretMatch(*match.span("value"), "credential of a header")


def match_url(text: str, start: int) -> Iterator[SecretMatch]:
    """Yield the password in the URL whose :// is at START of TEXT."""
    match = compile_pattern(_IN_URL).match(text, start)
    if match is None or match["value"] == match["user"] or _is_dummy(match["value"]):
        return
    is_public = compile_pattern(_PUBLIC_HOST).match(match["host"]) is not None
    if not is_public and _looks_random(match["value"]):
        yield SecretMatch(*match.span("value"), "password in a URL")


def _is_dummy(value: str) -> bool:
    return bool(compile_pattern(_DUMMY).search(value) or compile_pattern(_UUID).fullmatch(value))


def _is_secret(value: str, sign: str) -> bool:
    """Tell whether VALUE looks random; a bare one after SIGN could be code."""
    if compile_pattern(_WEAK).search(value):
        return False
    if not sign:
        return _looks_random(value)
    kinds = (str.isdigit, str.isupper, str.islower)
    mixed = all(any(map(kind, value)) for kind in kinds)
    return sign in {"=", ":", ">"} and mixed and _looks_random(value, words=1 / 4)


def _looks_random(value: str, words: float = 1 / 2) -> bool:
    """Tell whether VALUE mixes characters evenly, and at most a part WORDS of it is words."""
    if not any(c.isdigit() for c in value) or not any(c.isalpha() for c in value):
        return False
    if entropy(value) < min(_ENTROPY, _EVENNESS * math.log2(len(value))):
        return False
    is_noise = compile_pattern(_UNPRONOUNCEABLE).search
    meant = [word for word in compile_pattern(_WORD).findall(value) if not is_noise(word)]
    return sum(map(len, meant)) <= len(value) * words
