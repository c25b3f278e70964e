"""Anthropic's Messages API."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dursor.domain import Role
from dursor.errors import ContextTooLargeError
from dursor.providers.adapters.anthropic_blocks import ContentBlocks
from dursor.providers.adapters.error_payloads import raise_reported
from dursor.providers.adapters.failures import raise_incomplete, raise_refused, raise_truncated
from dursor.providers.adapters.json_spans import RawJson, encode, find_member
from dursor.providers.adapters.json_values import as_count, as_object, as_text, build_usage
from dursor.providers.adapters.wire import SHARED_BODIES, Adapter, Decoder, Progress, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.providers.base import Endpoint, Prompt, Tool, ToolCall, ToolResult, Turn

VERSION = "2026-10-21"
CACHED = {"cache_control": {"type": "ephemeral"}}  # caches the request up to the block's end
MAX_CACHED_TURNS = 2  # beside the system text and the context: four in all
COMPLETE = frozenset({"end_turn", "stop_sequence"})


class MessagesAdapter(Adapter):
    """Uses `POST {base}/v1/messages`."""

    def build_request(
        self, endpoint: Endpoint, prompt: Prompt, continuation: str | None = None
    ) -> Request:
        del continuation  # not in this format
        body = _encode_body(
            endpoint.model_name, endpoint.effort, endpoint.max_output_tokens, prompt
        )
        url = f"{endpoint.root_url}/v1/messages"
        return Request("POST", url, _build_headers(endpoint), body)

    def build_probe(self, endpoint: Endpoint) -> Request:
        url = f"{endpoint.root_url}/v1/models/{quote(endpoint.model_name, safe='')}"
        return Request("GET", url, _build_headers(endpoint))

    def create_decoder(self) -> Decoder:
        return MessagesDecoder()


def _build_headers(endpoint: Endpoint) -> dict[str, str]:
    return {
        "x-api-key": endpoint.key.reveal(),
        "anthropic-version": VERSION,
        "content-type": "application/json",
    }


@lru_cache(SHARED_BODIES)
def _encode_body(model: str, effort: str | None, max_output_tokens: int, prompt: Prompt) -> bytes:
    body: dict[str, Any] = {"model": model, "max_tokens": max_output_tokens, "stream": True}
    if effort:
        body["output_config"] = {"effort": effort}
    if prompt.tools:
        body["tools"] = [_build_tool(tool) for tool in prompt.tools]
        if prompt.final:
            body["tool_choice"] = {"type": "none"}
    if prompt.system:
        body["system"] = [{"type": "text", "text": prompt.system, **CACHED}]
    body["messages"] = _build_messages(prompt)
    return encode(body)


def _build_tool(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.schema}


def _build_messages(prompt: Prompt) -> list[dict[str, Any]]:
    """Build the turns; mark the ends of the context and of the last user turns for caching."""
    messages = [_build_message(prompt, turn) for turn in prompt.turns]
    contents = [message["content"] for message in messages if message["role"] == "user"]
    for content in contents[-MAX_CACHED_TURNS:]:
        if content:
            content[-1] |= CACHED
    if prompt.context:
        messages[0]["content"][0] |= CACHED
    return messages


def _build_message(prompt: Prompt, turn: Turn) -> dict[str, Any]:
    if turn.role is Role.ASSISTANT:
        content = list(map(RawJson, turn.items)) if turn.items else turn.text
        return {"role": "assistant", "content": content}
    texts = [{"type": "text", "text": text} for text in prompt.list_texts(turn)]
    return {"role": "user", "content": [*map(_build_result, turn.results), *texts]}


def _build_result(result: ToolResult) -> dict[str, Any]:
    return {
        "type": "tool_result",
        "tool_use_id": result.call_id,
        "content": result.text,
        "is_error": result.failed,
    }


class MessagesDecoder(Decoder):
    """Decodes one message; only text blocks are part of the reply, thinking blocks are not."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, Any] = {}
        self._stop_reason: str | None = None
        self._stop_detail = ""
        self._blocks = ContentBlocks()

    def read(self, name: str | None, payload: Mapping[str, Any], source: str) -> str:
        kind = self.read_type(payload, name)
        if kind == "content_block_delta":
            delta = as_object(payload.get("delta"))
            self._blocks.extend(payload.get("index"), delta, source)
            return as_text(delta.get("text")) if delta.get("type") == "text_delta" else ""
        if kind == "content_block_start":
            block = as_object(payload.get("content_block"))
            self._blocks.start(payload.get("index"), find_member(source, "content_block"))
            return as_text(block.get("text")) if block.get("type") == "text" else ""
        if kind == "message_start":
            message = as_object(payload.get("message"))
            self.request_id = as_text(message.get("id")) or None
            self._update_usage(as_object(message.get("usage")))
        elif kind == "message_delta":
            self._update_usage(as_object(payload.get("usage")))
            self._update_stop(as_object(payload.get("delta")))
        elif kind == "message_stop":
            self.progress = Progress.ENDED
        elif kind == "error":
            raise_reported(payload)
        return ""

    @property
    def calls_tools(self) -> bool:
        return self._blocks.calls_tools

    def collect_output(self) -> tuple[list[ToolCall], list[str]]:
        return self._blocks.collect_output()

    def finish(self) -> None:
        reason = self._stop_reason
        if reason in COMPLETE or (reason == "tool_use" and self.calls_tools):
            return
        if reason == "max_tokens":
            raise_truncated(reason)
        if reason == "refusal":
            raise_refused(reason, self._stop_detail)
        if reason == "model_context_window_exceeded":
            raise ContextTooLargeError("the conversation and the reply exceed the context window")
        raise_incomplete(reason or "no stop reason")

    def _update_stop(self, delta: Mapping[str, Any]) -> None:
        self._stop_reason = as_text(delta.get("stop_reason")) or self._stop_reason
        details = as_object(delta.get("stop_details"))
        texts = (as_text(details.get(key)) for key in ("category", "explanation"))
        self._stop_detail = ", ".join(text for text in texts if text) or self._stop_detail

    def _update_usage(self, usage: Mapping[str, Any]) -> None:
        """Merge cumulative counts: each replaces the one before."""
        self._counts.update({key: value for key, value in usage.items() if value is not None})
        if not self._counts:
            return
        cache_read = as_count(self._counts.get("cache_read_input_tokens"))
        cache_write = as_count(self._counts.get("cache_creation_input_tokens"))
        details = as_object(self._counts.get("output_tokens_details"))
        self.usage = build_usage(
            input_tokens=as_count(self._counts.get("input_tokens")) + cache_read + cache_write,
            cached=cache_read,
            output_tokens=as_count(self._counts.get("output_tokens")),
            reasoning=as_count(details.get("thinking_tokens")),
            cache_write=cache_write,
        )
