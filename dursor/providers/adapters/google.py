"""Google's Gemini API, streamGenerateContent."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dursor.domain import Role, Usage
from dursor.providers.adapters.error_payloads import ErrorPayload, ReportedError, to_one_line
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
    raise_incomplete,
    raise_refused,
    raise_reported,
    raise_truncated,
)
from dursor.providers.base import ToolCall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.providers.adapters.wire import Adapter, Decoder
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
MISCALLED = "MALFORMED_FUNCTION_CALL"  # says the vendor of its own model: it is asked again


class GeminiAdapter:
    """Speaks `POST {base}/v1beta/models/MODEL:streamGenerateContent?alt=sse`."""

    def request(
        self, endpoint: Endpoint, prompt: Prompt, continuation: str | None = None
    ) -> Request:
        body = _body(endpoint.effort, endpoint.max_output_tokens, prompt, continuation)
        url = f"{_model_url(endpoint)}:streamGenerateContent?alt=sse"
        return Request("POST", url, _headers(endpoint), body)

    def probe(self, endpoint: Endpoint) -> Request:
        return Request("GET", _model_url(endpoint), _headers(endpoint))

    def decoder(self) -> Decoder:
        return GeminiDecoder()

    def alternative(self, payload: ErrorPayload) -> Adapter | None:
        del payload
        return None


def _model_url(endpoint: Endpoint) -> str:
    model = quote(endpoint.model_name.removeprefix("models/"), safe="")
    return f"{endpoint.root_url}/v1beta/models/{model}"


def _headers(endpoint: Endpoint) -> dict[str, str]:
    return {"x-goog-api-key": endpoint.key.reveal(), "content-type": "application/json"}


@lru_cache(SHARED_BODIES)
def _body(
    effort: str | None, max_output_tokens: int, prompt: Prompt, continuation: str | None
) -> bytes:
    config: dict[str, Any] = {"maxOutputTokens": max_output_tokens}
    if effort:
        config["thinkingConfig"] = {"thinkingLevel": effort.upper()}
    body: dict[str, Any] = {}
    if prompt.system:
        body["systemInstruction"] = {"parts": [{"text": prompt.system}]}
    if prompt.tools:
        body["tools"] = [{"functionDeclarations": [_tool(tool) for tool in prompt.tools]}]
        if prompt.final:
            body["toolConfig"] = {"functionCallingConfig": {"mode": "NONE"}}
    body["generationConfig"] = config
    body["contents"] = [_content(prompt, turn) for turn in prompt.turns]
    if continuation is not None:
        body["continuationToken"] = continuation
    return encode(body)


def _tool(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "parametersJsonSchema": tool.schema,
    }


def _content(prompt: Prompt, turn: Turn) -> dict[str, Any]:
    parts: list[Any] = [RawJson(item) for item in turn.items]
    if not parts:
        texts = [{"text": text} for text in list_texts(prompt, turn)]
        parts = [*map(_result, turn.results), *texts]
    return {"role": ROLES[turn.role], "parts": parts}


def _result(result: ToolResult) -> dict[str, Any]:
    named = {"id": result.call_id} if result.call_id else {}
    given = {"error" if result.failed else "output": result.text}
    return {"functionResponse": {**named, "name": result.name, "response": given}}


class GeminiDecoder:
    """Follows the first candidate; whole once a finish reason came, ended by the body's end."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.progress = Progress.OPEN
        self.request_id: str | None = None
        self.continuation: str | None = None
        self.calls_tools = False
        self._reason = ""
        self._blocked = ""
        self._detail = ""
        self._counts: Mapping[str, Any] = {}
        self._chunks: list[str] = []  # events with parts, as they were written

    def read(self, name: str | None, payload: Mapping[str, Any], written: str) -> str:
        if payload.get("error") or name == "error":
            raise_reported(payload)
        self.request_id = as_text(payload.get("responseId")) or self.request_id
        self._count(as_object(payload.get("usageMetadata")))
        candidates = as_list(payload.get("candidates"))
        if not candidates:
            self._judge_prompt(as_object(payload.get("promptFeedback")))
            return ""
        candidate = as_object(candidates[0])
        if candidate.get("finishReason"):
            self._settle(candidate)
        parts = as_list(as_object(candidate.get("content")).get("parts"))
        if parts:
            self._chunks.append(written)
        if "functionCall" in written:  # a look at the text costs less than one at every part
            self.calls_tools |= any("functionCall" in as_object(part) for part in parts)
        return "".join(as_text(as_object(p).get("text")) for p in parts if not _is_thought(p))

    def mark_done(self) -> None:
        """Not of this format; a finish reason is its end."""

    def finish(self) -> None:
        if self._blocked:
            raise_refused(self._blocked, "the prompt was blocked")
        if self._reason == "MAX_TOKENS":
            raise_truncated(self._reason)
        if self._reason in REFUSALS:
            raise_refused(self._reason, self._detail)
        if self._reason != "STOP" and self.continuation is None:
            raise_incomplete(self._reason)

    def output(self) -> tuple[list[ToolCall], list[str]]:
        parts = [part for chunk in self._chunks for part in _parts(chunk)]
        parsed = [as_object(json.loads(part)) for part in parts]
        calls = [_call(as_object(one["functionCall"])) for one in parsed if "functionCall" in one]
        kept = [part for part, one in zip(parts, parsed, strict=True) if one != {"text": ""}]
        return calls, kept

    def _count(self, counts: Mapping[str, Any]) -> None:
        """Take counts that every chunk repeats and revises: the last ones hold."""
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

    def _judge_prompt(self, feedback: Mapping[str, Any]) -> None:
        if reason := as_text(feedback.get("blockReason")):
            self._blocked = reason
            self.progress = Progress.SETTLED

    def _settle(self, candidate: Mapping[str, Any]) -> None:
        self._reason = str(candidate["finishReason"])
        self._detail = as_text(candidate.get("finishMessage"))
        if self._reason == MISCALLED:
            said = to_one_line(f"{MISCALLED}: {self._detail}" if self._detail else MISCALLED)
            raise ReportedError(ErrorPayload(None, frozenset({MISCALLED}), said))
        if self._reason == "CONTINUATION":
            self.continuation = as_text(candidate.get("continuationToken")) or None
        self.progress = Progress.SETTLED


def _is_thought(part: Any) -> bool:
    return as_object(part).get("thought") is True


def _parts(chunk: str) -> list[str]:
    """List the parts of a chunk's first candidate as they are written there."""
    first = elements(member(chunk, "candidates"))[0]
    return elements(member(first, "content", "parts"))


def _call(call: Mapping[str, Any]) -> ToolCall:
    given = call.get("args") or {}
    known = given if isinstance(given, dict) else None
    return ToolCall(as_text(call.get("id")), as_text(call.get("name")), known)
