"""The tool calls of an answer in Chat Completions, put together from their deltas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dursor.providers.adapters.wire import as_list, as_object, as_text, dump_json, parse_arguments
from dursor.providers.base import ToolCall

if TYPE_CHECKING:
    from collections.abc import Mapping


# What came beside the text, and what came beside a call: some servers refuse what follows without.
THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details")
SIGNED = "extra_content"


@dataclass
class PartialToolCall:
    """One call, as far as it came."""

    id: str = ""
    name: str = ""
    arguments: str = ""
    signed: Any = None


class ChatToolCalls:
    """The calls by their index, and what was said and thought beside them."""

    def __init__(self) -> None:
        self._text = ""
        self._thoughts: dict[str, list[Any]] = {}  # pieces of a text, or of a list
        self._calls: dict[int, PartialToolCall] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, delta: Mapping[str, Any]) -> None:
        """Take what a delta adds."""
        self._text += as_text(delta.get("content"))
        for name in THOUGHTS:
            if piece := delta.get(name):
                self._thoughts.setdefault(name, []).append(piece)
        for raw in as_list(delta.get("tool_calls")):
            self._extend(as_object(raw))

    def _extend(self, piece: Mapping[str, Any]) -> None:
        index = piece.get("index")
        if not isinstance(index, int):  # some servers send whole calls without one
            index = len(self._calls)
        call = self._calls.setdefault(index, PartialToolCall())
        function = as_object(piece.get("function"))
        call.id = call.id or as_text(piece.get("id")) or f"call_{index}"
        call.name = call.name or as_text(function.get("name"))
        call.arguments += as_text(function.get("arguments"))
        call.signed = call.signed or piece.get(SIGNED)

    def output(self) -> tuple[list[ToolCall], list[str]]:
        """Give the calls, and the message that holds them."""
        calls = [call for _, call in sorted(self._calls.items())]
        message: dict[str, Any] = {"role": "assistant", "content": self._text or None}
        message |= {name: _joined(pieces) for name, pieces in self._thoughts.items()}
        message["tool_calls"] = list(map(_written, calls))
        asked = [ToolCall(call.id, call.name, parse_arguments(call.arguments)) for call in calls]
        return asked, [dump_json(message)]


def _written(call: PartialToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    signed = {SIGNED: call.signed} if call.signed else {}
    return {"id": call.id, "type": "function", "function": function, **signed}


def _joined(pieces: list[Any]) -> str | list[Any]:
    """Put the pieces of a text together, or else those of lists."""
    if all(isinstance(piece, str) for piece in pieces):
        return "".join(pieces)
    return [one for piece in pieces for one in as_list(piece)]
