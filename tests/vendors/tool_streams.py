"""The vendors' streams of replies that call tools, with JSON that must be echoed unchanged.

Each function returns the events of one reply and the JSON texts that the next request must contain.
"""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from vendors.streams import USAGE, event, split

# Spaces, escapes, numbers and names that a JSON round trip would change.
ODD = '"odd" : {"n": 1.50e+1, "big": 12345678901234567890.5, "text": "\\u00fc/ü\\/"}'

UMLAUTS = "ü\\ud83d\\ude00\\/"  # a plain character, one as two escapes, and a needless escape


class Call(NamedTuple):
    """A tool call."""

    name: str
    arguments: dict[str, Any]
    text: str | None = None  # the arguments as the model writes them, when they are not an object

    @property
    def arguments_json(self) -> str:
        """The arguments as the streams contain them."""
        if self.text is not None:
            return self.text
        return json.dumps(self.arguments, ensure_ascii=False, separators=(" , ", ": "))


class Block(NamedTuple):
    """A block of an Anthropic message: its start, its echo in the next request and its deltas."""

    start: str
    echo: str
    deltas: Sequence[str] = ()


class ToolStream(NamedTuple):
    """The events of a reply, and the JSON texts that must be echoed."""

    events: list[bytes]
    echoed: list[str]


def responses(calls: Sequence[Call], remark: str = "I look.", *, turn: int = 1) -> ToolStream:
    """OpenAI's Responses API: encrypted reasoning, a remark, then each call."""
    reasoning = f'"encrypted_content": "gAAA{turn}", {ODD}'
    content = f'[{{"type":"output_text","text":{json.dumps(remark)},"annotations":[ ]}}]'
    head = f'"id":"msg_{turn}","type":"message","status":"completed","role":"assistant"'
    items = [
        f'{{"id": "rs_{turn}", "type": "reasoning", "summary": [], {reasoning}}}',
        f'{{{head},"phase":"commentary","content":{content}}}',
    ]
    items += [
        f'{{"type":"function_call", "id":"fc_{turn}{n}", "call_id":"call_{turn}{n}", '
        f'"name":{json.dumps(call.name)}, "arguments":{json.dumps(call.arguments_json)}}}'
        for n, call in enumerate(calls)
    ]
    shell = '"id":"resp_1","object":"response"'
    out = [_named("response.created", f'"response":{{{shell},"status":"in_progress","output":[]}}')]
    for place, item in enumerate(items):
        kind, text = "output_text", remark if place == 1 else ""
        if place > 1:
            kind, text = "function_call_arguments", calls[place - 2].arguments_json
        out += _item(place, item, kind, text)
    usage = {
        "input_tokens": USAGE["input"],
        "input_tokens_details": {"cached_tokens": USAGE["cached"]},
        "output_tokens": USAGE["output"],
        "output_tokens_details": {"reasoning_tokens": USAGE["reasoning"]},
    }
    end = f'"status":"completed","output":[{",".join(items)}],"usage":{json.dumps(usage)}'
    return ToolStream([*out, _named("response.completed", f'"response":{{{shell},{end}}}')], items)


def _item(place: int, item: str, kind: str, text: str) -> list[bytes]:
    """Return the events of an output item, whose start lacks the fields filled by TEXT in pieces."""
    start = {
        name: "" if name in {"encrypted_content", "arguments"} else value
        for name, value in json.loads(item).items()
    }
    index = f'"output_index":{place}'
    pieces = split(text, 4) if text else []
    return [
        _named("response.output_item.added", f'{index},"item":{json.dumps(start)}'),
        *(
            _named(f"response.{kind}.delta", f'{index},"delta":{json.dumps(piece)}')
            for piece in pieces
        ),
        _named("response.output_item.done", f'{index}, "item": {item} '),
    ]


def _named(kind: str, fields: str) -> bytes:
    return event(f'{{"type":"{kind}",{fields}}}', kind)


def messages(
    calls: Sequence[Call], remark: str = "I look.", *, turn: int = 1, reason: str = "tool_use"
) -> ToolStream:
    """Anthropic's Messages API: signed thinking, redacted thinking, a remark, each call."""
    signature = f"c2lnb{turn}=="
    escaped = [json.dumps(piece)[1:-1] for piece in split(remark, 3) if piece]
    redacted = f'{{"type": "redacted_thinking", "data": "cmVk{turn}", {ODD}}}'
    blocks = [
        Block(
            _thinking("", ""), _thinking(f"hm, {UMLAUTS}", signature), _thinking_deltas(signature)
        ),
        Block(redacted, redacted),
        Block(_text(""), _text("".join(escaped)), [_delta("text", piece) for piece in escaped]),
    ]
    for number, call in enumerate(calls):
        head = f'"type" :"tool_use","id":"toolu_{turn}{number}","name":{json.dumps(call.name)}'
        arguments = call.arguments_json if call.arguments or call.text else "{}"
        pieces = ["", *split(arguments, 4)] if arguments != "{}" else [""]
        deltas = [_delta("input_json", json.dumps(piece)[1:-1]) for piece in pieces]
        start, echo = (f'{{{head},"input": {given}, {ODD}}}' for given in ("{}", arguments))
        blocks.append(Block(start, echo, deltas))
    echoed = [block.echo for block in blocks if block.echo != _text("")]
    out = [_start_message()]
    for index, block in enumerate(blocks):
        out += _block(index, block, stops=index < 3 or reason == "tool_use")
    usage = {
        "output_tokens": USAGE["output"],
        "output_tokens_details": {"thinking_tokens": USAGE["reasoning"]},
    }
    end = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}
    out += [event(end, "message_delta"), event({"type": "message_stop"}, "message_stop")]
    return ToolStream(out, echoed)


def _start_message() -> bytes:
    fresh = USAGE["input"] - USAGE["cached"]
    counts = {"input_tokens": fresh, "cache_read_input_tokens": USAGE["cached"], "output_tokens": 1}
    start = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "usage": counts}
    return event({"type": "message_start", "message": start}, "message_start")


def _thinking(text: str, signature: str) -> str:
    return f'{{"type": "thinking","thinking":"{text}" , "signature" :"{signature}", {ODD}}}'


def _thinking_deltas(signature: str) -> list[str]:
    pieces = ["hm", f", {UMLAUTS[:7]}", UMLAUTS[7:]]
    return [*(_delta("thinking", piece) for piece in pieces), _delta("signature", signature)]


def _text(text: str) -> str:
    return f'{{"type":"text","text": "{text}", {ODD}}}'


def _delta(kind: str, text: str) -> str:
    name = {"input_json": "partial_json"}.get(kind, kind)
    return f'{{"type":"{kind}_delta","{name}" : "{text}"}}'


def _block(index: int, block: Block, *, stops: bool) -> Iterator[bytes]:
    kind = "content_block_start"
    yield event(f'{{"type":"{kind}","index":{index},"content_block":{block.start}}}', kind)
    kind = "content_block_delta"
    for delta in block.deltas:
        yield event(f'{{"type":"{kind}","index":{index},"delta":{delta}}}', kind, padding="  ")
    if stops:
        yield event({"type": "content_block_stop", "index": index}, "content_block_stop")


def gemini(
    calls: Sequence[Call], remark: str = "I look.", *, turn: int = 1, ids: bool = False
) -> ToolStream:
    """Google's API: a thought, the remark in pieces, calls; the first and the last part are signed."""
    parts = ['{"text":"hm" , "thought": true}']
    parts += [f'{{ "text" : {json.dumps(piece)} }}' for piece in split(remark, 2) if piece]
    for number, call in enumerate(calls):
        named = f'"id": "fn_{turn}{number}", ' if ids else ""
        signature = f', "thoughtSignature":"{_signature("first", turn)}"' if not number else ""
        parts.append(
            f'{{"functionCall": {{{named}"name": {json.dumps(call.name)}, '
            f'"args": {call.arguments_json}}}{signature}, {ODD}}}'
        )
    parts.append(f'{{"text":"", "thoughtSignature" :"{_signature("last", turn)}"}}')
    chunks = [*parts[:-2], f"{parts[-2]} , {parts[-1]}"]
    out = [_chunk(f'"content":{{"role":"model","parts":[ {chunk} ]}}') for chunk in chunks]
    out.append(
        _chunk('"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP"')
    )  # empty: not to be echoed
    return ToolStream(out, parts)


def _signature(place: str, turn: int) -> str:
    return base64.b64encode(f"{place} {turn}".encode()).decode()


def _chunk(candidate: str) -> bytes:
    counts = {
        "promptTokenCount": USAGE["input"],
        "cachedContentTokenCount": USAGE["cached"],
        "candidatesTokenCount": USAGE["output"] - USAGE["reasoning"],
        "thoughtsTokenCount": USAGE["reasoning"],
    }
    data = f'{{"candidates":[{{"index":0,{candidate}}}],"usageMetadata":{json.dumps(counts)}}}'
    return event(data, newline="\r\n")


def chat(calls: Sequence[Call], remark: str = "I look.", *, turn: int = 1) -> ToolStream:
    """Chat Completions: reasoning, a remark, then the arguments in pieces joined by their index."""

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return event({"id": "c1", "choices": [{"delta": delta, "finish_reason": finish}]})

    thoughts = [{"type": "reasoning.encrypted", "data": f"cmVk{turn}", "index": n} for n in (0, 1)]
    out = [chunk({"reasoning_content": piece, "reasoning": piece}) for piece in ("h", "m")]
    out += [chunk({"reasoning_details": [thought], "reasoning": None}) for thought in thoughts]
    out += [chunk({"role": "assistant", "content": piece}) for piece in split(remark, 2)]
    signed = {"extra_content": {"google": {"thought_signature": f"c2lnb{turn}"}}}
    for number, call in enumerate(calls):
        head = {"index": number, "id": f"call_{turn}{number}", "type": "function"} | signed
        out.append(chunk({"tool_calls": [{**head, "function": {"name": call.name}}]}))
        for piece in split(call.arguments_json, 3):
            more = {"index": number, "function": {"arguments": piece}}
            out.append(chunk({"tool_calls": [more]}))
    counts = {"prompt_tokens": USAGE["input"], "completion_tokens": USAGE["output"]}
    out += [chunk({}, "tool_calls"), event({"choices": [], "usage": counts}), event("[DONE]")]
    sent_on = {"reasoning_content": "hm", "reasoning": "hm", "reasoning_details": thoughts}
    beside, sign = (json.dumps(fields, separators=(",", ":"))[1:-1] for fields in (sent_on, signed))
    echoed = [beside, *(text for call in calls for text in (json.dumps(call.arguments_json), sign))]
    return ToolStream(out, echoed)


ALL: dict[str, Callable[..., ToolStream]] = {
    "responses": responses,
    "chat": chat,
    "messages": messages,
    "gemini": gemini,
}
