"""Google's Gemini API, streamGenerateContent."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dursor.domain import Role
from dursor.providers.adapters.error_payloads import (
    ErrorPayload,
    ReportedError,
    raise_reported,
    to_one_line,
)
from dursor.providers.adapters.failures import raise_incomplete, raise_refused, raise_truncated
from dursor.providers.adapters.json_spans import RawJson, encode, find_member, list_elements
from dursor.providers.adapters.json_values import as_count, as_list, as_object, as_text, build_usage
from dursor.providers.adapters.wire import SHARED_BODIES, Adapter, Decoder, Progress, Request
from dursor.providers.base import ToolCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.providers.base import Endpoint, Prompt, Tool, ToolResult, Turn

ROLES = {Role.USER: "user", Role.ASSISTANT: "model", Role.SYSTEM: "user"}
REFUSALS = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "LANGUAGE",
        "MODEL_ARMOR",
        "IMAGE_SAFETY",
    }
)
MALFORMED_CALL = "MALFORMED_FUNCTION_CALL"  # an error of the model: retry


class GeminiAdapter(Adapter):
    """Uses `POST {base}/v1beta/models/MODEL:streamGenerateContent?alt=sse`."""

    def build_request(
        self, endpoint: Endpoint, prompt: Prompt, continuation: str | None = None
    ) -> Request:
        body = _encode_body(endpoint.effort, endpoint.max_output_tokens, prompt, continuation)
        url = f"{_build_model_url(endpoint)}:streamGenerateContent?alt=sse"
        return Request("POST", url, _build_headers(endpoint), body)

    def build_probe(self, endpoint: Endpoint) -> Request:
        return Request("GET", _build_model_url(endpoint), _build_headers(endpoint))

    def create_decoder(self) -> Decoder:
        return GeminiDecoder()


def _build_model_url(endpoint: Endpoint) -> str:
    model = quote(endpoint.model_name.removeprefix("models/"), safe="")
    return f"{endpoint.root_url}/v1beta/models/{model}"


def _build_headers(endpoint: Endpoint) -> dict[str, str]:
    return {"x-goog-api-key": endpoint.key.reveal(), "content-type": "application/json"}


@lru_cache(SHARED_BODIES)
def _encode_body(
    effort: str | None, max_output_tokens: int, prompt: Prompt, continuation: str | None
) -> bytes:
    config: dict[str, Any] = {"maxOutputTokens": max_output_tokens}
    if effort:
        config["thinkingConfig"] = {"thinkingLevel": effort.upper()}
    body: dict[str, Any] = {}
    if prompt.system:
        body["systemInstruction"] = {"parts": [{"text": prompt.system}]}
    if prompt.tools:
        body["tools"] = [{"functionDeclarations": [_build_tool(tool) for tool in prompt.tools]}]
        if prompt.final:
            body["toolConfig"] = {"functionCallingConfig": {"mode": "NONE"}}
    body["generationConfig"] = config
    body["contents"] = [_build_content(prompt, turn) for turn in prompt.turns]
    if continuation is not None:
        body["continuationToken"] = continuation
    return encode(body)


def _build_tool(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.schema}


def _build_content(prompt: Prompt, turn: Turn) -> dict[str, Any]:
    parts: list[Any] = [RawJson(item) for item in turn.items]
    if not parts:
        texts = [{"text": text} for text in prompt.list_texts(turn)]
        parts = [*map(_build_result, turn.results), *texts]
    return {"role": ROLES[turn.role], "parts": parts}


def _build_result(result: ToolResult) -> dict[str, Any]:
    id_ = {"id": result.call_id} if result.call_id else {}
    response = {"error" if result.failed else "output": result.text}
    return {"functionResponse": {**id_, "name": result.name, "response": response}}


class GeminiDecoder(Decoder):
    """Decodes the first candidate; complete after a finish reason, ended by the body's end."""

    def __init__(self) -> None:
        super().__init__()
        self._has_calls = False
        self._reason = ""
        self._blocked = ""
        self._detail = ""
        self._counts: Mapping[str, Any] = {}
        self._chunks: list[str] = []  # the JSON text of events with parts

    def read(self, name: str | None, payload: Mapping[str, Any], source: str) -> str:
        if payload.get("error") or name == "error":
            raise_reported(payload)
        self.request_id = as_text(payload.get("responseId")) or self.request_id
        self._update_usage(as_object(payload.get("usageMetadata")))
        candidates = as_list(payload.get("candidates"))
        if not candidates:
            if reason := as_text(as_object(payload.get("promptFeedback")).get("blockReason")):
                self._blocked = reason
                self.progress = Progress.SETTLED
            return ""
        candidate = as_object(candidates[0])
        if candidate.get("finishReason"):
            self._settle(candidate)
        parts = as_list(as_object(candidate.get("content")).get("parts"))
        if parts:
            self._chunks.append(source)
        if "functionCall" in source:  # cheaper than a look at every part
            self._has_calls |= any("functionCall" in as_object(part) for part in parts)
        return "".join(
            as_text(as_object(p).get("text"))
            for p in parts
            if as_object(p).get("thought") is not True
        )

    @property
    def calls_tools(self) -> bool:
        return self._has_calls

    def finish(self) -> None:
        if self._blocked:
            raise_refused(self._blocked, "the prompt was blocked")
        if self._reason == "MAX_TOKENS":
            raise_truncated(self._reason)
        if self._reason in REFUSALS:
            raise_refused(self._reason, self._detail)
        if self._reason != "STOP" and self.continuation is None:
            raise_incomplete(self._reason)

    def collect_output(self) -> tuple[list[ToolCall], list[str]]:
        parts = [part for chunk in self._chunks for part in _list_parts(chunk)]
        parsed = [as_object(json.loads(part)) for part in parts]
        calls = [_read_call(as_object(p["functionCall"])) for p in parsed if "functionCall" in p]
        output = [part for part, p in zip(parts, parsed, strict=True) if p != {"text": ""}]
        return calls, output

    def _update_usage(self, counts: Mapping[str, Any]) -> None:
        """Replace the counts, which every chunk repeats and revises."""
        if not counts or counts == self._counts:
            return
        self._counts = counts
        thoughts = as_count(counts.get("thoughtsTokenCount"))
        self.usage = build_usage(
            input_tokens=as_count(counts.get("promptTokenCount"))
            + as_count(counts.get("toolUsePromptTokenCount")),
            cached=as_count(counts.get("cachedContentTokenCount")),
            output_tokens=as_count(counts.get("candidatesTokenCount")) + thoughts,
            reasoning=thoughts,
        )

    def _settle(self, candidate: Mapping[str, Any]) -> None:
        self._reason = str(candidate["finishReason"])
        self._detail = as_text(candidate.get("finishMessage"))
        if self._reason == MALFORMED_CALL:
            detail = f": {self._detail}" if self._detail else ""
            message = to_one_line(f"{MALFORMED_CALL}{detail}")
            raise ReportedError(ErrorPayload(None, frozenset({MALFORMED_CALL}), message))
        if self._reason == "CONTINUATION":
            self.continuation = as_text(candidate.get("continuationToken")) or None
        self.progress = Progress.SETTLED


def _list_parts(chunk: str) -> list[str]:
    """List the JSON texts of the parts of a chunk's first candidate."""
    first = list_elements(find_member(chunk, "candidates"))[0]
    return list_elements(find_member(first, "content", "parts"))


def _read_call(call: Mapping[str, Any]) -> ToolCall:
    args = call.get("args") or {}
    arguments = args if isinstance(args, dict) else None
    return ToolCall(as_text(call.get("id")), as_text(call.get("name")), arguments)
