"""Parts of a JSON text as they are written there: what parsing and writing again could change."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BLANK = re.compile(r"[ \t\n\r]*")
_decode = json.JSONDecoder().raw_decode


def member(text: str, *names: str) -> str:
    """Find the value under NAMES, one inside the other, in the object TEXT; else "null"."""
    for name in names:
        found = {known: text[start:end] for known, start, end in _parts(text)}
        text = found.get(name, "null")
    return text


def elements(text: str) -> list[str]:
    """List what the array TEXT holds; nothing when it is no array."""
    if not text[_skip(text, 0) :].startswith("["):
        return []
    return [text[start:end] for _, start, end in _parts(text)]


def replaced(text: str, values: Mapping[str, str]) -> str:
    """Put VALUES, JSON by name, into the object TEXT: for what is there, or else at its end."""
    kept, at, new, comma = [], 0, dict(values), ""
    for name, start, end in _parts(text):
        comma = ","
        if name in values:
            kept += [text[at:start], values[name]]
            at = end
            new.pop(name, None)
    close = text.rindex("}")
    parts = [f"{json.dumps(name)}:{value}" for name, value in new.items()]
    added = comma + ",".join(parts) if parts else ""
    return "".join([*kept, text[at:close], added, text[close:]])


def _parts(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield names and places of what an object or array holds; TEXT is known to be valid."""
    at = _skip(text, 0)
    if text[at] not in "{[":
        return
    named, at = text[at] == "{", _skip(text, at + 1)
    while text[at] not in "}]":
        name = ""
        if named:
            name, at = _decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        _, end = _decode(text, at)
        yield name, at, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    """Find the next character that is no blank."""
    found = _BLANK.match(text, at)
    return found.end() if found else at
