"""The chunked coding of HTTP bodies.

h11 reads it too, but one chunk at a time through its whole state machine. A model's stream is
hundreds of tiny chunks, and half of what they cost went there.
"""

from __future__ import annotations

import re

MAX_LINE = 8 * 1024  # bytes of a chunk's head, with extensions, or of one trailer
MAX_TRAILERS = 64 * 1024  # bytes of all trailers
HEAD = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?")


class ChunkedError(ValueError):
    """The bytes are not in the chunked coding."""


class ChunkedReader:
    """Takes bytes as they come and gives the body's bytes in them, until it has `ended`."""

    def __init__(self) -> None:
        self.ended = False
        self.rest = b""  # what came after the end
        self._held = b""  # the beginning of a line
        self._left = 0  # bytes of the current chunk that are still to come
        self._after_chunk = False  # a bare line end is due
        self._in_trailers = False
        self._trailer_bytes = 0
        self._error: ChunkedError | None = None

    def feed(self, data: bytes) -> bytes:
        """Take DATA; give the part of the body it holds.

        Raises ChunkedError, when part of the body came before the error with the next call.
        """
        if self._error is not None:
            raise self._error
        if self.ended:
            self.rest += data
            return b""
        data = self._held + data if self._held else data
        self._held = b""
        pieces: list[bytes] = []
        try:
            self.rest = self._read(data, pieces)
        except ChunkedError as error:
            if not pieces:
                raise
            self._error = error
        return b"".join(pieces)

    def _read(self, data: bytes, pieces: list[bytes]) -> bytes:
        """Add to PIECES what DATA holds of the body; give what follows its end."""
        position, size = 0, len(data)
        while position < size and not self.ended:
            if self._left:
                piece = data[position : position + self._left]
                pieces.append(piece)
                position += len(piece)
                self._left -= len(piece)
                continue
            end = data.find(b"\r\n", position)
            if end < 0:
                self._hold(data[position:])
                position = size
            else:
                self._line(data[position:end])
                position = end + 2
        return data[position:]

    def _hold(self, part: bytes) -> None:
        if len(part) > MAX_LINE or (self._after_chunk and part != b"\r"):
            raise ChunkedError("no line end where one is due")
        self._held = part

    def _line(self, line: bytes) -> None:
        if self._after_chunk:
            if line:
                raise ChunkedError("a chunk is longer than it says")
            self._after_chunk = False
        elif self._in_trailers:
            self._trailer(line)
        else:
            head = HEAD.fullmatch(line)
            if head is None or len(line) > MAX_LINE:
                raise ChunkedError("a chunk does not say its size")
            self._left = int(head[1], 16)
            self._in_trailers = self._left == 0
            self._after_chunk = not self._in_trailers

    def _trailer(self, line: bytes) -> None:
        self._trailer_bytes += len(line)
        if self._trailer_bytes > MAX_TRAILERS:
            raise ChunkedError("the trailers have no end")
        self.ended = not line
