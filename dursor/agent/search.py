"""Searching the files of a round, so that no pattern can hold up the process or find a secret."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from dursor.agent.files import ToolCallError
from dursor.agent.regex_search import match_lines
from dursor.context.text.measure import split_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dursor.agent.files import RepositoryFiles

SECONDS = 5.0
MAX_PATTERN = 1_000  # characters
MAX_BYTES = 64 * 1024 * 1024  # of files that one search looks at
MAX_LINES = 100  # shown
MAX_MATCHES = 5_000  # looked at
AT_ONCE = 2  # regular expressions under way


class SearchQuery(NamedTuple):
    """What is looked for, and below which folder."""

    text: str
    folder: str = ""
    regex: bool = False
    ignore_case: bool = False


class SearchHit(NamedTuple):
    """A line that matches, as it may be shown."""

    path: str
    line: int
    text: str


class SearchResult(NamedTuple):
    """Hits in the order of their paths, and what kept the search from being whole."""

    hits: Sequence[SearchHit]
    notes: Sequence[str]


class FileSearch:
    """Searches one tree; the runs of a round share it."""

    def __init__(self, files: RepositoryFiles, seconds: float = SECONDS) -> None:
        self._files = files
        self._seconds = seconds
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def find(self, query: SearchQuery) -> SearchResult:
        """Find the first lines that match QUERY; ToolCallError for a query that is none."""
        if not query.text or "\n" in query.text or len(query.text) > MAX_PATTERN:
            raise ToolCallError(f"a search takes one line of 1 to {MAX_PATTERN} characters")
        async with self._gate:
            contents, notes = await asyncio.to_thread(self._contents, query.folder)
            if not query.regex:
                return await asyncio.to_thread(self._literal, query, contents, notes)
            return await self._regex(query, contents, notes)

    def _contents(self, folder: str) -> tuple[list[tuple[str, bytes]], list[str]]:
        """Read files as they are, until there are too many or it takes too long."""
        end, room = time.monotonic() + self._seconds, MAX_BYTES
        contents: list[tuple[str, bytes]] = []
        for path, data in self._files.contents(folder):
            room -= len(data)
            if room < 0 or time.monotonic() > end:
                count = len(contents)
                return contents, [f"only the first {count} files were searched: name a folder"]
            contents.append((path, data))
        return contents, []

    def _literal(
        self, query: SearchQuery, contents: Sequence[tuple[str, bytes]], notes: list[str]
    ) -> SearchResult:
        return self._gathered((self._holding(query, path, data) for path, data in contents), notes)

    def _holding(self, query: SearchQuery, path: str, data: bytes) -> list[SearchHit]:
        """Find the lines of one file that hold the text."""

        def folded(text: str) -> str:
            return text.casefold() if query.ignore_case else text

        wanted = folded(query.text)
        if query.ignore_case:
            found = wanted in folded(data.decode("utf-8", "replace"))
        else:
            found = wanted.encode("utf-8", "surrogatepass") in data
        lines = (
            split_lines(self._files.masked(path, data)) if found else []
        )  # secrets are not found
        return [
            SearchHit(path, n, line) for n, line in enumerate(lines, 1) if wanted in folded(line)
        ]

    def _gathered(self, found: Iterable[Iterable[SearchHit]], notes: list[str]) -> SearchResult:
        """Put the hits of files together until there are enough or it takes too long."""
        hits: list[SearchHit] = []
        end = time.monotonic() + self._seconds
        for some in found:
            hits += some
            if len(hits) > MAX_LINES:
                return SearchResult(
                    hits[:MAX_LINES],
                    [*notes, "more lines match: ask for something rarer, or name a folder"],
                )
            if time.monotonic() > end:
                return SearchResult(
                    hits, [*notes, f"stopped after {self._seconds:g} s: name a folder"]
                )
        return SearchResult(hits, notes)

    async def _regex(
        self, query: SearchQuery, contents: Sequence[tuple[str, bytes]], notes: list[str]
    ) -> SearchResult:
        texts = [data for _, data in contents]
        found = await match_lines(
            query.text,
            texts,
            ignore_case=query.ignore_case,
            most=MAX_MATCHES,
            seconds=self._seconds,
        )
        if found.error is not None:
            raise ToolCallError(f"this is no regular expression: {found.error}")
        if not found.whole:
            notes.append(f"stopped after {self._seconds:g} s: the pattern takes too long")
        pairs = [(contents[index], numbers) for index, numbers in found.lines.items()]
        shown = (self._unaltered(path, data, numbers) for (path, data), numbers in pairs)
        return await asyncio.to_thread(self._gathered, shown, notes)

    def _unaltered(self, path: str, data: bytes, numbers: Sequence[int]) -> Iterator[SearchHit]:
        """Yield the lines at NUMBERS, save those with a secret: a pattern could feel its way in."""
        raw = split_lines(data.decode("utf-8", "replace"))
        masked = split_lines(self._files.masked(path, data))
        for number in numbers:
            if number <= len(raw) and raw[number - 1] == masked[number - 1]:
                yield SearchHit(path, number, raw[number - 1])
