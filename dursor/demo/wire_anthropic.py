"""Anthropic's Messages API: messages, token counts, model list."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any

from dursor.demo.exchange import (
    INPUT_LIMIT,
    OUTPUT_LIMIT,
    THOUGHT,
    Practice,
    PracticeRequest,
    Reply,
    count,
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

API = "messages"
VERSIONS = ("2023-06-01", "2026-10-21")
SAMPLING = ("temperature", "top_k", "top_p")
KNOWN = names(
    "cache_control container context_management diagnostics inference_geo max_tokens messages"
    " metadata model output_config service_tier speed stop_sequences stream system thinking"
    " tool_choice tools user_profile_id"
) | set(SAMPLING)
EFFORTS = ("high", "low", "max", "medium", "xhigh")
MAX_BREAKPOINTS = 4
ERRORS: Mapping[Kind, tuple[int, str]] = {
    Kind.BAD_REQUEST: (400, "invalid_request_error"),
    Kind.MISSING_KEY: (401, "authentication_error"),
    Kind.WRONG_KEY: (401, "authentication_error"),
    Kind.UNKNOWN_MODEL: (404, "not_found_error"),
    Kind.UNKNOWN_PATH: (404, "not_found_error"),
    Kind.WRONG_METHOD: (405, "invalid_request_error"),
    Kind.TOO_LARGE: (413, "request_too_large"),
}


def claims(request: HttpRequest) -> bool:
    """Whether REQUEST is for Anthropic; /v1/models is OpenAI's too, the version header tells."""
    own = request.path.startswith("/v1/messages") or "anthropic-version" in request.headers
    return own and request.path.startswith("/v1/")


def authorize(request: HttpRequest, practice: Practice) -> None:
    """Check the key: `x-api-key` when it is there, else a bearer token. Raises Problem."""
    bearer = re.fullmatch(r"(?i:bearer)\s+(\S+)", request.headers.get("authorization", ""))
    key = request.headers.get("x-api-key") or (bearer[1] if bearer else "")
    if not key:
        raise Problem(Kind.MISSING_KEY, "x-api-key header is required")
    if key not in practice.keys:
        raise Problem(Kind.WRONG_KEY, "invalid x-api-key")
    version = request.headers.get("anthropic-version")
    if version is None:
        raise bad_request("anthropic-version: header is required")
    if version not in VERSIONS:
        raise bad_request(f'anthropic-version: "{version}" is not a valid version')


def error(problem: Problem, request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # a Vendor
    """Say PROBLEM as Anthropic does."""
    status, kind = ERRORS[problem.kind]
    prefix = "model: " if problem.kind is Kind.UNKNOWN_MODEL else ""
    request_id = _request_id()
    body = {
        "type": "error",
        "error": {"type": kind, "message": prefix + problem.message},
        "request_id": request_id,
    }
    return _json(body, status, request_id)


def _request_id() -> str:
    return f"req_{secrets.token_hex(12)}"


def _json(value: Any, status: int = 200, request_id: str | None = None) -> HttpResponse:
    headers = {"request-id": request_id or _request_id()}
    return HttpResponse(status, json.dumps(value).encode(), headers=headers)


def _create(call: Call) -> HttpResponse:
    body = json_object(call.http.body)
    request = call.received(_read(body, call.http))
    if request.max_output_tokens is None:
        raise bad_request("max_tokens: Field required")
    if request.turns[-1].role is Role.ASSISTANT:
        raise bad_request(
            "This model does not support assistant message prefill."
            " The conversation must end with a user message."
        )
    reply = call.practice.reply(request)
    if not request.stream:
        return _json(_whole(reply))
    headers = {"request-id": _request_id(), "cache-control": "no-cache"}
    return HttpResponse(200, _stream(reply), "text/event-stream; charset=utf-8", headers)


def _read(body: Mapping[str, Any], http: HttpRequest) -> PracticeRequest:
    _refuse_settings(body, http.headers["anthropic-version"])
    blocks = [("system", *block) for block in _blocks(body.get("system"), "system")]
    messages = expect(body.get("messages"), list, "messages")
    for index, value in enumerate(messages):
        blocks += _message(value, f"messages.{index}")
    said = _merged([(role, text) for role, text, _ in blocks if role != "system"])
    if not said:
        raise bad_request("messages: at least one message is required")
    return PracticeRequest(
        provider=ProviderName.ANTHROPIC,
        api=API,
        model=expect(body.get("model"), str, "model"),
        system="\n".join(text for role, text, _ in blocks if role == "system"),
        turns=tuple(said),
        stream=optional(body, "stream", bool) or False,
        body=body,
        parts=tuple(text for _, text, _ in blocks),
        cacheable=_cacheable([marked for _, _, marked in blocks], body),
        max_output_tokens=_output_limit(body),
    )


def _refuse_settings(body: Mapping[str, Any], version: str) -> None:
    if unknown := unknown_field(body, KNOWN):
        raise bad_request(f"{unknown}: Extra inputs are not permitted")
    if version != VERSIONS[0]:
        for name in SAMPLING:
            if name in body:
                raise bad_request(f"{name}: not supported in anthropic-version {version}")
    thinking = optional(body, "thinking", dict) or {}
    if thinking.get("type", "adaptive") not in ("adaptive", "between_tools"):
        raise bad_request(f"thinking.type: {thinking['type']!r} is not supported by this model")
    if (optional(body, "tool_choice", dict) or {}).get("type") in ("any", "tool"):
        raise bad_request("tool_choice: this model does not support forced tool use")
    effort = (optional(body, "output_config", dict) or {}).get("effort", "high")
    if effort not in EFFORTS:
        raise bad_request(
            f"This model does not support effort level {effort!r}."
            f" Supported levels: {', '.join(EFFORTS)}."
        )


def _blocks(content: Any, name: str) -> list[tuple[str, bool]]:
    """Read the text and cache mark of every block of CONTENT."""
    if content is None:
        return []
    if isinstance(content, str):
        return [(content, False)]
    blocks = [expect(b, dict, f"{name}.{i}") for i, b in enumerate(expect(content, list, name))]
    return [(_block_text(b), bool(b.get("cache_control"))) for b in blocks]


def _block_text(block: Mapping[str, Any]) -> str:
    content = block.get("text") or block.get("content") or ""
    return content if isinstance(content, str) else json.dumps(content)


def _message(value: Any, name: str) -> list[tuple[str, str, bool]]:
    message = expect(value, dict, name)
    role = message.get("role")
    if role not in ("user", "assistant", "system"):
        raise bad_request(f"{name}.role: Input should be 'user' or 'assistant'")
    blocks = _blocks(message.get("content"), f"{name}.content")
    if not any(text for text, _ in blocks):
        raise bad_request(f"{name}: all messages must have non-empty content")
    return [(role, text, marked) for text, marked in blocks]


def _merged(said: list[tuple[str, str]]) -> list[Turn]:
    """Make one turn of neighbours with one role, as the API does."""
    turns: list[Turn] = []
    for role, text in said:
        if turns and turns[-1].role == role:
            turns[-1] = Turn(Role(role), f"{turns[-1].text}\n{text}")
        else:
            turns.append(Turn(Role(role), text))
    return turns


def _cacheable(marks: list[bool], body: Mapping[str, Any]) -> int:
    """Count the leading blocks that lie before a breakpoint."""
    if optional(body, "cache_control", dict):  # marks the last block
        marks = [*marks[:-1], True]
    if sum(marks) > MAX_BREAKPOINTS:
        raise bad_request(
            f"A maximum of {MAX_BREAKPOINTS} blocks with cache_control may be provided."
            f" Found {sum(marks)}."
        )
    return len(marks) - marks[::-1].index(True) if any(marks) else 0


def _output_limit(body: Mapping[str, Any]) -> int | None:
    limit = optional(body, "max_tokens", int)
    if limit is not None and limit < 1:
        raise bad_request("max_tokens: must be greater than or equal to 1")
    if limit is not None and limit > OUTPUT_LIMIT:
        raise bad_request(
            f"max_tokens: {limit} > {OUTPUT_LIMIT}, which is the maximum allowed number of"
            " output tokens for this model"
        )
    return limit


def _whole(reply: Reply) -> dict[str, Any]:
    content = [_thinking(reply, signature=True)]
    if reply.text:
        content.append({"type": "text", "text": reply.text, "citations": None})
    return _message_of(reply, content) | {
        "stop_reason": _reason(reply),
        "usage": _usage(reply, reply.usage.output_tokens),
    }


def _message_of(reply: Reply, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"msg_{reply.id}",
        "type": "message",
        "role": "assistant",
        "model": reply.request.model,
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": _usage(reply, 1),
    }


def _thinking(reply: Reply, *, signature: bool) -> dict[str, Any]:
    """Make the thinking block: signed, and empty unless a summary was asked for."""
    text = THOUGHT if _shows_thinking(reply) and signature else ""
    return {
        "type": "thinking",
        "thinking": text,
        "signature": _signature(reply) if signature else "",
    }


def _shows_thinking(reply: Reply) -> bool:
    return (reply.request.body.get("thinking") or {}).get("display") == "summarized"


def _signature(reply: Reply) -> str:
    return f"practice-{reply.id}"


def _reason(reply: Reply) -> str:
    return "max_tokens" if reply.cut else "end_turn"


def _usage(reply: Reply, output_tokens: int) -> dict[str, Any]:
    usage = reply.usage
    return {
        "input_tokens": reply.fresh_input,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_input_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_tokens,
            "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens": output_tokens,
        "output_tokens_details": {
            "thinking_tokens": min(usage.reasoning_tokens, output_tokens),
        },
        "service_tier": "standard",
    }


def _stream(reply: Reply) -> Iterator[bytes]:
    """Write the events of a streamed message: a signed thinking block, then the text."""
    opening: list[dict[str, Any]] = [
        {"type": "message_start", "message": _message_of(reply, [])},
        _start(0, _thinking(reply, signature=False)),
        {"type": "ping"},
    ]
    if _shows_thinking(reply):
        opening.append(_delta(0, {"type": "thinking_delta", "thinking": THOUGHT}))
    opening.append(_delta(0, {"type": "signature_delta", "signature": _signature(reply)}))
    yield _frames([*opening, {"type": "content_block_stop", "index": 0}])
    if reply.text:
        yield _frames([_start(1, {"type": "text", "text": ""})])
        for piece in reply.pieces:
            yield _frames([_delta(1, {"type": "text_delta", "text": piece})])
        yield _frames([{"type": "content_block_stop", "index": 1}])
    ended = {"stop_reason": _reason(reply), "stop_sequence": None, "stop_details": None}
    usage = _usage(reply, reply.usage.output_tokens)
    yield _frames(
        [{"type": "message_delta", "delta": ended, "usage": usage}, {"type": "message_stop"}]
    )


def _start(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def _delta(index: int, delta: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def _frames(events: list[dict[str, Any]]) -> bytes:
    return b"".join(_frame(event) for event in events)


def _frame(event: dict[str, Any]) -> bytes:
    data = json.dumps(event, separators=(",", ":"))
    padding = " " * (-len(data) % 16)  # the real API pads too, so that sizes say nothing
    return f"event: {event['type']}\ndata: {data}{padding}\n\n".encode()


def _count(call: Call) -> HttpResponse:
    request = _read(json_object(call.http.body), call.http)
    call.practice.find(request.model, API)
    return _json({"input_tokens": count(request)})


def _list_models(call: Call) -> HttpResponse:
    names = list(call.practice.answers)
    after = call.http.query.get("after_id")
    if after in names:
        names = names[names.index(after) + 1 :]
    shown = names[: max(1, query_number(call.http.query, "limit", 20, 1000))]
    return _json(
        {
            "data": [_model(name) for name in shown],
            "has_more": len(shown) < len(names),
            "first_id": shown[0] if shown else None,
            "last_id": shown[-1] if shown else None,
        }
    )


def _show_model(call: Call) -> HttpResponse:
    call.practice.find(call.match["model"], "models")
    return _json(_model(call.match["model"]))


def _model(name: str) -> dict[str, Any]:
    return {
        "type": "model",
        "id": name,
        "display_name": name.replace("-", " ").title(),
        "created_at": "2026-11-22T00:00:00Z",
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "max_input_tokens": INPUT_LIMIT,
        "max_tokens": OUTPUT_LIMIT,
    }


ROUTES = (
    Route("POST", re.compile(r"/v1/messages"), _create),
    Route("POST", re.compile(r"/v1/messages/count_tokens"), _count),
    Route("GET", re.compile(r"/v1/models"), _list_models),
    Route("GET", re.compile(r"/v1/models/(?P<model>[^/]+)"), _show_model),
)
