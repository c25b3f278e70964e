"""OpenAI's Chat Completions API, as other vendors' servers speak it too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dursor.demo.exchange import PracticeRequest, Reply
from dursor.demo.problems import bad_request, expect, names, optional, required, unknown_field
from dursor.domain import ProviderName, Role
from dursor.providers.base import Turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

API = "chat"
KNOWN = names(
    "audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens"
    " max_tokens messages metadata modalities model moderation n parallel_tool_calls prediction"
    " presence_penalty prompt_cache_key prompt_cache_options prompt_cache_retention"
    " reasoning_effort response_format safety_identifier seed service_tier stop store stream"
    " stream_options temperature tool_choice tools top_logprobs top_p user verbosity"
    " web_search_options"
)
SYSTEM_ROLES = frozenset({"system", "developer"})
ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "tool": Role.USER}


def read(body: Mapping[str, Any]) -> PracticeRequest:
    """Understand a request for a completion; raises Problem."""
    if unknown := unknown_field(body, KNOWN):
        raise bad_request(
            f"Unrecognized request argument supplied: {unknown}",
            param=unknown,
            code="unknown_parameter",
        )
    optional(body, "stream_options", dict)
    messages = required(body, "messages", list)
    said = [_message(message, f"messages[{i}]") for i, message in enumerate(messages)]
    if not said:
        raise bad_request("Invalid 'messages': empty array.", param="messages", code="empty_array")
    parts = tuple(text for _, text in said)
    return PracticeRequest(
        provider=ProviderName.OPENAI,
        api=API,
        model=required(body, "model", str),
        system="\n".join(text for role, text in said if role in SYSTEM_ROLES),
        turns=tuple(Turn(ROLES[role], text) for role, text in said if role in ROLES),
        stream=optional(body, "stream", bool) or False,
        body=body,
        parts=parts,
        cacheable=len(parts),
        max_output_tokens=_output_limit(body),
    )


def _message(value: Any, name: str) -> tuple[str, str]:
    message = expect(value, dict, name)
    role = required(message, "role", str)
    if role not in ROLES and role not in SYSTEM_ROLES:
        raise bad_request(f"Invalid value: {role!r}.", param=f"{name}.role", code="invalid_value")
    content = message.get("content") or ""
    if isinstance(content, str):
        return role, content
    parts = [expect(part, dict, f"{name}.content") for part in expect(content, list, name)]
    return role, "".join(p["text"] for p in parts if isinstance(p.get("text"), str))


def _output_limit(body: Mapping[str, Any]) -> int | None:
    old, new = optional(body, "max_tokens", int), optional(body, "max_completion_tokens", int)
    if old is not None and new is not None:
        raise bad_request(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            param="max_tokens",
            code="invalid_parameter_combination",
        )
    limit = new if new is not None else old
    if limit is not None and limit < 1:
        raise bad_request("The output limit is below 1.", param="max_completion_tokens")
    return limit


def whole(reply: Reply) -> dict[str, Any]:
    """Answer a request that does not stream."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": reply.text,
        "refusal": None,
        "annotations": [],
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _reason(reply)}
    return {
        "id": f"chatcmpl-{reply.id}",
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.request.model,
        "choices": [choice],
        "usage": _usage(reply),
        "service_tier": "default",
        "system_fingerprint": None,
    }


def stream(reply: Reply) -> Iterator[bytes]:
    """Write the chunks of a streamed completion, `[DONE]` at the end."""
    options = reply.request.body.get("stream_options") or {}
    counting = bool(options.get("include_usage"))
    extra: dict[str, Any] = {"usage": None} if counting else {}
    first = {"role": "assistant", "content": "", "refusal": None}
    yield _frame(_chunk(reply, [_choice(first)]) | extra)
    for piece in reply.pieces:
        yield _frame(_chunk(reply, [_choice({"content": piece})]) | extra)
    last = _frame(_chunk(reply, [_choice({}, _reason(reply))]) | extra)
    if counting:
        last += _frame(_chunk(reply, []) | {"usage": _usage(reply)})
    yield last + b"data: [DONE]\n\n"


def _chunk(reply: Reply, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{reply.id}",
        "object": "chat.completion.chunk",
        "created": reply.created,
        "model": reply.request.model,
        "service_tier": "default",
        "system_fingerprint": None,
        "choices": choices,
    }


def _choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}


def _frame(chunk: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(chunk, separators=(',', ':'))}\n\n".encode()


def _reason(reply: Reply) -> str:
    return "length" if reply.cut else "stop"


def _usage(reply: Reply) -> dict[str, Any]:
    usage = reply.usage
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
