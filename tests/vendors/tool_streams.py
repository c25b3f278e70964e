"""The vendors' streams of answers that call tools, their output spelled in ways worth keeping.

Each function gives the events of one answer, and the JSON texts that must come back as they are.
"""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from vendors.streams import USAGE, cut, event

# Blanks, escapes, numbers and names that parsing and writing again would change.
ODD = '"odd" : {"n": 1.50e+1, "big": 12345678901234567890.5, "text": "\\u00fc/ü\\/"}'

UMLAUTS = "ü\\ud83d\\ude00\\/"  # a character as it is, one as two escapes, and a needless one


class Call(NamedTuple):
    """One call of a tool."""

    name: str
    arguments: dict[str, Any]
    text: str | None = None  # the arguments as the model writes them, when they are no object

    @property
    def written(self) -> str:
        """The arguments as these vendors write them here."""
        if self.text is not None:
            return self.text
        return json.dumps(self.arguments, ensure_ascii=False, separators=(" , ", ": "))


class Begun(NamedTuple):
    """A block of one of Anthropic's messages as it begins, as it goes back, and what comes between."""

    begun: str
    whole: str
    deltas: Sequence[str] = ()


class Calling(NamedTuple):
    """The events of an answer, and what of it must be echoed."""

    events: list[bytes]
    echoed: list[str]


def responses(calls: Sequence[Call], remark: str = "I look.", *, turn: int = 1) -> Calling:
    """OpenAI's Responses: encrypted reasoning, a remark, then each call; all items done in turn."""
    reasoning = f'"encrypted_content": "gAAA{turn}", {ODD}'
    said = f'[{{"type":"output_text","text":{json.dumps(remark)},"annotations":[ ]}}]'
    head = f'"id":"msg_{turn}","type":"message","status":"completed","role":"assistant"'
    items = [
        f'{{"id": "rs_{turn}", "type": "reasoning", "summary": [], {reasoning}}}',
        f'{{{head},"phase":"commentary","content":{said}}}',
    ]
    items += [
        f'{{"type":"function_call", "id":"fc_{turn}{n}", "call_id":"call_{turn}{n}", '
        f'"name":{json.dumps(call.name)}, "arguments":{json.dumps(call.written)}}}'
        for n, call in enumerate(calls)
    ]
    shell = '"id":"resp_1","object":"response"'
    out = [_named("response.created", f'"response":{{{shell},"status":"in_progress","output":[]}}')]
    for place, item in enumerate(items):
        kind, text = "output_text", remark if place == 1 else ""
        if place > 1:
            kind, text = "function_call_arguments", calls[place - 2].written
        out += _item(place, item, kind, text)
    usage = {
        "input_tokens": USAGE["input"],
        "input_tokens_details": {"cached_tokens": USAGE["cached"]},
        "output_tokens": USAGE["output"],
        "output_tokens_details": {"reasoning_tokens": USAGE["reasoning"]},
    }
    whole = f'"status":"completed","output":[{",".join(items)}],"usage":{json.dumps(usage)}'
    return Calling([*out, _named("response.completed", f'"response":{{{shell},{whole}}}')], items)


def _item(place: int, item: str, kind: str, text: str) -> list[bytes]:
    """The events of one output item: begun without what only a done item has, TEXT in pieces."""
    begun = {
        name: "" if name in {"encrypted_content", "arguments"} else value
        for name, value in json.loads(item).items()
    }
    at = f'"output_index":{place}'
    pieces = cut(text, 4) if text else []
    return [
        _named("response.output_item.added", f'{at},"item":{json.dumps(begun)}'),
        *(_named(f"response.{kind}.delta", f'{at},"delta":{json.dumps(one)}') for one in pieces),
        _named("response.output_item.done", f'{at}, "item": {item} '),
    ]


def _named(kind: str, fields: str) -> bytes:
    return event(f'{{"type":"{kind}",{fields}}}', kind)


def messages(
    calls: Sequence[Call], remark: str = "I look.", *, turn: int = 1, reason: str = "tool_use"
) -> Calling:
    """Anthropic's Messages: thinking with a signature, redacted thinking, a remark, each call."""
    signature = f"c2lnb{turn}=="
    spoken = [json.dumps(piece)[1:-1] for piece in cut(remark, 3) if piece]
    redacted = f'{{"type": "redacted_thinking", "data": "cmVk{turn}", {ODD}}}'
    blocks = [
        Begun(_thought("", ""), _thought(f"hm, {UMLAUTS}", signature), _thoughts(signature)),
        Begun(redacted, redacted),
        Begun(_said(""), _said("".join(spoken)), [_delta("text", one) for one in spoken]),
    ]
    for number, call in enumerate(calls):
        head = f'"type" :"tool_use","id":"toolu_{turn}{number}","name":{json.dumps(call.name)}'
        whole = call.written if call.arguments or call.text else "{}"
        pieces = ["", *cut(whole, 4)] if whole != "{}" else [""]
        deltas = [_delta("input_json", json.dumps(one)[1:-1]) for one in pieces]
        begun, full = (f'{{{head},"input": {given}, {ODD}}}' for given in ("{}", whole))
        blocks.append(Begun(begun, full, deltas))
    echoed = [one.whole for one in blocks if one.whole != _said("")]
    out = [_begun()]
    for index, block in enumerate(blocks):
        out += _block(index, block, stops=index < 3 or reason == "tool_use")
    usage = {
        "output_tokens": USAGE["output"],
        "output_tokens_details": {"thinking_tokens": USAGE["reasoning"]},
    }
    end = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}
    out += [event(end, "message_delta"), event({"type": "message_stop"}, "message_stop")]
    return Calling(out, echoed)


def _begun() -> bytes:
    fresh = USAGE["input"] - USAGE["cached"]
    counts = {"input_tokens": fresh, "cache_read_input_tokens": USAGE["cached"], "output_tokens": 1}
    start = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "usage": counts}
    return event({"type": "message_start", "message": start}, "message_start")


def _thought(text: str, signature: str) -> str:
    return f'{{"type": "thinking","thinking":"{text}" , "signature" :"{signature}", {ODD}}}'


def _thoughts(signature: str) -> list[str]:
    pieces = ["hm", f", {UMLAUTS[:7]}", UMLAUTS[7:]]
    return [*(_delta("thinking", one) for one in pieces), _delta("signature", signature)]


def _said(text: str) -> str:
    return f'{{"type":"text","text": "{text}", {ODD}}}'


def _delta(kind: str, text: str) -> str:
    name = {"input_json": "partial_json"}.get(kind, kind)
    return f'{{"type":"{kind}_delta","{name}" : "{text}"}}'


def _block(index: int, block: Begun, *, stops: bool) -> Iterator[bytes]:
    kind = "content_block_start"
    yield event(f'{{"type":"{kind}","index":{index},"content_block":{block.begun}}}', kind)
    kind = "content_block_delta"
    for delta in block.deltas:
        yield event(f'{{"type":"{kind}","index":{index},"delta":{delta}}}', kind, padding="  ")
    if stops:
        yield event({"type": "content_block_stop", "index": index}, "content_block_stop")


def gemini(
    calls: Sequence[Call], remark: str = "I look.", *, turn: int = 1, ids: bool = False
) -> Calling:
    """Gemini's: a thought, the remark in pieces, calls with a signature on the first and the end."""
    parts = ['{"text":"hm" , "thought": true}']
    parts += [f'{{ "text" : {json.dumps(piece)} }}' for piece in cut(remark, 2) if piece]
    for number, call in enumerate(calls):
        named = f'"id": "fn_{turn}{number}", ' if ids else ""
        signature = f', "thoughtSignature":"{_signature("first", turn)}"' if not number else ""
        parts.append(
            f'{{"functionCall": {{{named}"name": {json.dumps(call.name)}, '
            f'"args": {call.written}}}{signature}, {ODD}}}'
        )
    parts.append(f'{{"text":"", "thoughtSignature" :"{_signature("last", turn)}"}}')
    chunks = [*parts[:-2], f"{parts[-2]} , {parts[-1]}"]
    out = [_chunk(f'"content":{{"role":"model","parts":[ {chunk} ]}}') for chunk in chunks]
    out.append(
        _chunk('"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP"')
    )  # nothing in it, and nothing to send back
    return Calling(out, parts)


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


def chat(calls: Sequence[Call], remark: str = "I look.", *, turn: int = 1) -> Calling:
    """Chat Completions: thoughts, then the calls' arguments in pieces, joined by their index."""

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return event({"id": "c1", "choices": [{"delta": delta, "finish_reason": finish}]})

    thoughts = [{"type": "reasoning.encrypted", "data": f"cmVk{turn}", "index": n} for n in (0, 1)]
    out = [chunk({"reasoning_content": piece, "reasoning": piece}) for piece in ("h", "m")]
    out += [chunk({"reasoning_details": [one], "reasoning": None}) for one in thoughts]
    out += [chunk({"role": "assistant", "content": piece}) for piece in cut(remark, 2)]
    signed = {"extra_content": {"google": {"thought_signature": f"c2lnb{turn}"}}}
    for number, call in enumerate(calls):
        head = {"index": number, "id": f"call_{turn}{number}", "type": "function"} | signed
        out.append(chunk({"tool_calls": [{**head, "function": {"name": call.name}}]}))
        for piece in cut(call.written, 3):
            more = {"index": number, "function": {"arguments": piece}}
            out.append(chunk({"tool_calls": [more]}))
    counts = {"prompt_tokens": USAGE["input"], "completion_tokens": USAGE["output"]}
    out += [chunk({}, "tool_calls"), event({"choices": [], "usage": counts}), event("[DONE]")]
    sent_on = {"reasoning_content": "hm", "reasoning": "hm", "reasoning_details": thoughts}
    beside, sign = (json.dumps(one, separators=(",", ":"))[1:-1] for one in (sent_on, signed))
    echoed = [beside, *(text for call in calls for text in (json.dumps(call.written), sign))]
    return Calling(out, echoed)


ALL: dict[str, Callable[..., Calling]] = {
    "responses": responses,
    "chat": chat,
    "messages": messages,
    "gemini": gemini,
}
