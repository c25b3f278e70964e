"""The tools of a model to explore the repository, and their results."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from dursor.agent.exploration.files import ToolCallError, count_bytes
from dursor.agent.exploration.search import FileSearch, SearchQuery
from dursor.context.selection.render import quote_map
from dursor.context.selection.repo_map import render_map
from dursor.context.text.measure import split_lines
from dursor.providers.base import Tool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.agent.exploration.files import RepositoryFiles
    from dursor.agent.exploration.search import SearchResult

MAX_RESULT = 24_000  # bytes
MAX_LINE = 300  # characters of a matching line

_LONE_SURROGATE = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # those that encode no byte

_PATH = {"type": "string", "description": "A path from the top of the repository."}


def _make_schema(required: list[str], **properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


TOOLS = (
    Tool(
        "list_files",
        "List the files of the repository or of a folder.",
        _make_schema([], path={**_PATH, "description": "A folder. Default: all files."}),
    ),
    Tool(
        "read_file",
        "Read a file of the repository, or a range of its lines. Lines count from 1.",
        _make_schema(
            ["path"],
            path=_PATH,
            first_line={"type": "integer", "description": "Default: 1."},
            last_line={"type": "integer", "description": "Default: the last line."},
        ),
    ),
    Tool(
        "search",
        "Find the lines in the repository that contain a text or match a regular expression.",
        _make_schema(
            ["text"],
            text={"type": "string", "description": "The text to find."},
            regex={"type": "boolean", "description": "TEXT is a Python regular expression."},
            ignore_case={"type": "boolean", "description": "Ignore case."},
            path={**_PATH, "description": "Search only this file or folder."},
        ),
    ),
)


class Toolbox:
    """Carries out tool calls on one tree, for all runs of a round."""

    def __init__(self, files: RepositoryFiles) -> None:
        self._files = files
        self._search = FileSearch(files)

    async def call(self, name: str, arguments: Mapping[str, Any] | None, limit: int) -> str:
        """Return the result of a call in at most LIMIT bytes, or raise ToolCallError."""
        given = _Arguments(arguments)
        limit = min(limit, MAX_RESULT)
        if name == "list_files":
            return await asyncio.to_thread(self._list, given.get_text("path", ""), limit)
        if name == "read_file":
            lines = (given.get_number("first_line"), given.get_number("last_line"))
            return await asyncio.to_thread(self._read, given.get_text("path"), lines, limit)
        if name == "search":
            path = given.get_text("path", "")
            folder = await asyncio.to_thread(self._files.resolve_folder, path)
            flags = (given.get_flag("regex"), given.get_flag("ignore_case"))
            query = SearchQuery(given.get_text("text"), folder, *flags)
            return self._render_hits(await self._search.find(query), limit)
        known = ", ".join(tool.name for tool in TOOLS)
        raise ToolCallError(f"tool {name[:50]!r} does not exist; the tools are {known}")

    def _list(self, path: str, limit: int) -> str:
        folder = self._files.resolve_folder(path)
        paths = self._files.list_paths(folder)
        count = "1 file" if len(paths) == 1 else f"{len(paths)} files"
        head = f"{count}{f' in {self._files.show_path(folder)}' if folder else ''}:\n"
        room = limit - count_bytes(head)
        names = quote_map(render_map(paths, room))
        if len(names.encode()) > room:  # an escaped byte takes four
            names = quote_map(render_map(paths, room // 4))
        return head + self._files.mask_names(names)

    def _read(self, path: str, wanted: tuple[int | None, int | None], limit: int) -> str:
        path, text = self._files.read(path)
        name, lines = self._files.show_path(path), split_lines(text)
        first, last = _clip_range(*wanted, len(lines), name)
        shown, room = [], limit - 200  # for the head and the note
        for line in lines[first - 1 : last]:
            room -= count_bytes(line)
            if room < 0:
                break
            shown.append(line)
        end = first - 1 + len(shown)
        result = f"{name}, lines {first}-{end} of {len(lines)}:\n{''.join(shown)}"
        if end < last and count_bytes(lines[end]) > MAX_RESULT // 2:
            return f"{result}[line {end + 1} is too long to show]"
        if end < last:
            return f"{result}[truncated: continue with lines {end + 1}-{last}]"
        if end == len(lines) and not text.endswith("\n"):
            return f"{result}\n[no newline at the end]"
        return result

    def _render_hits(self, result: SearchResult, limit: int) -> str:
        """Return as many hits as fit, grouped by path."""
        notes = [f"[{note}]" for note in result.notes]
        lines: list[str] = []
        room, path = limit - 500, None
        for hit in result.hits:
            text = hit.text.rstrip("\r\n")
            text = text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]}... [truncated]"
            new = [f"{hit.line}: {text}"]
            if hit.path != path:
                new.insert(0, self._files.show_path(hit.path))
            room -= sum(count_bytes(line) + 1 for line in new)
            if room < 0:
                notes.append("[more lines match than fit: use a more specific text, or a folder]")
                break
            lines += new
            path = hit.path
        return "\n".join([*lines, *notes]) or "no line matches"


class _Arguments:
    """The arguments of a call, which a model can get wrong in any way."""

    def __init__(self, given: Mapping[str, Any] | None) -> None:
        if given is None:
            raise ToolCallError("the arguments are not a valid JSON object")
        self._given = given

    def get_text(self, name: str, default: str | None = None) -> str:
        value = self._given.get(name)
        value = default if value is None else value
        if not isinstance(value, str):
            raise ToolCallError(f"{name} must be a string")
        return _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)

    def get_number(self, name: str) -> int | None:
        value = self._given.get(name)
        if value is None or type(value) is int:
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        raise ToolCallError(f"{name} must be an integer")

    def get_flag(self, name: str) -> bool:
        value = self._given.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise ToolCallError(f"{name} must be true or false")


def _clip_range(first: int | None, last: int | None, count: int, path: str) -> tuple[int, int]:
    """Return the lines from FIRST to LAST of a file of COUNT lines; an empty file has none."""
    first = max(1, first or 1)
    last = count if last is None else min(last, count)
    if count and (first > count or last < first):
        raise ToolCallError(f"{path} has lines 1-{count}")
    return first, last
