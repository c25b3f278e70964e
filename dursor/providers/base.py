"""The values and protocols of a model call. No third-party imports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from dursor.domain import Role
from dursor.providers.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.domain import Secret, Usage
    from dursor.errors import DursorError


@dataclass(frozen=True)
class Tool:
    """A function that a model may call; `schema` is the JSON Schema of its arguments, an object."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool; `arguments` is None when they are not a JSON object."""

    id: str  # empty when the vendor sends none
    name: str
    arguments: Mapping[str, Any] | None


@dataclass(frozen=True)
class ToolResult:
    """The result of a tool call."""

    call_id: str
    name: str
    text: str
    failed: bool = False


@dataclass(frozen=True)
class Turn:
    """One turn of a conversation.

    An assistant's turn with tool calls has `items`: the vendor's output, one JSON text each, which
    is sent back byte for byte. The user's turn after it has the `results` of all its calls.
    """

    role: Role
    text: str
    items: tuple[str, ...] = ()
    results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True)
class Prompt:
    """The input of a call, most stable parts first.

    The system text and the tools, then the context, which is the first block of the first turn,
    then the turns. The first and the last turn are the user's.
    """

    system: str
    turns: tuple[Turn, ...]
    context: str = ""
    tools: tuple[Tool, ...] = ()
    final: bool = False  # tools stay declared, but may not be called

    def list_texts(self, turn: Turn) -> list[str]:
        """List the non-empty texts of a user's TURN, the context first in the first turn.

        A system turn is marked: not every format has a role for it.
        """
        context = self.context if turn is self.turns[0] else ""
        is_note = turn.text and turn.role is Role.SYSTEM
        text = f"[system note]\n{turn.text}" if is_note else turn.text
        return [part for part in (context, text) if part]


@dataclass(frozen=True)
class Endpoint:
    """The address, key and options of one model; a `base_url` of None is the vendor's."""

    provider: str
    model_name: str
    key: Secret
    base_url: str | None = None
    api: str | None = None  # the wire format, None for the vendor's default
    effort: str | None = None  # "low" | "medium" | "high"
    max_output_tokens: int = 32_000
    name: str | None = None  # of the profile, for hints
    own_server: bool = False  # at the profile's base URL, where the vendor's prices do not apply
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def root_url(self) -> str:
        """The base URL without a trailing slash."""
        return (self.base_url or VENDORS[self.provider].base_url).rstrip("/")


@dataclass(frozen=True)
class CallLimits:
    """Time limits in seconds, and retries before the first output byte."""

    connect: float = 10.0
    first_byte: float = 300.0
    idle: float = 120.0
    total: float = 900.0
    retries: int = 4
    retry_after_cap: float = 120.0
    spent: float = 0.0  # of `total`, before this call


@dataclass(frozen=True)
class Reply:
    """A complete reply: the vendor's terminal event arrived.

    When it has `calls`, the model waits for `items` and the results of all calls.
    """

    text: str
    usage: Usage | None
    request_id: str | None = None
    calls: tuple[ToolCall, ...] = ()
    items: tuple[str, ...] = ()  # the vendor's output, unchanged JSON texts


class StreamListener(Protocol):
    """Receives the events of a call. A DursorError it raises closes the stream and propagates."""

    def on_connect(self) -> None:
        """The stream started with status 200."""

    def on_delta(self, text: str) -> None:
        """A piece of the reply's visible text arrived."""

    def on_usage(self, usage: Usage) -> None:
        """The call's usage so far: cumulative, so replace it, do not add."""

    def on_retry(self, seconds: float, error: DursorError) -> None:
        """The call failed before any output and is retried after SECONDS."""
