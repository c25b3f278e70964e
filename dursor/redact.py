"""Taking secrets out of text: the ones known to this process, and whatever looks like one."""

from __future__ import annotations

import base64
import json
import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, quote_plus

from dursor.domain import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARK = "[redacted]"
SHORTEST = 8  # a shorter "secret" (a local server's dummy key) is a word that texts may hold
_SHORTEST_LINE = 16  # of a secret of several lines
_PASSES = 4

# Where a text was wrapped, a line break and what begins the next line may stand inside a secret.
_BREAK = r"(?:(?:\\?\r?\n|(?:\\r)?\\n)[ \t>|+#*-]{0,80})?"
_OF_BREAKS = str.maketrans("", "", "\\\r\n \t>|+#*-")


class _Pattern(NamedTuple):
    """A kind of secret; `hints` are substrings (lower case) without which it cannot be there."""

    hints: tuple[str, ...]
    expression: str


_WORD = r"[A-Za-z0-9_-]"
_NOT_INSIDE = r"(?<![A-Za-z0-9])"
_HAS_DIGIT = rf"(?={_WORD}{{0,60}}[0-9])"
_KEY_BODY = r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_KEY_END = r"-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_SEPARATOR = r"[\s\\\"',>|:-]"
_CREDENTIAL = r"[A-Za-z0-9._~+/=-]"

# Every repetition is bounded or starts at a place that the one before it has passed: linear time.
# A group called "kept" stays.
_PATTERNS = (
    _Pattern(
        ("private key",),
        rf"{_KEY_BODY}(?:"
        rf"(?:(?!-----BEGIN)[\s\S]){{0,8000}}?{_KEY_END}"  # whole, whatever it was wrapped in
        rf"|(?:{_SEPARATOR}{{1,80}}[A-Za-z0-9+/=]{{16,}})+(?:{_SEPARATOR}{{1,80}}[A-Za-z0-9+/]{{1,15}}=)?)",
    ),
    # OpenAI (sk-, sk-proj-, sk-svcacct-, ...), Anthropic (sk-ant-...)
    _Pattern(("sk-",), rf"{_NOT_INSIDE}sk-{_HAS_DIGIT}{_WORD}{{20,}}"),
    # Google: API keys, OAuth tokens
    _Pattern(("aiza",), rf"{_NOT_INSIDE}AIza{_WORD}{{30,}}"),
    _Pattern(("aq.",), rf"{_NOT_INSIDE}AQ\.{_HAS_DIGIT}{_WORD}{{30,}}"),
    _Pattern(("ya29.",), rf"{_NOT_INSIDE}ya29\.{_WORD}{{20,}}"),
    # GitHub: ghs_ may hold a JWT, with dots
    _Pattern(
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        rf"{_NOT_INSIDE}gh[pousr]_{_HAS_DIGIT}{_WORD}{{16,}}(?:\.{_WORD}+)*",
    ),
    _Pattern(("github_pat_",), rf"{_NOT_INSIDE}github_pat_[A-Za-z0-9_]{{20,}}"),
    # other places that code gets pushed to or paid at
    _Pattern(("glpat-",), rf"{_NOT_INSIDE}glpat-{_WORD}{{16,}}(?:\.{_WORD}+)*"),
    _Pattern(("xox",), rf"{_NOT_INSIDE}xox[abeprs]-{_HAS_DIGIT}{_WORD}{{16,}}"),
    _Pattern(("_live_", "_test_"), rf"{_NOT_INSIDE}[rs]k_(?:live|test)_{_HAS_DIGIT}{_WORD}{{16,}}"),
    # JSON Web Tokens: three parts or, encrypted, five
    _Pattern(("eyj",), rf"(?<!{_WORD})eyJ{_WORD}{{8,}}(?:\.{_WORD}*){{2,4}}"),
    # AWS: key ids, and a secret key where it is called one
    _Pattern(("akia", "asia"), rf"{_NOT_INSIDE}(?:AKIA|ASIA)[A-Z0-9]{{16}}(?![A-Za-z0-9])"),
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


@lru_cache(maxsize=256)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)  # only when a hint was seen: compiling all takes 0.1 s


def _wrapped(spelling: str) -> re.Pattern[str]:
    return _compiled(_BREAK.join(map(re.escape, spelling)))


def _marked(match: re.Match[str]) -> str:
    return match.groupdict().get("kept", "") + MARK


class Redactor:
    """Takes SECRETS, in any usual spelling, and everything that looks like a secret out of text.

    Secrets shorter than 8 characters are left alone: they are words that any text may hold.
    """

    def __init__(self, secrets: Iterable[Secret | str] = ()) -> None:
        plain = (one.reveal() if isinstance(one, Secret) else one for one in secrets)
        kept = {one.strip() for one in plain if len(one.strip()) >= SHORTEST}
        self._secrets = tuple(sorted(kept, key=len, reverse=True))

    def clean(self, text: str) -> str:
        """Give TEXT with `[redacted]` for each secret; cleaning twice changes nothing more."""
        for _ in range(_PASSES):
            cleaned = self._once(text)
            if cleaned == text:
                return text
            text = cleaned
        return MARK if any(one in text for one in self._spellings) else text

    def _once(self, text: str) -> str:
        text = self._without_known(text)
        lowered = text.lower()
        for hints, expression in _PATTERNS:
            if any(hint in lowered for hint in hints):
                text = _compiled(expression).sub(_marked, text)
        return text

    def _without_known(self, text: str) -> str:
        if not self._secrets:
            return text
        for spelling in self._spellings:
            text = text.replace(spelling, MARK)
        dense = _dense(text)
        for spelling, core in self._cores:
            if core in dense:
                text = _wrapped(spelling).sub(MARK, text)
        return text

    @cached_property
    def _spellings(self) -> tuple[str, ...]:
        found = {spelling for one in self._secrets for spelling in _spellings(one)}
        return tuple(sorted(found, key=lambda one: (-len(one), one)))

    @cached_property
    def _cores(self) -> tuple[tuple[str, str], ...]:
        """Each spelling, and what of it stands in a wrapped one whatever the line breaks."""
        return tuple((spelling, _dense(spelling)) for spelling in self._spellings)


def _dense(text: str) -> str:
    """Drop everything that may be part of a line break inside a wrapped secret."""
    return text.replace("\\r", "").replace("\\n", "").translate(_OF_BREAKS)


def _spellings(secret: str) -> Iterator[str]:
    """Give SECRET as it is, in JSON, in a URL, in Base64 at any offset, and line by line."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield quote(secret, safe="", errors="surrogatepass")
    yield quote_plus(secret, errors="surrogatepass")
    yield from _base64_spellings(secret.encode("utf-8", "surrogatepass"))
    lines = [line.strip() for line in secret.replace("\\n", "\n").splitlines()]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= _SHORTEST_LINE and line[:5] != "-----")


def _base64_spellings(raw: bytes) -> Iterator[str]:
    """Give the part of the Base64 that does not depend on what stands beside the secret."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        first = (0, 2, 3)[offset]
        last = (offset + len(raw)) * 8 // 6
        stable = encoded[first:last]
        if len(stable) >= SHORTEST:
            yield stable
            yield stable.replace("+", "-").replace("/", "_")
