"""Secrets in the text of a file: vendors' tokens by their shape, other values by name and look.

Most texts hold none and must be scanned fast: a text is searched for a few short words and for long
runs of letters and digits, and rules are applied only there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.secrets.matches import (
    SecretMatch,
    compile_pattern,
    entropy,
    merge_overlaps,
    replace_matches,
)
from dursor.secrets.named_values import match_aws_key, match_header, match_name, match_url
from dursor.secrets.tokens import find_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

_MIN_ENTROPY = 2.8  # bits per character; a vendor's token below it is a dummy

_TEST_PATH = (
    r"(?:^|[/_.-])(?i:tests?|testing|testdata|specs?|fixtures?|mocks?|examples?|e2e)(?:$|[/_.-])"
    r"|[a-z0-9](?:Tests?|TestData|Specs?|Fixtures?|Mocks?)(?:$|[A-Z/_.-])|(?:^|/)Test[A-Z]"
)
_DUMMY = r"(?i)x{6}|your|example|\*{3}|placeholder|redacted"

# In lower case. The name of every secret contains one of these.
_NAMES = (b"pass", b"pwd", b"secret", b"token", b"key", b"credential")
_PRIVATE_KEY = (
    r"PRIVATE KEY(?: BLOCK)?-----"
    r"(?:((?:(?!-----)[\s\S]){64,20000}?)-----END "
    r"|((?:(?:\\[rn]|[\s\"'>|*#,])*[A-Za-z0-9+/]{40,}={0,2})+))"  # without its end
)
_HEADED = (
    (b"private-lines:", r"(?i)private-lines: \d{1,3}\s+((?:[\w+/=]{4,64}\s{1,4}){1,200})"),
    (
        b"hooks.slack.com/",
        r"(?i)hooks\.slack\.com/((?:services|workflows|triggers)/T\w{5,}/\w{5,}/[\w/]{20,80})",
    ),
)


def find_secrets(text: str, path: str) -> list[SecretMatch]:
    """Return every secret in TEXT, in order, without overlaps.

    In tests and fixtures only vendors' shapes count: made-up passwords belong there.
    """
    lowered = text.encode("ascii", "replace").lower()  # a byte per character
    matches = [
        *_find_private_keys(text, lowered),
        *_find_headed(text, lowered),
        *_find_tokens(text),
        *_find_aws_keys(text, lowered),
    ]
    if compile_pattern(_TEST_PATH).search(path) is None:
        matches += _find_named(text, lowered)
    return merge_overlaps(matches)


def replace_secrets(text: str, mark: str) -> str:
    """Return TEXT, which is not from a file, with MARK in place of every secret."""
    return replace_matches(text, find_secrets(text, ""), lambda _: mark)


def _find_word(data: bytes, word: bytes) -> Iterator[int]:
    start = data.find(word)
    while start >= 0:
        yield start
        start = data.find(word, start + len(word))


def _find_private_keys(text: str, lowered: bytes) -> Iterator[SecretMatch]:
    for start in _find_word(lowered, b"private key"):
        if "-----BEGIN " not in text[max(0, start - 40) : start]:
            continue
        match = compile_pattern(_PRIVATE_KEY).match(text, start)
        if match and entropy(match[match.lastindex or 0]) >= _MIN_ENTROPY:
            yield SecretMatch(*match.span(match.lastindex or 0), "private key")


def _find_headed(text: str, lowered: bytes) -> Iterator[SecretMatch]:
    """Yield PuTTY keys and Slack webhooks, which follow a fixed word."""
    for (word, pattern), rule in zip(_HEADED, ("private key", "Slack webhook"), strict=True):
        for start in _find_word(lowered, word):
            if match := compile_pattern(pattern).match(text, start):
                yield SecretMatch(*match.span(1), rule)


def _find_tokens(text: str) -> Iterator[SecretMatch]:
    for match in find_tokens(text):
        value = text[match.start : match.end]
        if entropy(value) >= _MIN_ENTROPY and not compile_pattern(_DUMMY).search(value):
            yield match


def _find_aws_keys(text: str, lowered: bytes) -> Iterator[SecretMatch]:
    if b"aws" in lowered or b"secretaccess" in lowered or b"secret_access" in lowered:
        for word in (b"key", b"secret"):
            for start in _find_word(lowered, word):
                yield from match_aws_key(text, start, start + len(word))


def _find_named(text: str, lowered: bytes) -> Iterator[SecretMatch]:
    for word in _NAMES:
        for start in _find_word(lowered, word):
            yield from match_name(text, start, start + len(word))
    for start in _find_word(lowered, b"authorization"):
        yield from match_header(text, start + len(b"authorization"))
    for start in _find_word(lowered, b"://"):
        yield from match_url(text, start)
