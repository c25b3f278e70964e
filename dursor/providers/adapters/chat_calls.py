"""The tool calls of a reply in Chat Completions, assembled from their deltas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dursor.providers.adapters.json_spans import dump_json
from dursor.providers.adapters.json_values import as_list, as_object, as_text, parse_arguments
from dursor.providers.base import ToolCall

if TYPE_CHECKING:
    from collections.abc import Mapping

# Extra members of messages and of calls: some servers reject the next request without them.
REASONING = ("reasoning_content", "reasoning", "reasoning_details")
SIGNATURE = "extra_content"


@dataclass
class PartialToolCall:
    """The received part of one call."""

    id: str = ""
    name: str = ""
    arguments: str = ""
    signature: Any = None

    def to_json(self) -> dict[str, Any]:
        """Return the call as it is sent back."""
        function = {"name": self.name, "arguments": self.arguments}
        signature = {SIGNATURE: self.signature} if self.signature else {}
        return {"id": self.id, "type": "function", "function": function, **signature}


class ChatToolCalls:
    """The calls by index, and the text and reasoning of their message."""

    def __init__(self) -> None:
        self._text = ""
        self._reasoning: dict[str, list[Any]] = {}  # pieces of a text or of a list
        self._calls: dict[int, PartialToolCall] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, delta: Mapping[str, Any]) -> None:
        self._text += as_text(delta.get("content"))
        for name in REASONING:
            if piece := delta.get(name):
                self._reasoning.setdefault(name, []).append(piece)
        for piece in as_list(delta.get("tool_calls")):
            self._extend(as_object(piece))

    def _extend(self, piece: Mapping[str, Any]) -> None:
        index = piece.get("index")
        if not isinstance(index, int):  # some servers send complete calls without an index
            index = len(self._calls)
        call = self._calls.setdefault(index, PartialToolCall())
        function = as_object(piece.get("function"))
        call.id = call.id or as_text(piece.get("id")) or f"call_{index}"
        call.name = call.name or as_text(function.get("name"))
        call.arguments += as_text(function.get("arguments"))
        call.signature = call.signature or piece.get(SIGNATURE)

    def collect_output(self) -> tuple[list[ToolCall], list[str]]:
        """Return the calls, and the message that contains them."""
        calls = [call for _, call in sorted(self._calls.items())]
        message: dict[str, Any] = {"role": "assistant", "content": self._text or None}
        message |= {name: _join(pieces) for name, pieces in self._reasoning.items()}
        message["tool_calls"] = [call.to_json() for call in calls]
        parsed = [ToolCall(call.id, call.name, parse_arguments(call.arguments)) for call in calls]
        return parsed, [dump_json(message)]


def _join(pieces: list[Any]) -> str | list[Any]:
    """Join the pieces of a text, or else of a list."""
    if all(isinstance(piece, str) for piece in pieces):
        return "".join(pieces)
    return [element for piece in pieces for element in as_list(piece)]
