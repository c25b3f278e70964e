"""Secrets in text: keys of known vendors by their shape, other values by name and entropy.

A rule runs only on a text that holds one of its literal words, and is compiled only then: most
texts hold none, and compiling all rules would cost more than a small repository's whole round.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import NamedTuple


class Rule(NamedTuple):
    """One shape of a secret; group 1 of `pattern` is the secret itself."""

    name: str
    words: tuple[str, ...]  # lower-case; at least one is in every text that holds a match
    pattern: str
    entropy: float  # bits a character, below which the match is a dummy


class Finding(NamedTuple):
    """A secret from `start` to `end` in the text."""

    start: int
    end: int
    rule: str


_NAMED_SO = (
    r"(?:pass(?:word|wd|phrase)|secret|token|api_?key|access_?key|private_?key|auth_?key"
    r"|credentials?)"
)
_NAMES = ("passw", "passphrase", "secret", "token", "key", "credential")

VENDORS = (
    Rule("AWS access key", ("akia", "asia"), r"\b((?:AKIA|ASIA)[A-Z2-7]{16})\b", 2.5),
    Rule(
        "AWS secret key",
        ("aws",),
        r"(?i)aws.{0,30}?(?:secret|key).{0,20}?[=:].{0,5}?\b([0-9a-z/+]{40})(?![0-9a-z/+=])",
        4.0,
    ),
    Rule(
        "GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"\b(gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{60,255})\b",
        3.5,
    ),
    Rule("Anthropic key", ("sk-ant-",), r"\b(sk-ant-[A-Za-z0-9_-]{20,255})", 3.5),
    Rule(
        "OpenAI key",
        ("sk-",),
        r"\b(sk-(?!ant-)(?:proj-|svcacct-|admin-|None-)?(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Z])"
        r"[A-Za-z0-9_-]{32,255})",
        3.8,
    ),
    Rule("Google API key", ("aiza",), r"\b(AIza[0-9A-Za-z_-]{35})(?![0-9A-Za-z_-])", 3.5),
    Rule("Google OAuth secret", ("gocspx-",), r"\b(GOCSPX-[0-9A-Za-z_-]{28})", 3.5),
    Rule("Google OAuth token", ("ya29.",), r"\b(ya29\.[0-9A-Za-z_-]{30,})", 3.5),
    Rule("Slack token", ("xox", "xapp-"), r"\b((?:xox[abeoprs]|xapp)-[0-9A-Za-z-]{20,255})", 3.0),
    Rule(
        "Slack webhook",
        ("hooks.slack.com",),
        r"(hooks\.slack\.com/services/T[0-9A-Z]{6,}/B[0-9A-Z]{6,}/[0-9A-Za-z]{20,})",
        3.5,
    ),
    Rule(
        "Stripe key",
        ("sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"),
        r"\b((?:[rs]k_(?:live|test)|whsec)_[0-9A-Za-z]{20,255})\b",
        3.5,
    ),
    Rule("npm token", ("npm_",), r"\b(npm_[0-9A-Za-z]{36})\b", 3.5),
    Rule("GitLab token", ("glpat-",), r"\b(glpat-[0-9A-Za-z_-]{20,})", 3.5),
    Rule("PyPI token", ("pypi-",), r"\b(pypi-AgE[0-9A-Za-z_-]{50,})", 3.5),
    Rule("Hugging Face token", ("hf_",), r"\b(hf_[A-Za-z]{34})\b", 3.5),
    Rule("SendGrid key", ("sg.",), r"\b(SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43})", 3.5),
    Rule(
        "JSON web token",
        ("eyj",),
        r"\b(eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,})",
        3.5,
    ),
)

PRIVATE_KEY = Rule(
    "private key",
    ("private key",),
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"((?:(?!-----)[\s\S]){64,20000}?)-----END ",
    3.5,
)

NAMED = (
    Rule(
        "password or key",
        _NAMES,
        r"(?i)" + _NAMED_SO + r"[0-9a-z_]{0,20}[\"'\]]{0,2}\s{0,4}(?::=|=>|[=:,(])\s{0,4}"
        r"[bru]?[\"'`]([^\s\"'`$<>{}()]{12,200})[\"'`]",
        3.5,
    ),
    Rule(
        "password or key",
        _NAMES,
        r"(?im)^[\s#/*;-]{0,12}(?:export )?[A-Z][A-Z0-9_]{0,40}?(?:PASS(?:WORD|WD|PHRASE)?|SECRET"
        r"|TOKEN|KEY|CREDENTIALS?)(?:_[A-Z0-9_]{1,20})?=([^\s\"'`$<>{}()\[\]]{10,200})$",
        3.0,
    ),
    Rule(
        "password in a URL",
        ("://",),
        r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"'`]{1,60}:([^\s:/@\"'`$<>{}()*]{8,100})@[\w.-]",
        3.0,
    ),
)

_DUMMY = re.compile(
    r"example|change.?me|place.?holder|your|dummy|fake|sample|todo|insert|redacted|x{4}|\*{3}"
    r"|\.\.\.|1234567|abcdef|DURSOR_SECRET|password|secret|://|%s|%\(",
    re.IGNORECASE,
)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_NOT_NAMED_SO = re.compile(
    r"(?i)hash|sha\d|md5|digest|checksum|public|fingerprint|etag|(?:token|key|secret)_?(?:name|id"
    r"|url|uri|type|path|file)s?\b"
)
_TEST_PATH = re.compile(
    r"(?:^|[/_.-])(?:tests?|testing|testdata|specs?|fixtures?|mocks?|examples?|e2e)(?:$|[/_.-])",
    re.IGNORECASE,
)
_WORD = re.compile(r"(?:[A-Z]?[a-z]{4,}|[A-Z]{5,})")
_UNSPEAKABLE = re.compile(r"(?i)[^aeiouy]{4}|q[^u]|[jvxz]{2}")


def scan(text: str, path: str) -> list[Finding]:
    """Every secret in TEXT, in order, none overlapping another.

    In tests and fixtures only the vendors' shapes count: made-up passwords belong there.
    """
    lowered = text.lower()
    rules = (PRIVATE_KEY, *VENDORS) if _TEST_PATH.search(path) else (PRIVATE_KEY, *VENDORS, *NAMED)
    found: list[Finding] = []
    for rule in rules:
        if any(word in lowered for word in rule.words):
            found.extend(_matches(rule, text))
    return _without_overlaps(found)


def entropy(text: str) -> float:
    """Shannon entropy in bits a character."""
    counts = Counter(text).values()
    return math.log2(len(text)) - sum(n * math.log2(n) for n in counts) / len(text)


def _matches(rule: Rule, text: str) -> list[Finding]:
    return [
        Finding(match.start(1), match.end(1), rule.name)
        for match in re.finditer(rule.pattern, text)
        if entropy(match[1]) >= rule.entropy and not _is_dummy(rule, match)
    ]


def _is_dummy(rule: Rule, match: re.Match[str]) -> bool:
    value = match[1]
    if rule not in NAMED:
        return value.endswith("EXAMPLE") or "EXAMPLEKEY" in value
    named = match[0][: match.start(1) - match.start()]
    return (
        _DUMMY.search(value) is not None
        or _UUID.fullmatch(value) is not None
        or _NOT_NAMED_SO.search(named) is not None
        or not _looks_random(value)
    )


def _looks_random(value: str) -> bool:
    """Whether VALUE mixes kinds of characters and is not made of words."""
    if not any(c.isdigit() for c in value) or not any(c.isalpha() for c in value):
        return False
    words = (word for word in _WORD.findall(value) if not _UNSPEAKABLE.search(word))
    in_words = sum(map(len, words))
    return in_words <= len(value) / 2


def _without_overlaps(found: list[Finding]) -> list[Finding]:
    kept: list[Finding] = []
    for finding in sorted(found, key=lambda f: (f.start, -f.end)):
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
    return kept
