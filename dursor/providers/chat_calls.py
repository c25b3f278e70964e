"""The tool calls of an answer in Chat Completions, put together from their deltas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dursor.providers.base import ToolCall
from dursor.providers.wire import arguments, items, mapping, text_of, written

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Pieces:
    """One call, as far as it came."""

    id: str = ""
    name: str = ""
    arguments: str = ""


class Calls:
    """The calls by their index, and the text said beside them."""

    def __init__(self) -> None:
        self._text = ""
        self._calls: dict[int, Pieces] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, delta: Mapping[str, Any]) -> None:
        """Take what a delta adds."""
        self._text += text_of(delta.get("content"))
        for raw in items(delta.get("tool_calls")):
            self._extend(mapping(raw))

    def _extend(self, piece: Mapping[str, Any]) -> None:
        index = piece.get("index")
        if not isinstance(index, int):  # some servers send whole calls without one
            index = len(self._calls)
        call = self._calls.setdefault(index, Pieces())
        function = mapping(piece.get("function"))
        call.id = call.id or text_of(piece.get("id")) or f"call_{index}"
        call.name = call.name or text_of(function.get("name"))
        call.arguments += text_of(function.get("arguments"))

    def output(self) -> tuple[list[ToolCall], list[str]]:
        """Give the calls, and the message that holds them."""
        calls = [call for _, call in sorted(self._calls.items())]
        said = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in calls
        ]
        message = {"role": "assistant", "content": self._text or None, "tool_calls": said}
        asked = [ToolCall(call.id, call.name, arguments(call.arguments)) for call in calls]
        return asked, [written(message)]
