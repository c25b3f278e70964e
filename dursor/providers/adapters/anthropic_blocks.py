"""The content blocks of one of Anthropic's messages, put together from their deltas."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dursor.providers.adapters.json_spans import elements, member, replaced
from dursor.providers.adapters.wire import as_count, as_object, as_text, parse_arguments
from dursor.providers.base import ToolCall

if TYPE_CHECKING:
    from collections.abc import Mapping

# What each kind of delta adds to, and under which name it carries it.
TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
INPUT = "input_json_delta"


@dataclass
class ContentBlock:
    """One block as it was begun, and the events that added to it, all as they were written."""

    begun: str
    texts: dict[str, list[str]] = field(default_factory=dict)
    input: list[str] = field(default_factory=list)
    citations: list[str] = field(default_factory=list)

    def add(self, delta: Mapping[str, Any], event: str) -> None:
        """Take a piece."""
        kind = as_text(delta.get("type"))
        if kind == INPUT:
            self.input.append(as_text(delta.get("partial_json")))
        elif kind in TEXTS:
            self.texts.setdefault(TEXTS[kind], []).append(event)
        elif kind == "citations_delta":
            self.citations.append(event)

    def whole(self) -> str:
        """Give the block as it goes back, JSON; nothing of it is written anew."""
        values: dict[str, str] = {}
        for name, events in self.texts.items():
            pieces = [member(self.begun, name), *(member(one, "delta", name) for one in events)]
            joined = "".join(piece[1:-1] for piece in pieces if piece.startswith('"'))
            values[name] = f'"{joined}"'
        if self.input and (joined := "".join(self.input)):
            values["input"] = _input(joined)
        if self.citations:
            cited = elements(member(self.begun, "citations"))
            cited += [member(one, "delta", "citation") for one in self.citations]
            values["citations"] = f"[{','.join(cited)}]"
        return replaced(self.begun, values)


class ContentBlocks:
    """The blocks by their place."""

    def __init__(self) -> None:
        self._blocks: dict[int, ContentBlock] = {}

    def start(self, index: Any, begun: str) -> None:
        """Begin the block at INDEX."""
        self._blocks[as_count(index)] = ContentBlock(begun if begun.startswith("{") else "{}")

    def extend(self, index: Any, delta: Mapping[str, Any], event: str) -> None:
        """Take a piece of the block at INDEX, DELTA of the EVENT as it was written."""
        if block := self._blocks.get(as_count(index)):
            block.add(delta, event)

    @property
    def calls_tools(self) -> bool:
        """Whether any block is a call."""
        return any(_kind(block) == "tool_use" for block in self._blocks.values())

    def output(self) -> tuple[list[ToolCall], list[str]]:
        """Give the calls, and every block.

        A text block that stayed blank is left out: the API gives such blocks and takes none back.
        """
        whole: list[str] = []
        calls: list[ToolCall] = []
        for _, block in sorted(self._blocks.items()):
            if _kind(block) == "tool_use":
                calls.append(_call(block))
            text = block.whole()
            if _kind(block) != "text" or as_text(as_object(json.loads(text)).get("text")).strip():
                whole.append(text)
        return calls, whole


def _kind(block: ContentBlock) -> str:
    return as_text(as_object(json.loads(block.begun)).get("type"))


def _call(block: ContentBlock) -> ToolCall:
    begun = as_object(json.loads(block.begun))
    joined = "".join(block.input)
    given = parse_arguments(joined or json.dumps(begun.get("input") or {}))
    return ToolCall(as_text(begun.get("id")), as_text(begun.get("name")), given)


def _input(joined: str) -> str:
    """Give a call's input as it goes back: the API takes an object only, so what is none is in one.

    It is what the vendor's own pages on broken input advise.
    """
    return joined if parse_arguments(joined) is not None else json.dumps({"INVALID_JSON": joined})
