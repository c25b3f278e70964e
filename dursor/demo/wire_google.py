"""Google's Gemini API: generateContent, streamed or whole, token counts, model list."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

from dursor.demo.exchange import (
    INPUT_LIMIT,
    OUTPUT_LIMIT,
    THOUGHT,
    Practice,
    PracticeRequest,
    Reply,
    count,
    tokens,
)
from dursor.demo.http1 import HttpRequest, HttpResponse
from dursor.demo.problems import (
    Kind,
    Problem,
    bad_request,
    expect,
    json_object,
    names,
    optional,
    query_number,
    unknown_field,
)
from dursor.demo.routes import Call, Route
from dursor.domain import ProviderName, Role
from dursor.providers.base import Turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

API = "generateContent"
PREFIX = r"/(?P<version>v1beta|v1)/models"  # the SDK asks for v1, most documents for v1beta
KNOWN = names(
    "cachedContent contents continuationToken generationConfig labels model safetySettings"
    " serviceTier store systemInstruction toolConfig tools"
)
KNOWN_CONFIG = names(
    "audioTimestamp candidateCount frequencyPenalty imageConfig logprobs maxOutputTokens"
    " mediaResolution presencePenalty responseFormat responseJsonSchema responseLogprobs"
    " responseMimeType responseModalities responseSchema seed speechConfig stopSequences"
    " temperature thinkingConfig topK topP"
)
LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")
ROLES = {None: Role.USER, "user": Role.USER, "model": Role.ASSISTANT}
ERRORS: Mapping[Kind, tuple[int, str]] = {
    Kind.BAD_REQUEST: (400, "INVALID_ARGUMENT"),
    Kind.MISSING_KEY: (403, "PERMISSION_DENIED"),
    Kind.WRONG_KEY: (400, "INVALID_ARGUMENT"),
    Kind.UNKNOWN_MODEL: (404, "NOT_FOUND"),
    Kind.UNKNOWN_PATH: (404, "NOT_FOUND"),
    Kind.WRONG_METHOD: (405, "UNIMPLEMENTED"),
    Kind.TOO_LARGE: (413, "INVALID_ARGUMENT"),
}


def claims(request: HttpRequest) -> bool:
    """Whether REQUEST is for Google; below /v1 the key's header or the verb tells."""
    verb = re.search(r":\w*(Content|Tokens)$", request.path)
    return request.path.startswith("/v1beta/") or (
        request.path.startswith("/v1/models") and bool(verb or "x-goog-api-key" in request.headers)
    )


def authorize(request: HttpRequest, practice: Practice) -> None:
    """Check the key, in its header or in the query; raises Problem."""
    key = request.headers.get("x-goog-api-key") or request.query.get("key")
    if not key:
        raise Problem(
            Kind.MISSING_KEY,
            "Method doesn't allow unregistered callers (callers without established identity)."
            " Please use API Key or other form of API consumer identity to call this API.",
        )
    if key not in practice.keys:
        raise Problem(Kind.WRONG_KEY, "API key not valid. Please pass a valid API key.")


def error(problem: Problem, request: HttpRequest) -> HttpResponse:
    """Say PROBLEM as Google does: in an array where the answer would have been one."""
    status, name = ERRORS[problem.kind]
    message = problem.message
    if problem.kind is Kind.UNKNOWN_MODEL:
        version = request.path.split("/")[1]
        message = f"models/{message} is not found for API version {version}, or is not supported."
    body: Any = {"code": status, "message": message, "status": name}
    if problem.kind is Kind.WRONG_KEY:
        body["details"] = [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
            }
        ]
    as_array = ":stream" in request.path and not _wants_events(request)
    return _json([{"error": body}] if as_array else {"error": body}, status)


def _json(value: Any, status: int = 200) -> HttpResponse:
    data = json.dumps(value, indent=2).encode()
    return HttpResponse(status, data, "application/json; charset=UTF-8")


def _wants_events(request: HttpRequest) -> bool:
    return request.query.get("alt") == "sse"


def _generate(call: Call) -> HttpResponse:
    request = call.received(_read(json_object(call.http.body), call.match["model"], stream=False))
    return _json(_whole(call.practice.reply(request)))


def _stream(call: Call) -> HttpResponse:
    request = call.received(_read(json_object(call.http.body), call.match["model"], stream=True))
    chunks = _chunks(call.practice.reply(request))
    if _wants_events(call.http):
        return HttpResponse(200, _as_events(chunks), "text/event-stream")
    return HttpResponse(200, _as_array(chunks), "application/json; charset=UTF-8")


def _count(call: Call) -> HttpResponse:
    body = json_object(call.http.body)
    inner = optional(body, "generateContentRequest", dict) or body
    request = _read(inner, call.match["model"], stream=False)
    call.practice.find(request.model, API)
    total = count(request)
    details = [{"modality": "TEXT", "tokenCount": total}]
    return _json({"totalTokens": total, "promptTokensDetails": details})


def _read(body: Mapping[str, Any], model: str, *, stream: bool) -> PracticeRequest:
    _refuse_unknown(body, KNOWN, "")
    system = _content(body.get("systemInstruction") or {}, "system_instruction")[1]
    contents = optional(body, "contents", list)
    if not contents:
        raise bad_request("* GenerateContentRequest.contents: contents is not specified\n")
    said = [_content(value, f"contents[{index}]") for index, value in enumerate(contents)]
    parts = tuple(filter(None, [system, *(text for _, text in said)]))
    return PracticeRequest(
        provider=ProviderName.GOOGLE,
        api=API,
        model=model,
        system=system,
        turns=tuple(Turn(role, text) for role, text in said),
        stream=stream,
        body=body,
        parts=parts,
        cacheable=len(parts),
        max_output_tokens=_output_limit(body),
    )


def _refuse_unknown(body: Mapping[str, Any], known: frozenset[str], place: str) -> None:
    if unknown := unknown_field(body, known):
        at = f" at '{place}'" if place else ""
        raise bad_request(
            f'Invalid JSON payload received. Unknown name "{unknown}"{at}: Cannot find field.'
        )


def _content(value: Any, name: str) -> tuple[Role, str]:
    content = expect(value, dict, name)
    role = content.get("role")
    if not isinstance(role, str | None) or role not in ROLES:
        raise bad_request("Please use a valid role: user, model.")
    parts = [expect(p, dict, f"{name}.parts") for p in optional(content, "parts", list) or []]
    return ROLES[role], "".join(p["text"] for p in parts if isinstance(p.get("text"), str))


def _output_limit(body: Mapping[str, Any]) -> int | None:
    config = optional(body, "generationConfig", dict) or {}
    _refuse_unknown(config, KNOWN_CONFIG, "generation_config")
    thinking = optional(config, "thinkingConfig", dict) or {}
    if "thinkingLevel" in thinking and "thinkingBudget" in thinking:
        raise bad_request("You can only set one of thinking budget and thinking level.")
    level = thinking.get("thinkingLevel", LEVELS[0])
    if not isinstance(level, str) or level.upper() not in LEVELS:
        raise bad_request(
            "Invalid value at 'generation_config.thinking_config.thinking_level'"
            f" (type.googleapis.com/google.ai.generativelanguage.v1beta.ThinkingLevel), {level!r}"
        )
    limit = optional(config, "maxOutputTokens", int)
    if limit is not None and limit < 1:
        raise bad_request("max_output_tokens must be positive.")
    return limit


def _whole(reply: Reply) -> dict[str, Any]:
    parts = _thought(reply)
    if reply.text:
        parts.append({"text": reply.text, "thoughtSignature": _signature(reply)})
    return _chunk(reply, parts, reply.usage.output_tokens, finish=True)


def _chunks(reply: Reply) -> Iterator[dict[str, Any]]:
    """Yield the answer by pieces, usage so far in each; only the last says that it is whole."""
    so_far = reply.usage.reasoning_tokens
    if thought := _thought(reply):
        yield _chunk(reply, thought, so_far, finish=False)
    for piece in reply.pieces:
        so_far = min(so_far + tokens(piece), reply.usage.output_tokens)
        yield _chunk(reply, [{"text": piece}], so_far, finish=False)
    last = [{"text": "", "thoughtSignature": _signature(reply)}] if reply.text else []
    yield _chunk(reply, last, reply.usage.output_tokens, finish=True)


def _thought(reply: Reply) -> list[dict[str, Any]]:
    config = reply.request.body.get("generationConfig") or {}
    shown = (config.get("thinkingConfig") or {}).get("includeThoughts")
    return [{"text": THOUGHT, "thought": True}] if shown else []


def _signature(reply: Reply) -> str:
    return base64.b64encode(f"practice-{reply.id}".encode()).decode()


def _chunk(
    reply: Reply, parts: list[dict[str, Any]], output_tokens: int, *, finish: bool
) -> dict[str, Any]:
    content: dict[str, Any] = {"role": "model"}
    if parts:  # a reply cut before its first word has none
        content["parts"] = parts
    candidate: dict[str, Any] = {"content": content, "index": 0}
    if finish:
        candidate["finishReason"] = "MAX_TOKENS" if reply.cut else "STOP"
    return {
        "candidates": [candidate],
        "usageMetadata": _usage(reply, output_tokens),
        "modelVersion": reply.request.model,
        "responseId": reply.id,
    }


def _usage(reply: Reply, output_tokens: int) -> dict[str, Any]:
    usage = reply.usage
    metadata: dict[str, Any] = {
        "promptTokenCount": usage.input_tokens,
        "totalTokenCount": usage.input_tokens + output_tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.input_tokens}],
        "thoughtsTokenCount": usage.reasoning_tokens,
    }
    if output_tokens > usage.reasoning_tokens:
        metadata["candidatesTokenCount"] = output_tokens - usage.reasoning_tokens
    if usage.cached_input_tokens:
        metadata["cachedContentTokenCount"] = usage.cached_input_tokens
    return metadata


def _as_events(chunks: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for chunk in chunks:
        yield f"data: {json.dumps(chunk)}\r\n\r\n".encode()


def _as_array(chunks: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    before = "["
    for chunk in chunks:
        yield (before + json.dumps(chunk, indent=2)).encode()
        before = "\n,\r\n"
    yield b"\n]\n"


def _list_models(call: Call) -> HttpResponse:
    names = list(call.practice.answers)
    start = query_number(call.http.query, "pageToken", 0, len(names))
    end = start + (query_number(call.http.query, "pageSize", 50, 1000) or 50)
    page: dict[str, Any] = {"models": [_model(name) for name in names[start:end]]}
    if end < len(names):
        page["nextPageToken"] = str(end)
    return _json(page)


def _show_model(call: Call) -> HttpResponse:
    call.practice.find(call.match["model"], "models")
    return _json(_model(call.match["model"]))


def _model(name: str) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "version": "practice",
        "displayName": name.replace("-", " ").title(),
        "inputTokenLimit": INPUT_LIMIT,
        "outputTokenLimit": OUTPUT_LIMIT,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "thinking": True,
    }


ROUTES = (
    Route("POST", re.compile(rf"{PREFIX}/(?P<model>[^/]+):generateContent"), _generate),
    Route("POST", re.compile(rf"{PREFIX}/(?P<model>[^/]+):streamGenerateContent"), _stream),
    Route("POST", re.compile(rf"{PREFIX}/(?P<model>[^/]+):countTokens"), _count),
    Route("GET", re.compile(PREFIX), _list_models),
    Route("GET", re.compile(rf"{PREFIX}/(?P<model>[^/:]+)"), _show_model),
)
