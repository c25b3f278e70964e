"""JSON text exactly as a vendor wrote it: parsing and writing it again could change it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SPACE = re.compile(r"[ \t\n\r]*")
_decode = json.JSONDecoder().raw_decode


class RawJson(str):
    """JSON text that is sent unchanged."""

    __slots__ = ()


def encode(body: Mapping[str, Any]) -> bytes:
    """Encode BODY as ASCII JSON, so that a lone surrogate is not an error; RawJson is UTF-8."""
    return dump_json(body).encode("utf-8", "backslashreplace")


def dump_json(value: Any) -> str:
    """Write VALUE as JSON, RawJson in it unchanged."""
    if isinstance(value, RawJson):
        return value
    if isinstance(value, dict):
        return f"{{{','.join(f'{json.dumps(k)}:{dump_json(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(dump_json, value))}]"
    return json.dumps(value)


def find_member(text: str, *names: str) -> str:
    """Return the value under NAMES, nested in this order, in the object TEXT; else "null"."""
    for name in names:
        members = {key: text[start:end] for key, start, end in _iterate_spans(text)}
        text = members.get(name, "null")
    return text


def list_elements(text: str) -> list[str]:
    """List the elements of the array TEXT, none when it is not an array."""
    if not text[_skip_space(text, 0) :].startswith("["):
        return []
    return [text[start:end] for _, start, end in _iterate_spans(text)]


def replace_members(text: str, values: Mapping[str, str]) -> str:
    """Set members of the object TEXT to VALUES, JSON by name; new ones are appended."""
    parts, index, new, comma = [], 0, dict(values), ""
    for name, start, end in _iterate_spans(text):
        comma = ","
        if name in values:
            parts += [text[index:start], values[name]]
            index = end
            new.pop(name, None)
    close = text.rindex("}")
    members = ",".join(f"{json.dumps(name)}:{value}" for name, value in new.items())
    return "".join([*parts, text[index:close], comma if new else "", members, text[close:]])


def _iterate_spans(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, start and end of each member of an object or array; TEXT is valid JSON."""
    index = _skip_space(text, 0)
    if text[index] not in "{[":
        return
    has_names, index = text[index] == "{", _skip_space(text, index + 1)
    while text[index] not in "}]":
        name = ""
        if has_names:
            name, index = _decode(text, index)
            index = _skip_space(text, _skip_space(text, index) + 1)
        _, end = _decode(text, index)
        yield name, index, end
        index = _skip_space(text, end)
        if text[index] == ",":
            index = _skip_space(text, index + 1)


def _skip_space(text: str, index: int) -> int:
    """Return the index of the next character that is not white space."""
    match = _SPACE.match(text, index)
    return match.end() if match else index
