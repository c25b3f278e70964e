"""Edits as the arguments of tool calls: one table of names for JSON and XML-like tags."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from dursor.patch.edits import Action, FileEdit, Hunk, Line
from dursor.patch.formats.blocks import build_block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PATHS = ("path", "file", "file_path", "filepath", "filename", "target_file", "relative_path")
TEXTS = ("content", "contents", "file_text", "new_content")
PAIRS = {
    "old_str": "new_str",
    "old_string": "new_string",
    "old_text": "new_text",
    "old_code": "new_code",
    "original": "patched",
    "search": "replace",
    "find": "replace",
    "before": "after",
    "old": "new",
}
_UNREADABLE = frozenset({"insert", "undo_edit", "delete"})  # commands without a text to find
_EXTRAS = frozenset({"command", "description", "explanation", "instruction", "type", "id", "name"})
_IS_CALL = re.compile(rf'"(?:{"|".join(key for key in PAIRS if "_" in key)}|file_text)"\s*:')
_PATCH = re.compile(r"\*\*\* (?:Begin Patch|Update File)|(?:\A|\n)(?:diff --git |--- \S+\n\+\+\+ )")
_DECODER = json.JSONDecoder(strict=False)
_MAX_DEPTH = 12


def is_call(text: str) -> bool:
    """Return whether TEXT, which may be broken, looks like the JSON of an edit."""
    return bool(_IS_CALL.search(text))


def decode_calls(text: str, start: int) -> tuple[list[FileEdit | str], int] | None:
    """Decode the JSON at START of TEXT; return its edits and patch texts, and its end.

    None when it is not valid.
    """
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return list(_list_edits(value, "")), end


def _list_edits(value: object, path: str, depth: int = 0) -> Iterator[FileEdit | str]:
    """Yield the edits and the texts of patches in VALUE; calls inside inherit PATH."""
    items: Iterable[object] = ()
    if isinstance(value, str) and _PATCH.search(value):
        yield value
    elif isinstance(value, str) and (calls := decode_calls(value, 0)):
        yield from calls[0]
    elif isinstance(value, list):
        items = value
    elif isinstance(value, dict):
        path = _get_text(value, PATHS) or path
        edit = _read_call(value, path) if path else None
        items = [] if edit else value.values()
        yield from [edit] if edit else []
    if depth < _MAX_DEPTH:
        for item in items:
            yield from _list_edits(item, path, depth + 1)


def _get_text(call: Mapping[str, object], names: Iterable[str]) -> str | None:
    values = (call[name] for name in names if name in call)
    return next((value for value in values if isinstance(value, str)), None)


def _read_call(call: Mapping[str, object], path: str) -> FileEdit | None:
    for name, other in PAIRS.items():
        old, new = call.get(name), call.get(other)
        if isinstance(old, str) and isinstance(new, str):
            return build_replacement(path, old, new)
    text = _get_text(call, TEXTS)
    if text is not None and call.keys() <= {*PATHS, *TEXTS, *_EXTRAS}:
        return FileEdit(Action.WRITE, path, lines=tuple(_split(text)))
    if "insert_line" in call or call.get("command") in _UNREADABLE:
        reason = "this call does not show the text that it changes: replace that text instead"
        return FileEdit(Action.MODIFY, path, fault=reason)
    return None


def build_replacement(path: str, old: str, new: str) -> FileEdit:
    """Return the edit that replaces the text OLD by NEW, or adds a file when there is no OLD."""
    source = f"{old}\n=======\n{new}"
    if not old.strip():
        lines = tuple(Line("+", line) for line in _split(new))
        return FileEdit(Action.ADD, path, hunks=(Hunk(lines, source),))
    if joins_lines(old, new):
        reason = "the old text ends with a line break and the new text does not"
        return FileEdit(Action.MODIFY, path, fault=reason)
    lines_of_new = _split(new) if old.endswith("\n") or not new else new.split("\n")
    hunk = build_block(_split(old), lines_of_new, source.split("\n"))
    return FileEdit(Action.MODIFY, path, hunks=(hunk,))


def joins_lines(old: str, new: str) -> bool:
    """Return whether the line below OLD would become a part of the last line of NEW."""
    return old.endswith("\n") and bool(new) and not new.endswith("\n")


def _split(text: str) -> list[str]:
    """Split TEXT into lines; a line break at its end begins no further one."""
    lines = text.replace("\r\n", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]
