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
from dursor.providers.adapters.json_spans import elements, member
from dursor.providers.adapters.wire import (
    SHARED_BODIES,
    Progress,
    RawJson,
    Request,
    as_count,
    as_list,
    as_object,
    as_text,
    build_usage,
    encode,
    list_texts,
    parse_arguments,
    raise_incomplete,
    raise_refused,
    raise_reported,
    raise_truncated,
    read_event_type,
)
from dursor.providers.base import ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dursor.providers.adapters.error_payloads import ErrorPayload
    from dursor.providers.adapters.wire import Adapter, Decoder
    from dursor.providers.base import Endpoint, Prompt, Tool, Turn

ROLES = {Role.USER: "user", Role.ASSISTANT: "assistant", Role.SYSTEM: "developer"}
MIN_OUTPUT_TOKENS = 16  # fewer is answered with 400
VERSION = re.compile(r"gpt-(\d+)(?:\.(\d+))?")
MARKED_SINCE = (5, 6)  # later models read a cache only where a request has marked its end
MARK = {"mode": "explicit"}
ENCRYPTED = "reasoning.encrypted_content"  # how reasoning comes back where nothing is stored


def headers(endpoint: Endpoint) -> dict[str, str]:
    """Make the headers of both of OpenAI's formats."""
    return {
        "authorization": f"Bearer {endpoint.key.reveal()}",
        "content-type": "application/json",
    }


def probe(endpoint: Endpoint) -> Request:
    """Ask for the model's own entry."""
    model = quote(endpoint.model_name, safe="/")
    return Request("GET", f"{endpoint.root_url}/models/{model}", headers(endpoint))


@dataclass(frozen=True)
class ResponsesAdapter:
    """Speaks `POST {base}/responses`; leaves out what a model or gateway has refused."""

    with_marks: bool = True
    with_reasoning: bool = True

    def request(
        self, endpoint: Endpoint, prompt: Prompt, continuation: str | None = None
    ) -> Request:
        del continuation  # this format has none
        marked = self.with_marks and _is_marked(endpoint)
        options = (endpoint.effort, endpoint.max_output_tokens, marked, self.with_reasoning)
        body = _body(endpoint.model_name, options, prompt)
        return Request("POST", f"{endpoint.root_url}/responses", headers(endpoint), body)

    def probe(self, endpoint: Endpoint) -> Request:
        return probe(endpoint)

    def decoder(self) -> Decoder:
        return ResponsesDecoder()

    def alternative(self, payload: ErrorPayload) -> Adapter | None:
        if payload.status not in {400, 422}:
            return None
        named = f"{payload.param} {payload.message}"
        if self.with_marks and "prompt_cache" in named:
            return replace(self, with_marks=False)
        if self.with_reasoning and (payload.param == "include" or "ncrypted" in named):
            return replace(self, with_reasoning=False)
        return None


def _is_marked(endpoint: Endpoint) -> bool:
    version = VERSION.match(endpoint.model_name)
    if version is None or endpoint.own_server:
        return False
    return (int(version[1]), int(version[2] or 0)) >= MARKED_SINCE


@lru_cache(SHARED_BODIES)
def _body(model: str, options: tuple[str | None, int, bool, bool], prompt: Prompt) -> bytes:
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
        body["tools"] = [_tool(tool) for tool in prompt.tools]
        if with_reasoning:
            body["include"] = [ENCRYPTED]
        if prompt.final:
            body["tool_choice"] = "none"
    if marked and prompt.context:
        body["prompt_cache_key"] = _cache_key(prompt)
    body["input"] = [item for turn in prompt.turns for item in _said(prompt, turn, marked=marked)]
    return encode(body)


def _tool(tool: Tool) -> dict[str, Any]:
    """Declare TOOL; strict, which is the default, would ask for every argument in every call."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.schema,
        "strict": False,
    }


def _cache_key(prompt: Prompt) -> str:
    """Name the context: requests with the same one are sent where it lies in a cache."""
    digest = hashlib.sha256(prompt.context.encode("utf-8", "surrogatepass"))
    return f"dursor-{digest.hexdigest()[:32]}"


def _said(prompt: Prompt, turn: Turn, *, marked: bool) -> Iterator[Any]:
    if turn.items:
        yield from map(RawJson, turn.items)
        return
    for result in turn.results:
        output = f"error: {result.text}" if result.failed else result.text
        yield {"type": "function_call_output", "call_id": result.call_id, "output": output}
    if prompt.context and turn is prompt.turns[0]:
        first, *rest = ({"type": "input_text", "text": text} for text in list_texts(prompt, turn))
        mark = {"prompt_cache_breakpoint": MARK} if marked else {}
        yield {"role": ROLES[turn.role], "content": [{**first, **mark}, *rest]}
    elif turn.text:
        yield {"role": ROLES[turn.role], "content": turn.text}


class ResponsesDecoder:
    """Follows one response; its terminal event carries the whole response object."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.progress = Progress.OPEN
        self.request_id: str | None = None
        self.continuation: str | None = None
        self._refusal = ""
        self._item: Any = None  # the output item that the last text belongs to
        self._last = ""  # the last text
        self._items: dict[int, str] = {}  # whole output items by their place

    def read(self, name: str | None, payload: Mapping[str, Any], written: str) -> str:
        kind = read_event_type(payload, name)
        if kind == "response.output_text.delta":
            return self._text(payload)
        if kind == "response.output_item.done":
            place = payload.get("output_index", len(self._items))
            self._items[as_count(place)] = member(written, "item")
        elif kind == "response.refusal.delta":
            self._refusal += as_text(payload.get("delta"))
        elif kind in {"response.completed", "response.incomplete", "response.failed"}:
            return self._end(as_object(payload.get("response")), written)
        elif kind == "error":
            raise_reported(payload)
        elif kind == "response.created":
            self.request_id = as_text(as_object(payload.get("response")).get("id")) or None
        return ""

    def mark_done(self) -> None:
        """Ignore it: some gateways send it after the terminal event, which says it all."""

    def finish(self) -> None:
        """Do nothing: the terminal event was judged as it came."""

    def _text(self, payload: Mapping[str, Any]) -> str:
        """Take a piece of text; a further message, after a remark, begins on a line of its own."""
        text, item = as_text(payload.get("delta")), payload.get("output_index")
        if self._last and item != self._item and not self._last.endswith("\n"):
            text = "\n\n" + text
        self._last, self._item = text or self._last, item
        return text

    @property
    def calls_tools(self) -> bool:
        return any(_is_call(json.loads(item)) for item in self._items.values())

    def output(self) -> tuple[list[ToolCall], list[str]]:
        written = [item for _, item in sorted(self._items.items())]
        return [_call(item) for item in map(json.loads, written) if _is_call(item)], written

    def _end(self, response: Mapping[str, Any], written: str) -> str:
        self.usage = _usage(as_object(response.get("usage"))) or self.usage
        if response.get("error"):
            raise_reported(response)
        reason = as_text(as_object(response.get("incomplete_details")).get("reason"))
        if reason == "max_output_tokens":
            raise_truncated(reason)
        content = list(_content(response))
        whole = "".join(as_text(part.get("refusal")) for part in content)
        refusal = whole or self._refusal  # the deltas say it piece by piece, the end once more
        if reason == "content_filter" or refusal:
            raise_refused(reason or "refusal", refusal)
        status = as_text(response.get("status")) or "completed"
        if status != "completed" or reason:
            raise_incomplete(reason or status)
        self.progress = Progress.ENDED
        listed = elements(member(written, "response", "output"))
        if len(listed) > len(self._items):  # a gateway that does not say when an item is done
            self._items = dict(enumerate(listed))
        if self._last:
            return ""
        return "".join(as_text(p.get("text")) for p in content if p.get("type") == "output_text")


def _is_call(item: Any) -> bool:
    return as_object(item).get("type") == "function_call"


def _call(item: Mapping[str, Any]) -> ToolCall:
    named = as_text(item.get("call_id")) or as_text(item.get("id"))
    return ToolCall(
        named, as_text(item.get("name")), parse_arguments(as_text(item.get("arguments")))
    )


def _content(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every part of every message of the output; reasoning and calls have none of their own."""
    return [
        as_object(part)
        for item in as_list(response.get("output"))
        if as_object(item).get("type") == "message"
        for part in as_list(as_object(item).get("content"))
    ]


def _usage(usage: Mapping[str, Any]) -> Usage | None:
    if not usage:
        return None
    read = as_object(usage.get("input_tokens_details"))
    return build_usage(
        input_tokens=as_count(usage.get("input_tokens")),
        cached=as_count(read.get("cached_tokens")),
        output_tokens=as_count(usage.get("output_tokens")),
        reasoning=as_count(as_object(usage.get("output_tokens_details")).get("reasoning_tokens")),
        cache_write=as_count(read.get("cache_write_tokens")),
    )
