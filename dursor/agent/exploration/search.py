"""Search in the files of a round, safe against slow patterns and guesses at secrets."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from dursor.agent.exploration.files import ToolCallError
from dursor.agent.exploration.regex_search import match_lines
from dursor.context.text.measure import split_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dursor.agent.exploration.files import RepositoryFiles

SECONDS = 5.0
MAX_PATTERN = 1_000  # characters
MAX_BYTES = 64 * 1024 * 1024  # of files in one search
MAX_LINES = 100  # shown
MAX_MATCHES = 5_000  # checked for secrets
CONCURRENCY = 2


class SearchQuery(NamedTuple):
    """A text or regular expression, and the folder to search."""

    text: str
    folder: str = ""
    regex: bool = False
    ignore_case: bool = False


class SearchHit(NamedTuple):
    """A matching line, without secrets."""

    path: str
    line: int
    text: str


class SearchResult(NamedTuple):
    """Hits in the order of their paths, and notes if they are incomplete."""

    hits: Sequence[SearchHit]
    notes: Sequence[str]


class FileSearch:
    """Searches one tree, for all runs of a round."""

    def __init__(self, files: RepositoryFiles, seconds: float = SECONDS) -> None:
        self._files = files
        self._seconds = seconds
        self._gate = asyncio.Semaphore(CONCURRENCY)

    async def find(self, query: SearchQuery) -> SearchResult:
        """Find the first lines that match QUERY; ToolCallError if it is invalid."""
        if not query.text or "\n" in query.text or len(query.text) > MAX_PATTERN:
            raise ToolCallError(f"text must be one line of 1 to {MAX_PATTERN} characters")
        async with self._gate:
            contents, notes = await asyncio.to_thread(self._read, query.folder)
            if query.regex:
                hits = await self._match_regex(query, contents, notes)
            else:
                hits = (self._match_text(query, path, data) for path, data in contents)
            return await asyncio.to_thread(self._collect, hits, notes)

    def _read(self, folder: str) -> tuple[list[tuple[str, bytes]], list[str]]:
        """Read files, until they are too many or it takes too long."""
        end, room = time.monotonic() + self._seconds, MAX_BYTES
        contents: list[tuple[str, bytes]] = []
        for path, data in self._files.read_all(folder):
            room -= len(data)
            if room < 0 or time.monotonic() > end:
                return contents, [
                    f"only the first {len(contents)} files were searched: use a folder"
                ]
            contents.append((path, data))
        return contents, []

    def _match_text(self, query: SearchQuery, path: str, data: bytes) -> Iterator[SearchHit]:
        def fold(text: str) -> str:
            return text.casefold() if query.ignore_case else text

        wanted = fold(query.text)
        if query.ignore_case:
            contains = wanted in fold(data.decode("utf-8", "replace"))
        else:
            contains = wanted.encode("utf-8", "surrogatepass") in data
        if contains:
            for number, line in enumerate(split_lines(self._files.mask(path, data)), 1):
                if wanted in fold(line):
                    yield SearchHit(path, number, line)

    def _collect(
        self, batches: Iterable[Iterable[SearchHit]], notes: Sequence[str]
    ) -> SearchResult:
        """Collect the hits of files until they are enough or it takes too long."""
        hits: list[SearchHit] = []
        end = time.monotonic() + self._seconds
        for batch in batches:
            hits += batch
            if len(hits) > MAX_LINES:
                note = "more lines match: use a more specific text, or a folder"
                return SearchResult(hits[:MAX_LINES], [*notes, note])
            if time.monotonic() > end:
                note = f"stopped after {self._seconds:g} s: use a folder"
                return SearchResult(hits, [*notes, note])
        return SearchResult(hits, notes)

    async def _match_regex(
        self, query: SearchQuery, contents: Sequence[tuple[str, bytes]], notes: list[str]
    ) -> Iterable[Iterable[SearchHit]]:
        matches = await match_lines(
            query.text,
            [data for _, data in contents],
            ignore_case=query.ignore_case,
            limit=MAX_MATCHES,
            seconds=self._seconds,
        )
        if matches.error is not None:
            raise ToolCallError(f"invalid regular expression: {matches.error}")
        if not matches.complete:
            notes.append(f"stopped after {self._seconds:g} s: the pattern is too slow")
        return (self._list_clean(*contents[n], lines) for n, lines in matches.lines.items())

    def _list_clean(self, path: str, data: bytes, numbers: Sequence[int]) -> Iterator[SearchHit]:
        """Yield the lines at NUMBERS, but none with a secret, which patterns could guess."""
        raw = split_lines(data.decode("utf-8", "replace"))
        masked = split_lines(self._files.mask(path, data))
        for number in numbers:
            if number <= len(raw) and raw[number - 1] == masked[number - 1]:
                yield SearchHit(path, number, raw[number - 1])
