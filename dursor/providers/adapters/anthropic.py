"""Anthropic's Messages API."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dursor.domain import Role, Usage
from dursor.errors import ContextTooLargeError
from dursor.providers.adapters.anthropic_blocks import ContentBlocks
from dursor.providers.adapters.json_spans import member
from dursor.providers.adapters.wire import (
    SHARED_BODIES,
    Progress,
    RawJson,
    Request,
    as_count,
    as_object,
    as_text,
    build_usage,
    encode,
    list_texts,
    raise_incomplete,
    raise_refused,
    raise_reported,
    raise_truncated,
    read_event_type,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.providers.adapters.error_payloads import ErrorPayload
    from dursor.providers.adapters.wire import Adapter, Decoder
    from dursor.providers.base import Endpoint, Prompt, Tool, ToolCall, ToolResult, Turn

VERSION = "2026-10-21"
CACHED = {"cache_control": {"type": "ephemeral"}}  # its block's end is a place to cache up to
MOST_MARKS = 2  # of turns, beside those of the system text and the context: four in all
WHOLE = frozenset({"end_turn", "stop_sequence"})


class MessagesAdapter:
    """Speaks `POST {base}/v1/messages`."""

    def request(
        self, endpoint: Endpoint, prompt: Prompt, continuation: str | None = None
    ) -> Request:
        del continuation  # this format has none
        body = _body(endpoint.model_name, endpoint.effort, endpoint.max_output_tokens, prompt)
        return Request("POST", f"{_base(endpoint)}/messages", _headers(endpoint), body)

    def probe(self, endpoint: Endpoint) -> Request:
        model = quote(endpoint.model_name, safe="")
        return Request("GET", f"{_base(endpoint)}/models/{model}", _headers(endpoint))

    def decoder(self) -> Decoder:
        return MessagesDecoder()

    def alternative(self, payload: ErrorPayload) -> Adapter | None:
        del payload
        return None


def _base(endpoint: Endpoint) -> str:
    return f"{endpoint.root_url}/v1"


def _headers(endpoint: Endpoint) -> dict[str, str]:
    return {
        "x-api-key": endpoint.key.reveal(),
        "anthropic-version": VERSION,
        "content-type": "application/json",
    }


@lru_cache(SHARED_BODIES)
def _body(model: str, effort: str | None, max_output_tokens: int, prompt: Prompt) -> bytes:
    body: dict[str, Any] = {"model": model, "max_tokens": max_output_tokens, "stream": True}
    if effort:
        body["output_config"] = {"effort": effort}
    if prompt.tools:
        body["tools"] = [_tool(tool) for tool in prompt.tools]
        if prompt.final:
            body["tool_choice"] = {"type": "none"}
    if prompt.system:
        body["system"] = [{"type": "text", "text": prompt.system, **CACHED}]
    body["messages"] = _messages(prompt)
    return encode(body)


def _tool(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.schema}


def _messages(prompt: Prompt) -> list[dict[str, Any]]:
    """List the turns; the ends of the context and of what was said last are worth caching."""
    messages = [_message(prompt, turn) for turn in prompt.turns]
    asked = [message["content"] for message in messages if message["role"] == "user"]
    for content in asked[-MOST_MARKS:]:
        if content:
            content[-1] |= CACHED
    if prompt.context:
        messages[0]["content"][0] |= CACHED
    return messages


def _message(prompt: Prompt, turn: Turn) -> dict[str, Any]:
    if turn.role is Role.ASSISTANT:
        content = list(map(RawJson, turn.items)) if turn.items else turn.text
        return {"role": "assistant", "content": content}
    said = [{"type": "text", "text": text} for text in list_texts(prompt, turn)]
    return {"role": "user", "content": [*map(_result, turn.results), *said]}


def _result(result: ToolResult) -> dict[str, Any]:
    return {
        "type": "tool_result",
        "tool_use_id": result.call_id,
        "content": result.text,
        "is_error": result.failed,
    }


class MessagesDecoder:
    """Follows one message; only text blocks are the answer, thinking ones are not."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.progress = Progress.OPEN
        self.request_id: str | None = None
        self.continuation: str | None = None
        self._counts: dict[str, Any] = {}
        self._stop: str | None = None
        self._detail = ""
        self._blocks = ContentBlocks()

    def read(self, name: str | None, payload: Mapping[str, Any], written: str) -> str:
        kind = read_event_type(payload, name)
        if kind == "content_block_delta":
            delta = as_object(payload.get("delta"))
            self._blocks.extend(payload.get("index"), delta, written)
            return as_text(delta.get("text")) if delta.get("type") == "text_delta" else ""
        if kind == "content_block_start":
            block = as_object(payload.get("content_block"))
            self._blocks.start(payload.get("index"), member(written, "content_block"))
            return as_text(block.get("text")) if block.get("type") == "text" else ""
        if kind == "message_start":
            message = as_object(payload.get("message"))
            self.request_id = as_text(message.get("id")) or None
            self._count(as_object(message.get("usage")))
        elif kind == "message_delta":
            self._count(as_object(payload.get("usage")))
            self._stopped(as_object(payload.get("delta")))
        elif kind == "message_stop":
            self.progress = Progress.ENDED
        elif kind == "error":
            raise_reported(payload)
        return ""

    def mark_done(self) -> None:
        """Not of this format; `message_stop` is its end."""

    @property
    def calls_tools(self) -> bool:
        return self._blocks.calls_tools

    def output(self) -> tuple[list[ToolCall], list[str]]:
        return self._blocks.output()

    def finish(self) -> None:
        if self._stop in WHOLE or (self._stop == "tool_use" and self.calls_tools):
            return
        if self._stop == "max_tokens":
            raise_truncated(self._stop)
        if self._stop == "refusal":
            raise_refused(self._stop, self._detail)
        if self._stop == "model_context_window_exceeded":
            raise ContextTooLargeError("the conversation and the answer outgrew the context window")
        raise_incomplete(self._stop or "no stop reason")

    def _stopped(self, delta: Mapping[str, Any]) -> None:
        self._stop = as_text(delta.get("stop_reason")) or self._stop
        details = as_object(delta.get("stop_details"))
        said = (as_text(details.get(key)) for key in ("category", "explanation"))
        self._detail = ", ".join(word for word in said if word) or self._detail

    def _count(self, usage: Mapping[str, Any]) -> None:
        """Take counts that are cumulative: each replaces the one before."""
        self._counts.update({key: value for key, value in usage.items() if value is not None})
        if not self._counts:
            return
        read = as_count(self._counts.get("cache_read_input_tokens"))
        written = as_count(self._counts.get("cache_creation_input_tokens"))
        thought = as_object(self._counts.get("output_tokens_details")).get("thinking_tokens")
        self.usage = build_usage(
            input_tokens=as_count(self._counts.get("input_tokens")) + read + written,
            cached=read,
            output_tokens=as_count(self._counts.get("output_tokens")),
            reasoning=as_count(thought),
            cache_write=written,
        )
