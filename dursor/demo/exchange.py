"""What every vendor's wire format has in common: who asks what, what is answered, what it costs."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

from dursor.demo.problems import Kind, Problem
from dursor.domain import ProviderName, Usage

if TYPE_CHECKING:
    from dursor.providers.base import Turn

THOUGHT = "A practice model does not think: its reply is looked up by its name."
INPUT_LIMIT, OUTPUT_LIMIT = 1_000_000, 128_000  # tokens, as the model lists tell it


@dataclass(frozen=True)
class PracticeRequest:
    """One question as the server understood it, whatever wire format it came in."""

    provider: ProviderName
    api: str  # "responses", "chat", "messages" or "generateContent"
    model: str
    system: str
    turns: tuple[Turn, ...]
    stream: bool
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)  # lower case, without the key
    parts: tuple[str, ...] = ()  # the prompt in the pieces that caching goes by
    cacheable: int = 0  # how many leading parts may be cached
    max_output_tokens: int | None = None

    @property
    def text(self) -> str:
        """Everything that was said, system text first."""
        return "\n".join([self.system, *(turn.text for turn in self.turns)])


Answer: TypeAlias = Callable[[PracticeRequest], str]


@dataclass(frozen=True)
class Reply:
    """One answer, cut where the request's output limit says."""

    request: PracticeRequest
    text: str
    pieces: tuple[str, ...]
    cut: bool
    usage: Usage
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def fresh_input(self) -> int:
        """Input tokens that were neither read from the cache nor written to it."""
        return (
            self.usage.input_tokens - self.usage.cached_input_tokens - self.usage.cache_write_tokens
        )


def tokens(text: str) -> int:
    """Count tokens the way the whole program does: four bytes each, begun ones included."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // 4)


class Practice:
    """The models behind the server: scripted answers, a prompt cache, and a record of requests."""

    def __init__(self, answers: Mapping[str, Answer], keys: Sequence[str], piece: int) -> None:
        self.answers = answers
        self.keys = frozenset(keys)
        self.requests: list[PracticeRequest] = []
        self._piece = piece
        self._seen: set[tuple[ProviderName, str, bytes]] = set()
        self._lock = threading.Lock()

    def find(self, model: str, api: str) -> Answer:
        """Find the answer of MODEL; raises Problem, the model's name its message."""
        if model not in self.answers:
            raise Problem(Kind.UNKNOWN_MODEL, model, param=api)
        return self.answers[model]

    def reply(self, request: PracticeRequest) -> Reply:
        """Answer REQUEST and record it; raises Problem."""
        answer = self.find(request.model, request.api)
        with self._lock:
            self.requests.append(request)
            cached, written = self._cache(request)
        whole = answer(request)
        text = _first_tokens(whole, request.max_output_tokens)
        usage = Usage(
            input_tokens=count(request),
            cached_input_tokens=cached,
            output_tokens=tokens(THOUGHT) + tokens(text),
            reasoning_tokens=tokens(THOUGHT),
            cache_write_tokens=written,
        )
        pieces = tuple(text[i : i + self._piece] for i in range(0, len(text), self._piece))
        return Reply(request, text, pieces, text != whole, usage)

    def _cache(self, request: PracticeRequest) -> tuple[int, int]:
        """Tokens of the longest prefix seen before, and of the rest that is now remembered."""
        digest = sha256()
        cached = total = 0
        for part in request.parts[: request.cacheable]:
            digest.update(sha256(part.encode("utf-8", "surrogatepass")).digest())
            total += tokens(part)
            prefix = (request.provider, request.model, digest.digest())
            if prefix in self._seen:
                cached = total
            self._seen.add(prefix)
        return cached, total - cached


def count(request: PracticeRequest) -> int:
    """Input tokens of REQUEST."""
    return sum(tokens(part) for part in request.parts)


def _first_tokens(text: str, limit: int | None) -> str:
    if limit is None or tokens(THOUGHT) + tokens(text) <= limit:
        return text
    room = max(0, limit - tokens(THOUGHT)) * 4
    return text.encode("utf-8", "surrogatepass")[:room].decode("utf-8", "ignore")
