"""The content blocks of one of Anthropic's messages, put together from their deltas."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dursor.providers.base import ToolCall
from dursor.providers.wire import Written, arguments, count, mapping, text_of, written

if TYPE_CHECKING:
    from collections.abc import Mapping

# What each kind of delta adds to, and under which name it carries it.
TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
INPUT = "input_json_delta"


@dataclass
class Block:
    """One block: as it was begun, and the pieces that came for its fields."""

    begun: str  # JSON, as it was written
    fields: dict[str, list[str]] = field(default_factory=dict)
    citations: list[Any] = field(default_factory=list)

    def add(self, delta: Mapping[str, Any]) -> None:
        """Take a piece."""
        kind = text_of(delta.get("type"))
        if kind == INPUT:
            self.fields.setdefault("input", []).append(text_of(delta.get("partial_json")))
        elif kind in TEXTS:
            name = TEXTS[kind]
            self.fields.setdefault(name, []).append(text_of(delta.get(name)))
        elif kind == "citations_delta":
            self.citations.append(delta.get("citation"))

    def whole(self) -> str:
        """Give the block as it goes back, JSON; untouched when no piece came for it."""
        if not self.fields and not self.citations:
            return self.begun
        block: dict[str, Any] = dict(mapping(json.loads(self.begun)))
        for name, pieces in self.fields.items():
            joined = "".join(pieces)
            if name == "input":
                block[name] = _input(joined) if joined else block.get(name) or {}
            else:
                block[name] = text_of(block.get(name)) + joined
        if self.citations:
            block["citations"] = self.citations
        return written(block)


class Blocks:
    """The blocks by their place."""

    def __init__(self) -> None:
        self._blocks: dict[int, Block] = {}

    def start(self, index: Any, begun: str) -> None:
        """Begin the block at INDEX."""
        self._blocks[count(index)] = Block(begun)

    def extend(self, index: Any, delta: Mapping[str, Any]) -> None:
        """Take a piece of the block at INDEX."""
        if block := self._blocks.get(count(index)):
            block.add(delta)

    @property
    def calls_tools(self) -> bool:
        """Whether any block is a call."""
        return any(_kind(block) == "tool_use" for block in self._blocks.values())

    def output(self) -> tuple[list[ToolCall], list[str]]:
        """Give the calls, and every block.

        A text block that stayed empty is left out: the API gives such blocks and takes none back.
        """
        whole: list[str] = []
        calls: list[ToolCall] = []
        for _, block in sorted(self._blocks.items()):
            if _kind(block) == "tool_use":
                calls.append(_call(block))
            text = block.whole()
            if _kind(block) != "text" or text_of(mapping(json.loads(text)).get("text")):
                whole.append(text)
        return calls, whole


def _kind(block: Block) -> str:
    return text_of(mapping(json.loads(block.begun)).get("type"))


def _call(block: Block) -> ToolCall:
    begun = mapping(json.loads(block.begun))
    joined = "".join(block.fields.get("input", []))
    given = arguments(joined or json.dumps(begun.get("input") or {}))
    return ToolCall(text_of(begun.get("id")), text_of(begun.get("name")), given)


def _input(joined: str) -> Any:
    """Give a call's input as it goes back: the API takes an object only, so what is none is in one.

    It is what the vendor's own pages on broken input advise.
    """
    return Written(joined) if arguments(joined) is not None else {"INVALID_JSON": joined}
