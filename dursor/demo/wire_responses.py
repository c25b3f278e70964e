"""OpenAI's Responses API: POST /v1/responses and /v1/responses/input_tokens."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dursor.demo.exchange import PracticeRequest, Reply, count
from dursor.demo.problems import bad_request, expect, names, optional, required, unknown_field
from dursor.domain import ProviderName, Role
from dursor.providers.base import Turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

API = "responses"
KNOWN = names(
    "access_programs background context_management conversation include input instructions"
    " max_output_tokens max_tool_calls metadata model moderation parallel_tool_calls"
    " previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention"
    " reasoning safety_identifier service_tier store stream stream_options temperature text"
    " tool_choice tools top_logprobs top_p truncation user"
)
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
LEAST_OUTPUT = 16  # tokens
SYSTEM_ROLES = frozenset({"system", "developer"})


def read(body: Mapping[str, Any]) -> PracticeRequest:
    """Understand a request to create a response; raises Problem."""
    if unknown := unknown_field(body, KNOWN):
        raise bad_request(
            f"Unknown parameter: '{unknown}'.", param=unknown, code="unknown_parameter"
        )
    _refuse_sampling(body)
    optional(body, "stream_options", dict)
    system = [optional(body, "instructions", str) or ""]
    turns = list(_turns(body.get("input"), system))
    spoken = "\n".join(filter(None, system))
    parts = tuple(filter(None, [spoken, *(turn.text for turn in turns)]))
    return PracticeRequest(
        provider=ProviderName.OPENAI,
        api=API,
        model=required(body, "model", str),
        system=spoken,
        turns=tuple(turns),
        stream=optional(body, "stream", bool) or False,
        body=body,
        parts=parts,
        cacheable=len(parts),
        max_output_tokens=_output_limit(body),
    )


def _refuse_sampling(body: Mapping[str, Any]) -> None:
    for name in ("temperature", "top_p"):
        if body.get(name) not in (None, 1):
            raise bad_request(
                f"Unsupported parameter: '{name}' is not supported with this model.",
                param=name,
                code="unsupported_parameter",
            )
    reasoning = optional(body, "reasoning", dict) or {}
    effort = reasoning.get("effort")
    if effort is not None and effort not in EFFORTS:
        raise bad_request(
            f"Invalid value: {effort!r}. Supported values are: {', '.join(map(repr, EFFORTS))}.",
            param="reasoning.effort",
            code="invalid_value",
        )


def _output_limit(body: Mapping[str, Any]) -> int | None:
    limit = optional(body, "max_output_tokens", int)
    if limit is not None and limit < LEAST_OUTPUT:
        raise bad_request(
            f"Invalid 'max_output_tokens': integer below minimum value. "
            f"Expected a value >= {LEAST_OUTPUT}, but got {limit} instead.",
            param="max_output_tokens",
            code="integer_below_min_value",
        )
    return limit


def _turns(value: Any, system: list[str]) -> Iterator[Turn]:
    """Read the input; system and developer messages go to SYSTEM."""
    if isinstance(value, str):
        value = [{"role": "user", "content": value}]
    if not value:
        raise bad_request(
            "Missing required parameter: 'input'.", param="input", code="missing_required_parameter"
        )
    for index, raw in enumerate(expect(value, list, "input")):
        item = expect(raw, dict, f"input[{index}]")
        if item.get("type", "message") == "message":
            yield from _message(item, f"input[{index}]", system)
        elif item["type"] == "function_call_output":
            yield Turn(Role.USER, str(item.get("output", "")))


def _message(item: dict[str, Any], name: str, system: list[str]) -> Iterator[Turn]:
    role, text = optional(item, "role", str), _text(item.get("content"), f"{name}.content")
    if role in SYSTEM_ROLES:
        system.append(text)
    elif role in {"user", "assistant"}:
        yield Turn(Role(role), text)
    else:
        raise bad_request(
            f"Invalid value: {role!r}. Supported values are: 'assistant', 'system', 'developer',"
            " and 'user'.",
            param=f"{name}.role",
            code="invalid_value",
        )


def _text(content: Any, name: str) -> str:
    if isinstance(content, str):
        return content
    parts = [expect(part, dict, name) for part in expect(content, list, name)]
    return "".join(p["text"] for p in parts if isinstance(p.get("text"), str))


def counted(request: PracticeRequest) -> dict[str, Any]:
    """Answer a request to /v1/responses/input_tokens."""
    return {"object": "response.input_tokens", "input_tokens": count(request)}


@dataclass(frozen=True)
class _Items:
    """The two output items of a response, with ids that stay the same from event to event."""

    reply: Reply
    reasoning_id: str = field(default_factory=lambda: f"rs_{secrets.token_hex(16)}")
    message_id: str = field(default_factory=lambda: f"msg_{secrets.token_hex(16)}")

    @property
    def reasoning(self) -> dict[str, Any]:
        return {
            "id": self.reasoning_id,
            "type": "reasoning",
            "summary": [],
            "encrypted_content": f"practice-{self.reply.id}",
        }

    @property
    def status(self) -> str:
        return "incomplete" if self.reply.cut else "completed"

    def message(self, text: str | None) -> dict[str, Any]:
        """Make the message, open when TEXT is None."""
        return {
            "id": self.message_id,
            "type": "message",
            "role": "assistant",
            "phase": "final_answer",
            "status": "in_progress" if text is None else self.status,
            "content": [] if text is None else [self.part(text)],
        }

    @staticmethod
    def part(text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    @property
    def output(self) -> list[dict[str, Any]]:
        text = self.reply.text
        return [self.reasoning, self.message(text)] if text else [self.reasoning]


def whole(reply: Reply) -> dict[str, Any]:
    """Answer a request that does not stream."""
    return _finished(_Items(reply))


def _finished(items: _Items) -> dict[str, Any]:
    incomplete = {"reason": "max_output_tokens"} if items.reply.cut else None
    return _response(items.reply) | {
        "status": items.status,
        "incomplete_details": incomplete,
        "completed_at": None if incomplete else items.reply.created,
        "output": items.output,
        "usage": _usage(items.reply),
    }


def _response(reply: Reply) -> dict[str, Any]:
    body = reply.request.body
    return {
        "id": f"resp_{reply.id}",
        "object": "response",
        "created_at": reply.created,
        "completed_at": None,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": body.get("metadata") or {},
        "model": reply.request.model,
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "previous_response_id": None,
        "reasoning": {"effort": (body.get("reasoning") or {}).get("effort", "medium")},
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": 1.0,
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "user": None,
    }


def _usage(reply: Reply) -> dict[str, Any]:
    usage = reply.usage
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": 0,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def stream(reply: Reply) -> Iterator[bytes]:
    """Write the events of a streamed response, numbered; the last one says how it ended."""
    for number, group in _numbered(_events(reply)):
        yield b"".join(_frame(number + i, event) for i, event in enumerate(group))


def _numbered(
    groups: Iterator[list[dict[str, Any]]],
) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    number = 0
    for group in groups:
        yield number, group
        number += len(group)


def _frame(number: int, event: dict[str, Any]) -> bytes:
    data = json.dumps({**event, "sequence_number": number}, separators=(",", ":"))
    return f"event: {event['type']}\ndata: {data}\n\n".encode()


def _events(reply: Reply) -> Iterator[list[dict[str, Any]]]:
    """Events in the groups that are sent at once."""
    items = _Items(reply)
    opened = _response(reply)
    yield [
        {"type": "response.created", "response": opened},
        {"type": "response.in_progress", "response": opened},
        {"type": "response.output_item.added", "output_index": 0, "item": items.reasoning},
        {"type": "response.output_item.done", "output_index": 0, "item": items.reasoning},
    ]
    if reply.text:
        yield from _message_events(items)
    ended = "response.incomplete" if reply.cut else "response.completed"
    yield [{"type": ended, "response": _finished(items)}]


def _message_events(items: _Items) -> Iterator[list[dict[str, Any]]]:
    text = items.reply.text
    place = {"item_id": items.message_id, "output_index": 1, "content_index": 0}
    yield [
        {"type": "response.output_item.added", "output_index": 1, "item": items.message(None)},
        {"type": "response.content_part.added", **place, "part": items.part("")},
    ]
    for piece in items.reply.pieces:
        yield [_delta(items.reply, place, piece)]
    yield [
        {"type": "response.output_text.done", **place, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": items.part(text)},
        {"type": "response.output_item.done", "output_index": 1, "item": items.message(text)},
    ]


def _delta(reply: Reply, place: dict[str, Any], piece: str) -> dict[str, Any]:
    event = {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
    options = optional(reply.request.body, "stream_options", dict) or {}
    if options.get("include_obfuscation", True):  # pads the frame so that its size says nothing
        event["obfuscation"] = secrets.token_urlsafe(16)[: 16 - len(piece) % 16]
    return event
