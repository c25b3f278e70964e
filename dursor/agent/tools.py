"""The tools a model may look around with, and what each call gives."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from dursor.agent.files import ToolCallError
from dursor.agent.search import FileSearch, SearchQuery
from dursor.context.selection.render import quote_map
from dursor.context.selection.repo_map import render_map
from dursor.context.text.measure import split_lines
from dursor.providers.base import Tool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.agent.files import RepositoryFiles
    from dursor.agent.search import SearchResult

MAX_RESULT = 24_000  # bytes
MAX_LINE = 300  # characters of a line that a search found

_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # surrogates that stand for no byte

_PATH = {"type": "string", "description": "A path from the top of the repository."}


def _object(required: list[str], **properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


TOOLS = (
    Tool(
        "list_files",
        "List the files of the repository, or of one folder of it.",
        _object([], path={**_PATH, "description": "A folder; without it, the whole repository."}),
    ),
    Tool(
        "read_file",
        "Read a file of the repository, or some lines of it. Lines count from 1.",
        _object(
            ["path"],
            path=_PATH,
            first_line={"type": "integer", "description": "Default: 1."},
            last_line={"type": "integer", "description": "Default: the last one."},
        ),
    ),
    Tool(
        "search",
        "Find the lines of the repository's files that hold a text or match a regular expression.",
        _object(
            ["text"],
            text={"type": "string", "description": "What a line must hold."},
            regex={"type": "boolean", "description": "TEXT is a Python regular expression."},
            ignore_case={"type": "boolean", "description": "Capitals do not matter."},
            path={**_PATH, "description": "Only this file, or the files below this folder."},
        ),
    ),
)


class Toolbox:
    """Carries out calls on the files of one tree; the runs of a round share it."""

    def __init__(self, files: RepositoryFiles) -> None:
        self._files = files
        self._search = FileSearch(files)

    async def use(self, name: str, arguments: Mapping[str, Any] | None, limit: int) -> str:
        """Do what a call asks, in at most LIMIT bytes; ToolCallError says why not, to the model."""
        given = _Arguments(arguments)
        limit = min(limit, MAX_RESULT)
        if name == "list_files":
            return await asyncio.to_thread(self._list, given.text("path", ""), limit)
        if name == "read_file":
            lines = _Lines(given.number("first_line"), given.number("last_line"))
            return await asyncio.to_thread(self._read, given.text("path"), lines, limit)
        if name == "search":
            folder = await asyncio.to_thread(self._files.folder, given.text("path", ""))
            flags = (given.flag("regex"), given.flag("ignore_case"))
            return self._told(
                await self._search.find(SearchQuery(given.text("text"), folder, *flags)), limit
            )
        known = ", ".join(tool.name for tool in TOOLS)
        raise ToolCallError(f"there is no tool {name[:50]!r}; there are {known}")

    def _list(self, asked: str, limit: int) -> str:
        folder = self._files.folder(asked)
        paths = self._files.paths(folder)
        count = "1 file" if len(paths) == 1 else f"{len(paths)} files"
        head = f"{count}{f' at {self._files.shown(folder)}' if folder else ''}:\n"
        room = limit - len(head.encode("utf-8", "replace"))
        names = quote_map(render_map(paths, room))
        if len(names.encode()) > room:  # a byte that is shown takes four
            names = quote_map(render_map(paths, room // 4))
        return head + self._files.hidden(names)

    def _read(self, asked: str, lines: _Lines, limit: int) -> str:
        path, text = self._files.text(asked)
        whole = split_lines(text)
        first, last = lines.within(len(whole), self._files.shown(path))
        shown, room = [], limit - 200  # for the head and the note
        for line in whole[first - 1 : last]:
            room -= len(line.encode("utf-8", "replace"))
            if room < 0:
                break
            shown.append(line)
        end = first - 1 + len(shown)
        head = f"{self._files.shown(path)}, lines {first}-{end} of {len(whole)}:\n"
        if end < last:
            return head + "".join(shown) + _unread(whole[end], end + 1, last)
        note = "" if text.endswith("\n") or end < len(whole) else "\n[no newline at the end]"
        return head + "".join(shown) + note

    def _told(self, found: SearchResult, limit: int) -> str:
        """The hits under their paths, as many as fit."""
        notes = [f"[{note}]" for note in found.notes]
        lines: list[str] = []
        room, path = limit - 500, None
        for hit in found.hits:
            text = hit.text.rstrip("\r\n")
            text = text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]}... [cut]"
            new = [f"{hit.line}: {text}"]
            if hit.path != path:
                new.insert(0, self._files.shown(hit.path))
            room -= sum(len(line.encode("utf-8", "replace")) + 1 for line in new)
            if room < 0:
                notes.append(
                    "[more lines match than fit: ask for something rarer, or name a folder]"
                )
                break
            lines += new
            path = hit.path
        return "\n".join([*lines, *notes]) if lines or notes else "no line matches"


class _Arguments:
    """The arguments of a call, as hostile as a model may make them."""

    def __init__(self, given: Mapping[str, Any] | None) -> None:
        if given is None:
            raise ToolCallError("the arguments are no valid JSON object: make the call again")
        self._given = given

    def text(self, name: str, default: str | None = None) -> str:
        value = self._given.get(name)
        value = default if value is None else value
        if not isinstance(value, str):
            raise ToolCallError(f"{name} must be a text")
        return _LONE.sub("\N{REPLACEMENT CHARACTER}", value)

    def number(self, name: str) -> int | None:
        value = self._given.get(name)
        if value is None or type(value) is int:
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        raise ToolCallError(f"{name} must be a whole number")

    def flag(self, name: str) -> bool:
        value = self._given.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise ToolCallError(f"{name} must be true or false")


class _Lines(NamedTuple):
    first: int | None
    last: int | None

    def within(self, count: int, path: str) -> tuple[int, int]:
        """The first and last line of a file of COUNT lines; an empty one has none."""
        first = max(1, self.first or 1)
        last = count if self.last is None else min(self.last, count)
        if count and (first > count or last < first):
            raise ToolCallError(f"{path} has lines 1-{count}")
        return first, last


def _unread(line: str, number: int, last: int) -> str:
    if len(line.encode("utf-8", "replace")) > MAX_RESULT // 2:
        return f"[line {number} is too long to show]"
    return f"[cut here: read on from line {number}, up to {last}]"
