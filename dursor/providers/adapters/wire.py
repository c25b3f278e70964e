"""The interface between the adapter of a wire format and the shared client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from dursor.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.domain import Usage
    from dursor.providers.adapters.error_payloads import ErrorPayload
    from dursor.providers.base import Endpoint, Prompt, ToolCall

SHARED_BODIES = 4  # request bodies cached per format: all samples of a round share one


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


class Decoder(ABC):
    """Reads the events of one response and keeps their content."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.progress = Progress.OPEN
        self.request_id: str | None = None
        self.continuation: str | None = None  # set when the reply continues in another request

    @staticmethod
    def read_type(payload: Mapping[str, Any], name: str | None) -> str | None:
        """Return an event's type, NAME when it has none; ProviderError when it is not a string."""
        type_ = payload.get("type")
        type_ = name if type_ is None or type_ == "" else type_
        if type_ is None or isinstance(type_, str):
            return type_
        raise ProviderError("the stream contains an event whose type is not a string")

    @property
    @abstractmethod
    def calls_tools(self) -> bool:
        """Whether the response contains tool calls."""

    @abstractmethod
    def read(self, name: str | None, payload: Mapping[str, Any], source: str) -> str:
        """Read one event, PAYLOAD parsed from SOURCE; return the visible text it adds.

        Raises CallError when the reply failed for good, ReportedError for a vendor's error.
        """

    def mark_done(self) -> None:  # noqa: B027 - optional
        """Handle the `[DONE]` sentinel."""

    def finish(self) -> None:  # noqa: B027 - optional
        """Raise the CallError of a complete but unsuccessful reply."""

    @abstractmethod
    def collect_output(self) -> tuple[list[ToolCall], list[str]]:
        """Return the tool calls of a complete response, and all its output items."""


class Adapter(ABC):
    """One wire format: builds requests and decodes responses."""

    @abstractmethod
    def build_request(
        self, endpoint: Endpoint, prompt: Prompt, continuation: str | None = None
    ) -> Request:
        """Build the streaming request for PROMPT."""

    @abstractmethod
    def build_probe(self, endpoint: Endpoint) -> Request:
        """Build a free request that succeeds only with a valid key and a known model."""

    @abstractmethod
    def create_decoder(self) -> Decoder:
        """Create the decoder for one response."""

    def find_alternative(self, payload: ErrorPayload) -> Adapter | None:
        """Return the adapter to try after the server rejected a parameter, or None."""
        del payload
        return None
