"""Secrets in text: keys of known vendors by their shape, other values by name and look.

Most texts hold none, and are to be passed over fast: they are searched for a few short words and
for long runs of letters and digits, and only what stands there is held against a rule.
"""

from __future__ import annotations

import re
import string
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from dursor.context.secrets.named import (
    HEADER,
    NAMES,
    URL,
    entropy,
    match_aws_key,
    match_header,
    match_name,
    match_url,
)
from dursor.context.secrets.tokens import LEAD, LONG, find_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dursor.context.secrets.named import Found


class SecretMatch(NamedTuple):
    """A secret from `start` to `end` in the text."""

    start: int
    end: int
    rule: str


_LEAST_ENTROPY = 2.8  # bits a character, below which a vendor's token is a dummy
_TOKEN_CHARS = f"{string.ascii_letters}{string.digits}_-".encode()
_MARKS = bytes(97 if char in _TOKEN_CHARS else 32 for char in range(256))
_RUN = b"a" * LONG

_TEST_PATH = (
    r"(?:^|[/_.-])(?i:tests?|testing|testdata|specs?|fixtures?|mocks?|examples?|e2e)(?:$|[/_.-])"
    r"|[a-z0-9](?:Tests?|TestData|Specs?|Fixtures?|Mocks?)(?:$|[A-Z/_.-])|(?:^|/)Test[A-Z]"
)
_DUMMY = r"(?i)x{6}|your|example|\*{3}|placeholder|redacted"

_KEY_WORD = b"private key"
_KEY_BEGINS = "-----BEGIN "
_KEY = (
    r"PRIVATE KEY(?: BLOCK)?-----"
    r"(?:((?:(?!-----)[\s\S]){64,20000}?)-----END "
    r"|((?:(?:\\[rn]|[\s\"'>|*#,])*[A-Za-z0-9+/]{40,}={0,2})+))"  # its end is elsewhere
)
_PUTTY_WORD = b"private-lines:"
_PUTTY = r"(?i)private-lines: \d{1,3}\s+((?:[\w+/=]{4,64}\s{1,4}){1,200})"
_SLACK_WORD = b"hooks.slack.com/"
_SLACK = r"(?i)hooks\.slack\.com/((?:services|workflows|triggers)/T\w{5,}/\w{5,}/[\w/]{20,80})"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)  # only when a text calls for it


def find_secrets(text: str, path: str) -> list[SecretMatch]:
    """Every secret in TEXT, in order, none overlapping another.

    In tests and fixtures only the vendors' shapes count: made-up passwords belong there.
    """
    data = text.encode("ascii", "replace")  # a byte for each character
    lowered = data.lower()
    found = [*_blocks(text, lowered), *_tokens(text, data), *_keys_of_aws(text, lowered)]
    if _compiled(_TEST_PATH).search(path) is None:
        found += _named(text, lowered)
    return _without_overlaps([SecretMatch(*one) for one in found])


def replace_secrets(text: str, mark: str) -> str:
    """TEXT of no file, with MARK in place of every secret."""
    parts, at = [], 0
    for found in find_secrets(text, ""):
        parts += [text[at : found.start], mark]
        at = found.end
    return "".join([*parts, text[at:]])


def _hits(data: bytes, word: bytes) -> Iterator[int]:
    """Yield where WORD is in DATA."""
    at = data.find(word)
    while at >= 0:
        yield at
        at = data.find(word, at + len(word))


def _blocks(text: str, lowered: bytes) -> Iterator[Found]:
    """Yield what stands under a heading: private keys, and what follows a service's address."""
    for at in _hits(lowered, _KEY_WORD):
        if _KEY_BEGINS in text[max(0, at - 40) : at] and (found := _compiled(_KEY).match(text, at)):
            group = 1 if found[1] else 2
            if entropy(found[group]) >= _LEAST_ENTROPY:
                yield (*found.span(group), "private key")
    for word, pattern, name in (
        (_PUTTY_WORD, _PUTTY, "private key"),
        (_SLACK_WORD, _SLACK, "Slack webhook"),
    ):
        for at in _hits(lowered, word):
            if found := _compiled(pattern).match(text, at):
                yield (*found.span(1), name)


def _tokens(text: str, data: bytes) -> Iterator[Found]:
    """Yield the tokens of vendors: each is a long run, or begins shortly before one."""
    marks = data.translate(_MARKS)
    start = marks.find(_RUN)
    while start >= 0:
        end = marks.find(b" ", start)
        end = len(marks) if end < 0 else end
        for found in find_tokens(text, max(0, start - LEAD), end):
            end = max(end, found[1])
            value = text[found[0] : found[1]]
            if entropy(value) >= _LEAST_ENTROPY and not _compiled(_DUMMY).search(value):
                yield found
        start = marks.find(_RUN, end)


def _keys_of_aws(text: str, lowered: bytes) -> Iterator[Found]:
    if b"aws" in lowered or b"secretaccess" in lowered or b"secret_access" in lowered:
        for word in (b"key", b"secret"):
            for at in _hits(lowered, word):
                yield from match_aws_key(text, at, at + len(word))


def _named(text: str, lowered: bytes) -> Iterator[Found]:
    for word in NAMES:
        for at in _hits(lowered, word):
            yield from match_name(text, at, at + len(word))
    for at in _hits(lowered, HEADER):
        yield from match_header(text, at + len(HEADER))
    for at in _hits(lowered, URL):
        yield from match_url(text, at)


def _without_overlaps(found: list[SecretMatch]) -> list[SecretMatch]:
    kept: list[SecretMatch] = []
    for finding in sorted(found, key=lambda f: (f.start, -f.end)):
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
        elif finding.end > kept[-1].end:
            kept[-1] = kept[-1]._replace(end=finding.end)
    return kept
