"""The interface between a wire format's adapter and the shared client, and helpers for both."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from dursor.domain import Role, Usage
from dursor.errors import ProviderError, RefusedError, TruncatedError
from dursor.providers.adapters.error_payloads import (
    ErrorPayload,
    ReportedError,
    read_payload,
    to_one_line,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.providers.base import Endpoint, Prompt, ToolCall, Turn

SHARED_BODIES = 4  # request bodies cached per format: all samples of a round share one
WITHOUT_TOOLS = "run it without tools: dursor run --no-explore ..."
MAX_TOKENS = 10**12  # more is not a count, and too large for sums, prices and the store


@dataclass(frozen=True)
class Request:
    """One HTTP request; the key is in `headers` only."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


class Progress(Enum):
    """The state of a streamed reply."""

    OPEN = "open"  # incomplete: the end of the stream now is a cut
    SETTLED = "settled"  # complete, but usage may follow
    ENDED = "ended"  # complete, nothing follows


class Decoder(Protocol):
    """Reads the events of one response and keeps their content."""

    usage: Usage | None
    progress: Progress
    request_id: str | None
    continuation: str | None  # set when the reply continues in another request

    @property
    def calls_tools(self) -> bool:
        """Whether the response contains tool calls."""
        ...

    def read(self, name: str | None, payload: Mapping[str, Any], source: str) -> str:
        """Read one event, PAYLOAD parsed from SOURCE; return the visible text it adds.

        Raises CallError when the reply failed for good, ReportedError for a vendor's error.
        """
        ...

    def mark_done(self) -> None:
        """Handle the `[DONE]` sentinel."""
        ...

    def finish(self) -> None:
        """Raise the CallError of a complete but unsuccessful reply."""
        ...

    def output(self) -> tuple[list[ToolCall], list[str]]:
        """Return the tool calls of a complete response, and all its output items."""
        ...


class Adapter(Protocol):
    """One wire format: builds requests and decodes responses."""

    def request(
        self, endpoint: Endpoint, prompt: Prompt, continuation: str | None = None
    ) -> Request:
        """Build the streaming request for PROMPT."""
        ...

    def probe(self, endpoint: Endpoint) -> Request:
        """Build a free request that succeeds only with a valid key and a known model."""
        ...

    def decoder(self) -> Decoder:
        """Create the decoder for one response."""
        ...

    def alternative(self, payload: ErrorPayload) -> Adapter | None:
        """Return the adapter to try after the server rejected a parameter, or None."""
        ...


class RawJson(str):
    """JSON text that is sent unchanged."""

    __slots__ = ()


def encode(body: Mapping[str, Any]) -> bytes:
    """Encode BODY as ASCII JSON, so that a lone surrogate is not an error; RawJson is UTF-8."""
    return dump_json(body).encode("utf-8", "backslashreplace")


def dump_json(value: Any) -> str:
    """Write VALUE as JSON, RawJson in it unchanged."""
    if isinstance(value, RawJson):
        return value
    if isinstance(value, dict):
        return f"{{{','.join(f'{json.dumps(k)}:{dump_json(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(dump_json, value))}]"
    return json.dumps(value)


def list_texts(prompt: Prompt, turn: Turn) -> list[str]:
    """List the non-empty texts of a user's TURN, the context first in the first turn.

    A system turn is marked: not every format has a role for it.
    """
    context = prompt.context if turn is prompt.turns[0] else ""
    marked = turn.text and turn.role is Role.SYSTEM
    return list(filter(None, (context, f"[system note]\n{turn.text}" if marked else turn.text)))


def parse_arguments(text: str) -> Mapping[str, Any] | None:
    """Parse a tool call's arguments, empty for an empty TEXT; None when it is not an object."""
    joined = text.encode("utf-8", "backslashreplace").decode("utf-8")  # joins split surrogates
    try:
        value = json.loads(joined or "{}", parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON


def as_object(value: Any) -> Mapping[str, Any]:
    """Return VALUE if it is an object, else an empty one: vendors omit fields or send null."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Return VALUE if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """Return VALUE if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def as_count(value: Any) -> int:
    """Return VALUE if it is a token count, else 0."""
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 < value <= MAX_TOKENS else 0


def build_usage(
    *, input_tokens: int, cached: int, output_tokens: int, reasoning: int, cache_write: int = 0
) -> Usage | None:
    """Build a usage in which no part exceeds its total; None when nothing was counted."""
    if not input_tokens and not output_tokens:
        return None
    cached = min(cached, input_tokens)
    return Usage(
        input_tokens,
        cached,
        output_tokens,
        min(reasoning, output_tokens),
        min(cache_write, input_tokens - cached),
    )


def read_event_type(payload: Mapping[str, Any], name: str | None) -> str | None:
    """Return an event's type, NAME when it has none; ProviderError when it is not a string."""
    type_ = payload.get("type")
    type_ = name if type_ is None or type_ == "" else type_
    if type_ is None or isinstance(type_, str):
        return type_
    raise ProviderError("the stream contains an event whose type is not a string")


def raise_reported(payload: Mapping[str, Any]) -> NoReturn:
    """Raise the error in an event."""
    raise ReportedError(read_payload(payload) or ErrorPayload(None, frozenset(), "no reason given"))


def raise_truncated(reason: str) -> NoReturn:
    """Raise the error for a reply that reached the output limit."""
    raise TruncatedError(
        f"the reply reached the output limit ({reason})",
        hint="add a model with a higher limit: "
        "dursor models add NAME --max-output-tokens 64000 ...",
    )


def raise_refused(reason: str, detail: str = "") -> NoReturn:
    """Raise the error for a refusal by the vendor or the model."""
    suffix = f": {to_one_line(detail)}" if detail.strip() else ""
    raise RefusedError(f"the model refused ({to_one_line(reason)}){suffix}")


def raise_incomplete(reason: str) -> NoReturn:
    """Raise the error for a reply that ended with neither success nor a known failure."""
    hint = WITHOUT_TOOLS if "TOOL_CALL" in reason else None
    raise ProviderError(
        f"the reply is incomplete: it ended with {to_one_line(reason)!r}", hint=hint
    )
