"""The vendors' streams with the details of real ones, one bytes object per event."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

USAGE = {"input": 1000, "cached": 600, "written": 0, "output": 200, "reasoning": 50}


def event(data: Any, name: str | None = None, newline: str = "\n", padding: str = "") -> bytes:
    """Return a server-sent event; DATA is sent as JSON unless it is a string."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    head = f"event: {name}{newline}" if name else ""
    return f"{head}data: {text}{padding}{newline}{newline}".encode()


def split(text: str, pieces: int) -> list[str]:
    """Split TEXT into at most PIECES parts."""
    number = max(1, min(pieces, len(text)))
    ends = [len(text) * i // number for i in range(number + 1)]
    return [text[start:end] for start, end in pairwise(ends)]


def responses(
    text: str,
    pieces: int = 5,
    *,
    status: str = "completed",
    reason: str | None = None,
    refusal: str = "",
    error: Any = None,
    usage: dict[str, int] | None = USAGE,
) -> list[bytes]:
    """OpenAI's Responses API: a reasoning item, a message and the terminal event."""
    out: list[bytes] = []

    def add(kind: str, **fields: Any) -> None:
        out.append(event({"type": kind, "sequence_number": len(out), **fields}, kind))

    shell = {"id": "resp_1", "object": "response", "status": "in_progress", "output": []}
    add("response.created", response=shell)
    add("response.in_progress", response=shell)
    thought = {"id": "rs_1", "type": "reasoning", "summary": []}
    add("response.output_item.added", output_index=0, item=thought)
    add("response.output_item.done", output_index=0, item=thought)
    item = {"id": "msg_1", "type": "message", "role": "assistant", "content": []}
    place = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    add("response.output_item.added", output_index=1, item=item)
    part = {"type": "output_text", "text": "", "annotations": []}
    add("response.content_part.added", **place, part=part)
    for i, piece in enumerate(split(text, pieces) if text else []):
        noise = "x" * (i % 16)
        add("response.output_text.delta", **place, delta=piece, obfuscation=noise)
    for piece in split(refusal, 3) if refusal else []:
        add("response.refusal.delta", **place, delta=piece)
    content: list[dict[str, Any]] = [{**part, "text": text}] if text else []
    if refusal:
        content.append({"type": "refusal", "refusal": refusal})
    add("response.output_text.done", **place, text=text)
    done = {**item, "content": content}
    add("response.output_item.done", output_index=1, item=done)
    kind = {"incomplete": "response.incomplete", "failed": "response.failed"}.get(status)
    add(
        kind or "response.completed",
        response={
            **shell,
            "status": status,
            "output": [thought, done],
            "error": error,
            "incomplete_details": {"reason": reason} if reason else None,
            "usage": usage
            and {
                "input_tokens": usage["input"],
                "input_tokens_details": {
                    "cached_tokens": usage["cached"],
                    "cache_write_tokens": usage["written"],
                },
                "output_tokens": usage["output"],
                "output_tokens_details": {"reasoning_tokens": usage["reasoning"]},
            },
        },
    )
    return out


def chat(
    text: str,
    pieces: int = 5,
    *,
    reason: str | None = "stop",
    refusal: str = "",
    usage: dict[str, int] | None = USAGE,
    done: bool = True,
) -> list[bytes]:
    """Chat Completions as gateways send it: a comment first, reasoning beside the content."""

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return event({"id": "c1", "choices": [choice], "usage": None, **more})

    out = [b": PROCESSING\n\n", chunk({"role": "assistant", "content": ""})]
    out.append(chunk({"content": None, "reasoning": "hm", "reasoning_content": "hm"}))
    out += [chunk({"content": piece}) for piece in (split(text, pieces) if text else [])]
    out += [chunk({"refusal": piece}) for piece in (split(refusal, 3) if refusal else [])]
    if reason:
        out.append(chunk({}, reason))
    if usage:
        counts = {
            "prompt_tokens": usage["input"],
            "prompt_tokens_details": {"cached_tokens": usage["cached"]},
            "completion_tokens": usage["output"],
            "completion_tokens_details": {"reasoning_tokens": usage["reasoning"]},
        }
        out.append(event({"id": "c1", "choices": [], "usage": counts}))
    return [*out, event("[DONE]")] if done else out


def messages(
    text: str,
    pieces: int = 5,
    *,
    reason: str = "end_turn",
    details: Any = None,
    usage: dict[str, int] = USAGE,
) -> list[bytes]:
    """Anthropic's Messages API: a thinking block first, pings, trailing padding."""
    out: list[bytes] = []

    def add(kind: str, **fields: Any) -> None:
        padding = " " * (len(out) % 7)
        out.append(event({"type": kind, **fields}, kind, padding=padding))

    fresh = usage["input"] - usage["cached"] - usage["written"]
    counts = {
        "input_tokens": fresh,
        "cache_read_input_tokens": usage["cached"],
        "cache_creation_input_tokens": usage["written"],
        "output_tokens": 1,
    }
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": []}
    add("message_start", message={**message, "usage": counts})
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    add("content_block_start", index=0, content_block=thinking)
    add("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"})
    add("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "c2ln"})
    add("content_block_stop", index=0)
    add("content_block_start", index=1, content_block={"type": "text", "text": ""})
    add("ping")
    for i, piece in enumerate(split(text, pieces) if text else []):
        add("content_block_delta", index=1, delta={"type": "text_delta", "text": piece})
        if i == 1:
            add("ping")
    add("content_block_stop", index=1)
    add(
        "message_delta",
        delta={"stop_reason": reason, "stop_sequence": None, "stop_details": details},
        usage={
            "output_tokens": usage["output"],
            "output_tokens_details": {"thinking_tokens": usage["reasoning"]},
        },
    )
    add("message_stop")
    return out


def gemini(
    text: str,
    pieces: int = 5,
    *,
    reason: str | None = "STOP",
    token: str | None = None,
    usage: dict[str, int] = USAGE,
) -> list[bytes]:
    """Google's API: CRLF, a thought part, usage in every chunk, no terminator."""

    def chunk(parts: Sequence[dict[str, Any]] | None, prompt: int, **more: Any) -> bytes:
        content = {} if parts is None else {"role": "model", "parts": list(parts)}
        counts = {
            "promptTokenCount": prompt,
            "cachedContentTokenCount": usage["cached"],
            "candidatesTokenCount": usage["output"] - usage["reasoning"],
            "thoughtsTokenCount": usage["reasoning"],
        }
        data = {
            "candidates": [{"index": 0, "content": content, **more}],
            "usageMetadata": counts,
            "modelVersion": "m",
            "responseId": "r1",
        }
        return event(data, newline="\r\n")

    out = [chunk([{"text": "hm", "thought": True}], 55)]
    out += [chunk([{"text": piece}], 55) for piece in (split(text, pieces) if text else [])]
    if reason:
        more = {"continuationToken": token} if token else {}
        parts = [{"text": "", "thoughtSignature": "c2ln"}] if text else None
        out.append(chunk(parts, usage["input"], finishReason=reason, **more))
    return out


ALL = {"responses": responses, "chat": chat, "messages": messages, "gemini": gemini}
PATHS = {
    "responses": "/responses",
    "chat": "/chat/completions",
    "messages": "/messages",
    "gemini": ":streamGenerateContent",
}
