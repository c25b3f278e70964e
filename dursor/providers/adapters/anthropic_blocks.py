"""The content blocks of one of Anthropic's messages, assembled from their deltas."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dursor.providers.adapters.json_spans import find_member, list_elements, replace_members
from dursor.providers.adapters.json_values import as_count, as_object, as_text, parse_arguments
from dursor.providers.base import ToolCall

if TYPE_CHECKING:
    from collections.abc import Mapping

# The member of the block and of the delta for each type of text delta.
TEXT_MEMBERS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}


@dataclass
class ContentBlock:
    """The JSON text of one block's start, and of the events that extend it."""

    start: str
    texts: dict[str, list[str]] = field(default_factory=dict)
    input: list[str] = field(default_factory=list)
    citations: list[str] = field(default_factory=list)

    def add(self, delta: Mapping[str, Any], event: str) -> None:
        """Add a delta, EVENT being its JSON text."""
        kind = as_text(delta.get("type"))
        if kind == "input_json_delta":
            self.input.append(as_text(delta.get("partial_json")))
        elif kind in TEXT_MEMBERS:
            self.texts.setdefault(TEXT_MEMBERS[kind], []).append(event)
        elif kind == "citations_delta":
            self.citations.append(event)

    @property
    def fields(self) -> Mapping[str, Any]:
        """The block's members at its start."""
        return as_object(json.loads(self.start))

    @property
    def kind(self) -> str:
        """The block's type."""
        return as_text(self.fields.get("type"))

    def assemble(self) -> str:
        """Return the complete block as JSON; every part of it is the vendor's own text."""
        values: dict[str, str] = {}
        for name, events in self.texts.items():
            pieces = [find_member(self.start, name)]
            pieces += [find_member(event, "delta", name) for event in events]
            joined = "".join(piece[1:-1] for piece in pieces if piece.startswith('"'))
            values[name] = f'"{joined}"'
        if self.input and (joined := "".join(self.input)):
            # The API accepts objects only, so its documentation wraps invalid input in one.
            valid = parse_arguments(joined) is not None
            values["input"] = joined if valid else json.dumps({"INVALID_JSON": joined})
        if self.citations:
            citations = list_elements(find_member(self.start, "citations"))
            citations += [find_member(event, "delta", "citation") for event in self.citations]
            values["citations"] = f"[{','.join(citations)}]"
        return replace_members(self.start, values)

    def to_call(self) -> ToolCall:
        """Read the tool call from a block of type `tool_use`."""
        fields, joined = self.fields, "".join(self.input)
        arguments = parse_arguments(joined or json.dumps(fields.get("input") or {}))
        return ToolCall(as_text(fields.get("id")), as_text(fields.get("name")), arguments)


class ContentBlocks:
    """The blocks of a message by index."""

    def __init__(self) -> None:
        self._blocks: dict[int, ContentBlock] = {}

    def start(self, index: Any, block: str) -> None:
        """Start the block at INDEX with the JSON text BLOCK."""
        self._blocks[as_count(index)] = ContentBlock(block if block.startswith("{") else "{}")

    def extend(self, index: Any, delta: Mapping[str, Any], event: str) -> None:
        """Add DELTA to the block at INDEX, EVENT being its JSON text."""
        if block := self._blocks.get(as_count(index)):
            block.add(delta, event)

    @property
    def calls_tools(self) -> bool:
        """Whether any block is a tool call."""
        return any(block.kind == "tool_use" for block in self._blocks.values())

    def collect_output(self) -> tuple[list[ToolCall], list[str]]:
        """Return the tool calls and all blocks, except blank text blocks, which the API rejects."""
        blocks = [block for _, block in sorted(self._blocks.items())]
        calls = [block.to_call() for block in blocks if block.kind == "tool_use"]
        texts = [(block.kind, block.assemble()) for block in blocks]
        return calls, [text for kind, text in texts if kind != "text" or not _is_blank(text)]


def _is_blank(block: str) -> bool:
    return not as_text(as_object(json.loads(block)).get("text")).strip()
