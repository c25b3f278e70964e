"""OpenAI's Responses API."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dursor.domain import Role, Usage
from dursor.providers.adapters.error_payloads import raise_reported
from dursor.providers.adapters.failures import raise_incomplete, raise_refused, raise_truncated
from dursor.providers.adapters.json_spans import RawJson, encode, find_member, list_elements
from dursor.providers.adapters.json_values import (
    as_count,
    as_list,
    as_object,
    as_text,
    build_usage,
    parse_arguments,
)
from dursor.providers.adapters.wire import SHARED_BODIES, Adapter, Decoder, Progress, Request
from dursor.providers.base import ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dursor.providers.adapters.error_payloads import ErrorPayload
    from dursor.providers.base import Endpoint, Prompt, Tool, Turn

ROLES = {Role.USER: "user", Role.ASSISTANT: "assistant", Role.SYSTEM: "developer"}
MIN_OUTPUT_TOKENS = 16  # the API rejects fewer
VERSION = re.compile(r"gpt-(\d+)(?:\.(\d+))?")
MARKED_SINCE = (5, 6)  # later models cache only up to a mark
MARK = {"mode": "explicit"}
ENCRYPTED = "reasoning.encrypted_content"  # returns reasoning although nothing is stored


def build_headers(endpoint: Endpoint) -> dict[str, str]:
    """Build the headers of both of OpenAI's formats."""
    return {"authorization": f"Bearer {endpoint.key.reveal()}", "content-type": "application/json"}


def build_probe(endpoint: Endpoint) -> Request:
    """Build the request for the model's entry."""
    model = quote(endpoint.model_name, safe="/")
    return Request("GET", f"{endpoint.root_url}/models/{model}", build_headers(endpoint))


@dataclass(frozen=True)
class ResponsesAdapter(Adapter):
    """Uses `POST {base}/responses`; omits parameters that a model or gateway has rejected."""

    with_marks: bool = True
    with_reasoning: bool = True

    def build_request(
        self, endpoint: Endpoint, prompt: Prompt, continuation: str | None = None
    ) -> Request:
        del continuation  # not in this format
        marked = self.with_marks and _needs_marks(endpoint)
        options = (endpoint.effort, endpoint.max_output_tokens, marked, self.with_reasoning)
        body = _encode_body(endpoint.model_name, options, prompt)
        return Request("POST", f"{endpoint.root_url}/responses", build_headers(endpoint), body)

    def build_probe(self, endpoint: Endpoint) -> Request:
        return build_probe(endpoint)

    def create_decoder(self) -> Decoder:
        return ResponsesDecoder()

    def find_alternative(self, payload: ErrorPayload) -> Adapter | None:
        if payload.status not in {400, 422}:
            return None
        text = f"{payload.param} {payload.message}"
        if self.with_marks and "prompt_cache" in text:
            return replace(self, with_marks=False)
        if self.with_reasoning and (payload.param == "include" or "ncrypted" in text):
            return replace(self, with_reasoning=False)
        return None


def _needs_marks(endpoint: Endpoint) -> bool:
    version = VERSION.match(endpoint.model_name)
    if version is None or endpoint.own_server:
        return False
    return (int(version[1]), int(version[2] or 0)) >= MARKED_SINCE


@lru_cache(SHARED_BODIES)
def _encode_body(model: str, options: tuple[str | None, int, bool, bool], prompt: Prompt) -> bytes:
    effort, max_output_tokens, marked, with_reasoning = options
    body: dict[str, Any] = {
        "model": model,
        "instructions": prompt.system,
        "max_output_tokens": max(MIN_OUTPUT_TOKENS, max_output_tokens),
        "store": False,
        "stream": True,
    }
    if effort:
        body["reasoning"] = {"effort": effort}
    if prompt.tools:
        body["tools"] = [_build_tool(tool) for tool in prompt.tools]
        if with_reasoning:
            body["include"] = [ENCRYPTED]
        if prompt.final:
            body["tool_choice"] = "none"
    if marked and prompt.context:
        body["prompt_cache_key"] = _build_cache_key(prompt)
    body["input"] = [
        item for turn in prompt.turns for item in _build_items(prompt, turn, marked=marked)
    ]
    return encode(body)


def _build_tool(tool: Tool) -> dict[str, Any]:
    """Declare TOOL. The default, strict, would require every argument in every call."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.schema,
        "strict": False,
    }


def _build_cache_key(prompt: Prompt) -> str:
    """Return a key of the context, which routes requests to its cache."""
    digest = hashlib.sha256(prompt.context.encode("utf-8", "surrogatepass"))
    return f"dursor-{digest.hexdigest()[:32]}"


def _build_items(prompt: Prompt, turn: Turn, *, marked: bool) -> Iterator[Any]:
    if turn.items:
        yield from map(RawJson, turn.items)
        return
    for result in turn.results:
        output = f"error: {result.text}" if result.failed else result.text
        yield {"type": "function_call_output", "call_id": result.call_id, "output": output}
    if prompt.context and turn is prompt.turns[0]:
        first, *rest = ({"type": "input_text", "text": text} for text in prompt.list_texts(turn))
        mark = {"prompt_cache_breakpoint": MARK} if marked else {}
        yield {"role": ROLES[turn.role], "content": [{**first, **mark}, *rest]}
    elif turn.text:
        yield {"role": ROLES[turn.role], "content": turn.text}


class ResponsesDecoder(Decoder):
    """Decodes one response; its terminal event contains the complete response object."""

    def __init__(self) -> None:
        super().__init__()
        self._refusal = ""
        self._item: Any = None  # the output item of the last text
        self._last_text = ""
        self._items: dict[int, str] = {}  # complete output items by index

    def read(self, name: str | None, payload: Mapping[str, Any], source: str) -> str:
        kind = self.read_type(payload, name)
        if kind == "response.output_text.delta":
            return self._read_text(payload)
        if kind == "response.output_item.done":
            index = payload.get("output_index", len(self._items))
            self._items[as_count(index)] = find_member(source, "item")
        elif kind == "response.refusal.delta":
            self._refusal += as_text(payload.get("delta"))
        elif kind in {"response.completed", "response.incomplete", "response.failed"}:
            return self._read_end(as_object(payload.get("response")), source)
        elif kind == "error":
            raise_reported(payload)
        elif kind == "response.created":
            self.request_id = as_text(as_object(payload.get("response")).get("id")) or None
        return ""

    def _read_text(self, payload: Mapping[str, Any]) -> str:
        """Return a piece of text; another message starts on a new line."""
        text, item = as_text(payload.get("delta")), payload.get("output_index")
        if self._last_text and item != self._item and not self._last_text.endswith("\n"):
            text = "\n\n" + text
        self._last_text, self._item = text or self._last_text, item
        return text

    @property
    def calls_tools(self) -> bool:
        return any(_is_call(json.loads(item)) for item in self._items.values())

    def collect_output(self) -> tuple[list[ToolCall], list[str]]:
        output = [item for _, item in sorted(self._items.items())]
        return [_read_call(item) for item in map(json.loads, output) if _is_call(item)], output

    def _read_end(self, response: Mapping[str, Any], source: str) -> str:
        self.usage = _read_usage(as_object(response.get("usage"))) or self.usage
        if response.get("error"):
            raise_reported(response)
        reason = as_text(as_object(response.get("incomplete_details")).get("reason"))
        if reason == "max_output_tokens":
            raise_truncated(reason)
        parts = _list_parts(response)
        refusal = "".join(as_text(part.get("refusal")) for part in parts) or self._refusal
        if reason == "content_filter" or refusal:
            raise_refused(reason or "refusal", refusal)
        status = as_text(response.get("status")) or "completed"
        if status != "completed" or reason:
            raise_incomplete(reason or status)
        self.progress = Progress.ENDED
        output = list_elements(find_member(source, "response", "output"))
        if len(output) > len(self._items):  # some gateways do not report completed items
            self._items = dict(enumerate(output))
        if self._last_text:
            return ""
        return "".join(as_text(p.get("text")) for p in parts if p.get("type") == "output_text")


def _is_call(item: Any) -> bool:
    return as_object(item).get("type") == "function_call"


def _read_call(item: Mapping[str, Any]) -> ToolCall:
    id_ = as_text(item.get("call_id")) or as_text(item.get("id"))
    arguments = parse_arguments(as_text(item.get("arguments")))
    return ToolCall(id_, as_text(item.get("name")), arguments)


def _list_parts(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List every part of every message of the output; reasoning and calls have none."""
    return [
        as_object(part)
        for item in as_list(response.get("output"))
        if as_object(item).get("type") == "message"
        for part in as_list(as_object(item).get("content"))
    ]


def _read_usage(usage: Mapping[str, Any]) -> Usage | None:
    if not usage:
        return None
    input_details = as_object(usage.get("input_tokens_details"))
    output_details = as_object(usage.get("output_tokens_details"))
    return build_usage(
        input_tokens=as_count(usage.get("input_tokens")),
        cached=as_count(input_details.get("cached_tokens")),
        output_tokens=as_count(usage.get("output_tokens")),
        reasoning=as_count(output_details.get("reasoning_tokens")),
        cache_write=as_count(input_details.get("cache_write_tokens")),
    )
