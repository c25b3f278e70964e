"""Server-sent events from raw bytes, split at any point."""

from __future__ import annotations

from typing import NamedTuple

MAX_EVENT_BYTES = 16 * 1024 * 1024
BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event; `data` is its data lines joined by newlines."""

    name: str | None
    data: bytes


class EventTooLargeError(ValueError):
    """An event exceeds the reader's limit."""


class SseReader:
    r"""Splits a byte stream into events.

    Lines end at \n, \r\n or \r only: U+2028 and the like are data. Comments, fields other than
    `event` and `data`, and events without data are skipped.
    """

    def __init__(self, max_event: int = MAX_EVENT_BYTES) -> None:
        self._max_event = max_event
        self._partial: list[bytes] = []  # pieces of an unfinished line
        self._partial_size = 0
        self._data: list[bytes] = []
        self._data_size = 0
        self._name: str | None = None
        self._after_cr = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that CHUNK completes. Raises EventTooLargeError."""
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk.startswith(b"\n"):
                chunk = chunk[1:]
        if not chunk:
            return []
        events: list[Event] = []
        lines = chunk.splitlines()  # of bytes: splits at \n, \r\n and \r only
        unfinished = b"" if chunk.endswith((b"\n", b"\r")) else lines.pop()
        if lines and self._partial:
            lines[0] = self._take_partial() + lines[0]
        for line in lines:
            self._read_line(line, events)
        if unfinished:
            self._partial.append(unfinished)
            self._partial_size += len(unfinished)
            self._check_size()
        self._after_cr = chunk.endswith(b"\r")
        return events

    def close(self) -> list[Event]:
        """Return the last event at the end of the stream, even without its blank line."""
        events: list[Event] = []
        if self._partial:
            self._read_line(self._take_partial(), events)
        self._dispatch(events)
        return events

    def _take_partial(self) -> bytes:
        line = b"".join(self._partial)
        self._partial.clear()
        self._partial_size = 0
        return line

    def _read_line(self, line: bytes, events: list[Event]) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(BOM)
        if line.startswith(b"data:"):
            self._add_data(line[6:] if line.startswith(b"data: ") else line[5:])
        elif not line:
            self._dispatch(events)
        elif line.startswith(b"event:"):
            self._name = line[6:].decode("utf-8", "replace").strip() or None
        elif line == b"data":
            self._add_data(b"")

    def _add_data(self, value: bytes) -> None:
        self._data.append(value)
        self._data_size += len(value) + 1
        self._check_size()

    def _check_size(self) -> None:
        if self._data_size + self._partial_size > self._max_event:
            raise EventTooLargeError(f"an event of more than {self._max_event} bytes")

    def _dispatch(self, events: list[Event]) -> None:
        if self._data:
            data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
            events.append(Event(self._name, data))
            self._data.clear()
            self._data_size = 0
        self._name = None
