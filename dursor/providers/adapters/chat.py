"""Chat Completions, for servers compatible with OpenAI's older format."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dursor.domain import Role, Usage
from dursor.providers.adapters.chat_calls import ChatToolCalls
from dursor.providers.adapters.error_payloads import raise_reported
from dursor.providers.adapters.failures import raise_incomplete, raise_refused, raise_truncated
from dursor.providers.adapters.json_spans import RawJson, encode
from dursor.providers.adapters.json_values import as_count, as_list, as_object, as_text, build_usage
from dursor.providers.adapters.openai import build_headers, build_probe
from dursor.providers.adapters.wire import SHARED_BODIES, Adapter, Decoder, Progress, Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dursor.providers.adapters.error_payloads import ErrorPayload
    from dursor.providers.base import Endpoint, Prompt, Tool, ToolCall, Turn

OLD_LIMIT = "max_tokens"
NEW_LIMIT = "max_completion_tokens"


@dataclass(frozen=True)
class ChatAdapter(Adapter):
    """Uses `POST {base}/chat/completions`.

    Servers have two names for the output limit: the old one is sent unless the endpoint's option
    `max_tokens_name` sets another, and the other one after a server has rejected it.
    """

    limit_name: str | None = None
    with_usage: bool = True

    def build_request(
        self, endpoint: Endpoint, prompt: Prompt, continuation: str | None = None
    ) -> Request:
        del continuation  # not in this format
        limit_name = self.limit_name or endpoint.options.get("max_tokens_name") or OLD_LIMIT
        limit = (str(limit_name), endpoint.max_output_tokens)
        body = _encode_body(endpoint.model_name, endpoint.effort, limit, prompt, self.with_usage)
        url = f"{endpoint.root_url}/chat/completions"
        return Request("POST", url, build_headers(endpoint), body)

    def build_probe(self, endpoint: Endpoint) -> Request:
        return build_probe(endpoint)

    def create_decoder(self) -> Decoder:
        return ChatDecoder()

    def find_alternative(self, payload: ErrorPayload) -> Adapter | None:
        if payload.status not in {400, 422}:
            return None
        parameter = payload.param or payload.message
        if "stream_options" in parameter or "include_usage" in parameter:
            return replace(self, with_usage=False) if self.with_usage else None
        rejected = next((name for name in (OLD_LIMIT, NEW_LIMIT) if name in parameter), None)
        if rejected is None or self.limit_name is not None:
            return None
        return replace(self, limit_name=NEW_LIMIT if rejected == OLD_LIMIT else OLD_LIMIT)


@lru_cache(SHARED_BODIES)
def _encode_body(
    model: str, effort: str | None, limit: tuple[str, int], prompt: Prompt, with_usage: bool
) -> bytes:
    body: dict[str, Any] = {"model": model, "stream": True, limit[0]: limit[1]}
    if with_usage:
        body["stream_options"] = {"include_usage": True}
    if effort:
        body["reasoning_effort"] = effort
    if prompt.tools:
        body["tools"] = [_build_tool(tool) for tool in prompt.tools]
        if prompt.final:
            body["tool_choice"] = "none"
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    messages = (message for turn in prompt.turns for message in _build_messages(prompt, turn))
    body["messages"] = [*system, *messages]
    return encode(body)


def _build_tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.schema}
    return {"type": "function", "function": function}


def _build_messages(prompt: Prompt, turn: Turn) -> Iterator[Any]:
    if turn.items:
        yield from map(RawJson, turn.items)
        return
    for result in turn.results:
        output = f"error: {result.text}" if result.failed else result.text
        yield {"role": "tool", "tool_call_id": result.call_id, "content": output}
    if turn.role is Role.SYSTEM:
        yield {"role": "system", "content": turn.text}
    elif texts := prompt.list_texts(turn):
        yield {"role": str(turn.role), "content": "\n\n".join(texts)}


class ChatDecoder(Decoder):
    """Decodes the first choice; complete after a finish reason or `[DONE]`."""

    def __init__(self) -> None:
        super().__init__()
        self._refusal = ""
        self._reason = "stop"  # some servers send only `[DONE]`
        self._calls = ChatToolCalls()

    def read(self, name: str | None, payload: Mapping[str, Any], source: str) -> str:
        del source  # this format's items are built from deltas
        if payload.get("error") or name == "error":
            raise_reported(payload)
        self.request_id = self.request_id or as_text(payload.get("id")) or None
        if payload.get("usage"):
            self.usage = _read_usage(as_object(payload["usage"])) or self.usage
        choices = as_list(payload.get("choices"))
        if not choices:
            return ""
        choice = as_object(choices[0])
        delta = as_object(choice.get("delta"))
        self._refusal += as_text(delta.get("refusal"))
        self._calls.add(delta)
        if choice.get("finish_reason"):
            self._reason = str(choice["finish_reason"])
            self.progress = Progress.SETTLED
        return as_text(delta.get("content"))

    def mark_done(self) -> None:
        self.progress = Progress.ENDED

    def finish(self) -> None:
        if self._reason == "length":
            raise_truncated(self._reason)
        if self._reason == "content_filter" or self._refusal:
            raise_refused(self._reason, self._refusal)
        if self._reason != "stop" and not (self._reason == "tool_calls" and self._calls):
            raise_incomplete(self._reason)

    @property
    def calls_tools(self) -> bool:
        return bool(self._calls)

    def collect_output(self) -> tuple[list[ToolCall], list[str]]:
        return self._calls.collect_output()


def _read_usage(usage: Mapping[str, Any]) -> Usage | None:
    input_details = as_object(usage.get("prompt_tokens_details"))
    output_details = as_object(usage.get("completion_tokens_details"))
    return build_usage(
        input_tokens=as_count(usage.get("prompt_tokens")),
        cached=as_count(input_details.get("cached_tokens")),
        output_tokens=as_count(usage.get("completion_tokens")),
        reasoning=as_count(output_details.get("reasoning_tokens")),
        cache_write=as_count(input_details.get("cache_write_tokens")),
    )
