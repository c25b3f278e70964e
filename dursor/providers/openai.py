"""OpenAI's Responses API."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dursor.domain import ProviderName, Role, Usage
from dursor.providers.catalogue import BASE_URLS
from dursor.providers.wire import (
    SHARED_BODIES,
    Progress,
    Request,
    count,
    encode,
    items,
    mapping,
    refused,
    report,
    text_of,
    truncated,
    unfinished,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.providers.base import Endpoint, Prompt
    from dursor.providers.problems import Problem
    from dursor.providers.wire import Adapter, Decoder

ROLES = {Role.USER: "user", Role.ASSISTANT: "assistant", Role.SYSTEM: "developer"}
MIN_OUTPUT_TOKENS = 16  # fewer is answered with 400


def base(endpoint: Endpoint) -> str:
    """Give the base URL without a slash at its end."""
    return (endpoint.base_url or BASE_URLS[ProviderName.OPENAI]).rstrip("/")


def headers(endpoint: Endpoint) -> dict[str, str]:
    """Make the headers of both of OpenAI's formats."""
    return {
        "authorization": f"Bearer {endpoint.key.reveal()}",
        "content-type": "application/json",
    }


def probe(endpoint: Endpoint) -> Request:
    """Ask for the model's own entry."""
    model = quote(endpoint.model_name, safe="/")
    return Request("GET", f"{base(endpoint)}/models/{model}", headers(endpoint))


class ResponsesAdapter:
    """Speaks `POST {base}/responses`."""

    def request(
        self, endpoint: Endpoint, prompt: Prompt, continuation: str | None = None
    ) -> Request:
        del continuation  # this format has none
        body = _body(endpoint.model_name, endpoint.effort, endpoint.max_output_tokens, prompt)
        return Request("POST", f"{base(endpoint)}/responses", headers(endpoint), body)

    def probe(self, endpoint: Endpoint) -> Request:
        return probe(endpoint)

    def decoder(self) -> Decoder:
        return ResponsesDecoder()

    def alternative(self, problem: Problem) -> Adapter | None:
        del problem
        return None


@lru_cache(SHARED_BODIES)
def _body(model: str, effort: str | None, max_output_tokens: int, prompt: Prompt) -> bytes:
    body: dict[str, Any] = {
        "model": model,
        "instructions": prompt.system,
        "input": [{"role": ROLES[t.role], "content": t.text} for t in prompt.turns],
        "max_output_tokens": max(MIN_OUTPUT_TOKENS, max_output_tokens),
        "store": False,
        "stream": True,
    }
    if effort:
        body["reasoning"] = {"effort": effort}
    return encode(body)


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

    def read(self, name: str | None, payload: Mapping[str, Any]) -> str:
        kind = payload.get("type") or name
        if kind == "response.output_text.delta":
            return self._text(payload)
        if kind == "response.refusal.delta":
            self._refusal += text_of(payload.get("delta"))
        elif kind in {"response.completed", "response.incomplete", "response.failed"}:
            return self._end(mapping(payload.get("response")))
        elif kind == "error":
            report(payload)
        elif kind == "response.created":
            self.request_id = text_of(mapping(payload.get("response")).get("id")) or None
        return ""

    def done(self) -> None:
        """Ignore it: some gateways send it after the terminal event, which says it all."""

    def finish(self) -> None:
        """Do nothing: the terminal event was judged as it came."""

    def _text(self, payload: Mapping[str, Any]) -> str:
        """Take a piece of text; a further message, after a remark, begins on a line of its own."""
        text, item = text_of(payload.get("delta")), payload.get("output_index")
        if self._last and item != self._item and not self._last.endswith("\n"):
            text = "\n\n" + text
        self._last, self._item = text or self._last, item
        return text

    def _end(self, response: Mapping[str, Any]) -> str:
        self.usage = _usage(mapping(response.get("usage"))) or self.usage
        if response.get("error"):
            report(response)
        reason = text_of(mapping(response.get("incomplete_details")).get("reason"))
        if reason == "max_output_tokens":
            raise truncated(reason)
        content = list(_content(response))
        refusal = self._refusal + "".join(text_of(part.get("refusal")) for part in content)
        if reason == "content_filter" or refusal:
            raise refused(reason or "refusal", refusal)
        status = text_of(response.get("status")) or "completed"
        if status != "completed" or reason:
            raise unfinished(reason or status)
        self.progress = Progress.ENDED
        if self._last:
            return ""
        return "".join(text_of(p.get("text")) for p in content if p.get("type") == "output_text")


def _content(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every part of every message of the output; reasoning and calls have none of their own."""
    return [
        mapping(part)
        for item in items(response.get("output"))
        if mapping(item).get("type") == "message"
        for part in items(mapping(item).get("content"))
    ]


def _usage(usage: Mapping[str, Any]) -> Usage | None:
    if not usage:
        return None
    read = mapping(usage.get("input_tokens_details"))
    return Usage(
        input_tokens=count(usage.get("input_tokens")),
        cached_input_tokens=count(read.get("cached_tokens")),
        output_tokens=count(usage.get("output_tokens")),
        reasoning_tokens=count(mapping(usage.get("output_tokens_details")).get("reasoning_tokens")),
        cache_write_tokens=count(read.get("cache_write_tokens")),
    )
