"""What every vendor adapter takes and gives. No third-party imports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dursor.domain import ProviderName, Role, Secret, Usage
    from dursor.errors import DursorError


@dataclass(frozen=True)
class Tool:
    """A function that a model may call; `schema` is the JSON Schema of its arguments, an object."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool; `arguments` is None where what came is no JSON object."""

    id: str  # empty where the vendor gives none
    name: str
    arguments: Mapping[str, Any] | None


@dataclass(frozen=True)
class ToolResult:
    """What a call gave."""

    call_id: str
    name: str
    text: str
    failed: bool = False


@dataclass(frozen=True)
class Turn:
    """One turn of a conversation.

    An assistant's turn that called tools has `items`: the vendor's own output, one JSON text each,
    which goes back byte for byte. The user's turn after it has the `results` of all its calls.
    """

    role: Role
    text: str
    items: tuple[str, ...] = ()
    results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True)
class Prompt:
    """Everything said to a model, what changes least first.

    The system text and the tools; the context, which is the first block of the first turn; then
    the turns, the first and the last one the user's.
    """

    system: str
    turns: tuple[Turn, ...]
    context: str = ""
    tools: tuple[Tool, ...] = ()
    final: bool = False  # the tools stay declared, and may not be called any more


@dataclass(frozen=True)
class Endpoint:
    """Where and how one model is reached; `base_url` as the vendor's SDK reads it, None its own."""

    provider: ProviderName
    model_name: str
    key: Secret
    base_url: str | None = None
    api: str | None = None  # openai: "responses" | "chat"
    effort: str | None = None  # "low" | "medium" | "high"
    max_output_tokens: int = 32_000
    name: str | None = None  # what the user calls the model, for hints
    own_server: bool = False  # the base URL is the profile's own: the vendor's prices mean nothing
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """Seconds, and how often to try again before the first output byte."""

    connect: float = 10.0
    first_byte: float = 300.0
    idle: float = 120.0
    total: float = 900.0
    retries: int = 4
    retry_after_cap: float = 120.0
    spent: float = 0.0  # of `total`, by what the run did before this call


@dataclass(frozen=True)
class Reply:
    """A whole answer; it ended with the vendor's own sign that it is whole.

    Where it has `calls`, it is none yet: `items` and the results of all calls go back.
    """

    text: str
    usage: Usage | None
    request_id: str | None = None
    calls: tuple[ToolCall, ...] = ()
    items: tuple[str, ...] = ()  # the vendor's output as it was written, JSON texts


class Listener(Protocol):
    """Hears how a call goes. It may raise a DursorError, which closes the stream and goes up."""

    def connected(self) -> None:
        """Hear that the status was 200 and the stream began."""
        ...

    def delta(self, text: str) -> None:
        """Hear a piece of the answer's visible text."""
        ...

    def usage(self, usage: Usage) -> None:
        """Hear what this call has used so far: cumulative, so replace and do not add."""
        ...

    def retry(self, seconds: float, error: DursorError) -> None:
        """Hear that the call failed before any output and is made again after SECONDS."""
        ...


class Caller(Protocol):
    """Calls models; one per process, closed at its end."""

    async def answer(
        self, endpoint: Endpoint, prompt: Prompt, limits: Limits, listener: Listener
    ) -> Reply:
        """Stream one whole answer; raises a CallError (its `usage` set when anything was spent)."""
        ...

    async def check(self, endpoint: Endpoint, limits: Limits) -> None:
        """Prove key and model with the cheapest call; raises a CallError."""
        ...

    def warm(self, endpoints: Iterable[Endpoint]) -> None:
        """Start what takes long for ENDPOINTS, in a thread, before the first call is due."""
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...
