"""Redaction of logs and errors: secrets known to this process, and strings that look like one."""

from __future__ import annotations

import base64
import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, quote_plus

from dursor.domain import Secret
from dursor.secrets.matches import compile_pattern, replace_matches
from dursor.secrets.tokens import find_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARK = "[redacted]"
MIN_CHARS = 8  # a shorter "secret" (a local server's dummy key) is an ordinary word
_MIN_LINE_CHARS = 16  # of a secret of several lines
_MAX_PASSES = 4

# Wrapping a text can put a line break and the prefix of the next line inside a secret.
_BREAK = r"(?:(?:\\?\r?\n|(?:\\r)?\\n)[ \t>|+#*-]{0,80})?"
_BREAK_CHARS = str.maketrans("", "", "\\\r\n \t>|+#*-")


class _Pattern(NamedTuple):
    hints: tuple[str, ...]  # in lower case; a text without any of them has no match
    expression: str


_KEY_BEGIN = r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_KEY_END = r"-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_SEPARATOR = r"[\s\\\"',>|:-]"
_CREDENTIAL = r"[A-Za-z0-9._~+/=-]"

# Every repetition is bounded or starts where the previous one ended: linear time.
# The group "kept" is not replaced.
_PATTERNS = (
    _Pattern(
        ("private key",),
        rf"{_KEY_BEGIN}(?:"
        rf"(?:(?!-----BEGIN)[\s\S]){{0,8000}}?{_KEY_END}"  # complete, however it is wrapped
        rf"|(?:{_SEPARATOR}{{1,80}}[A-Za-z0-9+/=]{{16,}})+(?:{_SEPARATOR}{{1,80}}[A-Za-z0-9+/]{{1,15}}=)?)",
    ),
    _Pattern(
        ("secret",),
        r"(?i:(?P<kept>aws_?secret_?(?:access_?)?key[\"']?\s{0,5}[=:]\s{0,5}[\"']?))"
        r"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])",
    ),
    # headers
    _Pattern(
        ("bearer", "basic"),
        rf"(?P<kept>\b(?i:bearer|basic)[ \t]{{1,4}})"
        rf"(?={_CREDENTIAL}{{0,60}}[0-9=]){_CREDENTIAL}{{16,}}",
    ),
    _Pattern(
        ("authorization",),
        rf"(?P<kept>(?i:authorization)[\"']?\s{{0,5}}[:=]\s{{0,5}}[\"']?"
        rf"(?i:bearer|basic|token)[ \t]{{1,4}}){_CREDENTIAL}{{8,}}",
    ),
    _Pattern(
        ("api-key", "private-token"),
        rf"(?P<kept>(?i:(?:x-)?(?:goog-)?api-key|private-token)[\"']?\s{{0,5}}[:=]\s{{0,5}}[\"']?)"
        rf"(?={_CREDENTIAL}{{0,60}}[0-9]){_CREDENTIAL}{{8,}}",
    ),
    # URLs: parameters, and passwords before the host
    _Pattern(
        ("key=", "token=", "secret=", "sig=", "signature=", "password="),
        r"(?P<kept>[?&;](?i:[a-z_-]{0,20}(?:key|token|secret|sig|signature|password))=)"
        r"[^\s&\"'<>()\[\]{}$#`\\]+",
    ),
    _Pattern(("://",), r"(?P<kept>://[^\s/:@\"'<>{}$]{0,100}:)[^\s/:@\"'<>{}$\[\]]{1,600}(?=@)"),
)


class Redactor:
    """Replaces SECRETS, in any usual spelling, and anything that looks like a secret.

    Secrets shorter than 8 characters stay: they are ordinary words.
    """

    def __init__(self, secrets: Iterable[Secret | str] = ()) -> None:
        plain = (secret.reveal() if isinstance(secret, Secret) else secret for secret in secrets)
        kept = {secret.strip() for secret in plain if len(secret.strip()) >= MIN_CHARS}
        self._secrets = tuple(sorted(kept, key=len, reverse=True))

    def clean(self, text: str) -> str:
        """Return TEXT with `[redacted]` for each secret. Cleaning is idempotent."""
        for _ in range(_MAX_PASSES):
            cleaned = self._clean_once(text)
            if cleaned == text:
                return text
            text = cleaned
        return MARK if any(spelling in text for spelling in self._spellings) else text

    def _clean_once(self, text: str) -> str:
        text = self._replace_known(text)
        lowered = text.lower()
        for hints, expression in _PATTERNS:
            if any(hint in lowered for hint in hints):
                text = compile_pattern(expression).sub(
                    lambda m: m.groupdict().get("kept", "") + MARK, text
                )
        return replace_matches(text, find_tokens(text, loose=True), lambda _: MARK)

    def _replace_known(self, text: str) -> str:
        for spelling in self._spellings:
            text = text.replace(spelling, MARK)
        dense = _remove_breaks(text) if self._cores else ""
        for spelling, core in self._cores:
            if core in dense:
                wrapped = compile_pattern(_BREAK.join(map(re.escape, spelling)))
                text = wrapped.sub(MARK, text)
        return text

    @cached_property
    def _spellings(self) -> tuple[str, ...]:
        spellings = {spelling for secret in self._secrets for spelling in _list_spellings(secret)}
        return tuple(sorted(spellings, key=lambda spelling: (-len(spelling), spelling)))

    @cached_property
    def _cores(self) -> tuple[tuple[str, str], ...]:
        """Each spelling, and what remains of it in a wrapped text without line breaks."""
        return tuple((spelling, _remove_breaks(spelling)) for spelling in self._spellings)


def _remove_breaks(text: str) -> str:
    """Remove everything that can be part of a line break inside a wrapped secret."""
    return text.replace("\\r", "").replace("\\n", "").translate(_BREAK_CHARS)


def _list_spellings(secret: str) -> Iterator[str]:
    """Yield SECRET as it is, in JSON, in a URL, in Base64 at any offset, and line by line."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield quote(secret, safe="", errors="surrogatepass")
    yield quote_plus(secret, errors="surrogatepass")
    yield from _encode_base64(secret.encode("utf-8", "surrogatepass"))
    lines = [line.strip() for line in secret.replace("\\n", "\n").splitlines()]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= _MIN_LINE_CHARS and line[:5] != "-----")


def _encode_base64(raw: bytes) -> Iterator[str]:
    """Yield the parts of RAW's Base64 that do not depend on its surroundings."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        first = (0, 2, 3)[offset]
        last = (offset + len(raw)) * 8 // 6
        stable = encoded[first:last]
        if len(stable) >= MIN_CHARS:
            yield stable
            yield stable.replace("+", "-").replace("/", "_")
