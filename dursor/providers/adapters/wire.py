"""What an adapter for one wire format gives to the shared client."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from dursor.domain import Role, Usage
from dursor.errors import ProviderError, RefusedError, TruncatedError
from dursor.providers.adapters.error_payloads import Problem, ReportedError, one_line, read_payload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.providers.base import Endpoint, Prompt, ToolCall, Turn

SHARED_BODIES = 4  # request bodies a format keeps, so that the samples of a round share one
WITHOUT_TOOLS = "ask it without tools: dursor run --no-explore ..."
MOST_TOKENS = 10**12  # more is no count, and past what sums, prices and the store can hold


@dataclass(frozen=True)
class Request:
    """One HTTP request; the key stands in `headers` and nowhere else."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


class Progress(Enum):
    """How far an answer has come."""

    OPEN = "open"  # not whole: the end of the stream now is a cut
    SETTLED = "settled"  # whole, but its usage may still come
    ENDED = "ended"  # whole, and nothing more is to come


class Decoder(Protocol):
    """Reads the events of one answer; keeps what it learns."""

    usage: Usage | None
    progress: Progress
    request_id: str | None
    continuation: str | None  # set when the answer goes on in a further request

    @property
    def calls_tools(self) -> bool:
        """Whether tool calls came."""
        ...

    def read(self, name: str | None, payload: Mapping[str, Any], written: str) -> str:
        """Take one event, parsed and as WRITTEN; give the visible text it adds, often none.

        Raises CallError when the answer failed for good, ReportedError for what the vendor reports.
        """
        ...

    def done(self) -> None:
        """Take the `[DONE]` sentinel."""
        ...

    def finish(self) -> None:
        """Raise the CallError that a settled answer turned out to be, if it was no success."""
        ...

    def output(self) -> tuple[list[ToolCall], list[str]]:
        """Give the tool calls of a whole answer, and all of its output items."""
        ...


class Adapter(Protocol):
    """One wire format: how to ask, and how to read the answer."""

    def request(
        self, endpoint: Endpoint, prompt: Prompt, continuation: str | None = None
    ) -> Request:
        """Make the streaming request for PROMPT."""
        ...

    def probe(self, endpoint: Endpoint) -> Request:
        """Make the free request that only a good key and a known model get a 200 for."""
        ...

    def decoder(self) -> Decoder:
        """Make a fresh state machine for one answer."""
        ...

    def alternative(self, problem: Problem) -> Adapter | None:
        """Choose another dialect to try when the server refused a parameter, or None."""
        ...


class Written(str):
    """A JSON text that goes on the wire as it is."""

    __slots__ = ()


def encode(body: Mapping[str, Any]) -> bytes:
    """Write JSON as it goes on the wire: ASCII, so that even a lone surrogate is no error.

    What a vendor wrote stays as it was written, in UTF-8.
    """
    return written(body).encode("utf-8", "backslashreplace")


def written(value: Any) -> str:
    """Write VALUE as JSON, with the texts in it that are JSON already."""
    if isinstance(value, Written):
        return value
    if isinstance(value, dict):
        return f"{{{','.join(f'{json.dumps(k)}:{written(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    return json.dumps(value)


def blocks(prompt: Prompt, turn: Turn) -> list[str]:
    """List the texts of a user's TURN: the context first in the first one, and none empty."""
    first = prompt.context if turn is prompt.turns[0] else ""
    return [text for text in (first, note(turn) if turn.text else "") if text]


def arguments(text: str) -> Mapping[str, Any] | None:
    """Read a call's arguments; nothing at all stands for none, None for what is no object."""
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")  # halves of one character meet
    try:
        found = json.loads(whole or "{}", parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and its like are Python's, not JSON's


def note(turn: Turn) -> str:
    """Give a turn's text; a system turn is marked, for formats that have no such role."""
    return f"[system note]\n{turn.text}" if turn.role is Role.SYSTEM else turn.text


def mapping(value: Any) -> Mapping[str, Any]:
    """Take VALUE where it is an object, else an empty one: vendors leave fields out or null."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """Take VALUE where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """Take VALUE where it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def count(value: Any) -> int:
    """Take VALUE where it is a token count, else 0."""
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 < value <= MOST_TOKENS else 0


def usage_of(
    *, input_tokens: int, cached: int, output_tokens: int, reasoning: int, cache_write: int = 0
) -> Usage | None:
    """Make a usage in which no part exceeds its whole; None where nothing was counted."""
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


def kind_of(payload: Mapping[str, Any], name: str | None) -> str | None:
    """Tell an event's type, its NAME where it has none; ProviderError when it is no text."""
    kind = payload.get("type")
    kind = name if kind is None or kind == "" else kind
    if kind is None or isinstance(kind, str):
        return kind
    raise ProviderError("the stream holds an event whose type is no text")


def report(payload: Mapping[str, Any]) -> NoReturn:
    """Raise what an error event says."""
    raise ReportedError(read_payload(payload) or Problem(None, frozenset(), "no reason given"))


def truncated(reason: str) -> TruncatedError:
    """Say that the answer stopped at the output limit."""
    return TruncatedError(
        f"the answer reached the output limit ({reason})",
        hint="give a profile more room: dursor models add NAME --max-output-tokens 64000 ...",
    )


def refused(reason: str, detail: str = "") -> RefusedError:
    """Say that the vendor or the model declined."""
    said = f": {one_line(detail)}" if detail.strip() else ""
    return RefusedError(f"the model refused ({one_line(reason)}){said}")


def unfinished(reason: str) -> ProviderError:
    """Say that the answer ended in a way that is neither success nor a known failure."""
    hint = WITHOUT_TOOLS if "TOOL_CALL" in reason else None
    return ProviderError(f"the answer ended with {one_line(reason)!r}: it is not whole", hint=hint)
