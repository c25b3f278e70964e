"""HTTP/1.1 over asyncio streams: as much of RFC 9112 as a small server on loopback needs."""

from __future__ import annotations

import re
from asyncio import IncompleteReadError, LimitOverrunError, StreamReader, StreamWriter
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_BODY = 64 * 1024 * 1024  # bytes


class HttpError(Exception):
    """A request that cannot be read; the connection is closed after the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class HttpRequest:
    """One request, its body whole; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    version: str

    @property
    def keeps_alive(self) -> bool:
        """Whether the client wants to send another request on this connection."""
        options = {o.strip().lower() for o in self.headers.get("connection", "").split(",")}
        if self.version == "HTTP/1.0":
            return "keep-alive" in options
        return "close" not in options


@dataclass(frozen=True)
class HttpResponse:
    """One response: a whole body, or the pieces of a stream in the order they are sent."""

    status: int
    body: bytes | Iterable[bytes]
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_stream(self) -> bool:
        return not isinstance(self.body, bytes)


async def read_request(reader: StreamReader, writer: StreamWriter) -> HttpRequest | None:
    """Read one request; None at the end of the connection. Raises HttpError."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except IncompleteReadError as error:
        if error.partial.strip():
            raise HttpError(400, "the request ends inside its head") from error
        return None
    except LimitOverrunError as error:
        raise HttpError(431, "the request's head is too large") from error
    method, target, version, headers = _parse_head(head)
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        body = await _read_body(reader, headers)
    except (IncompleteReadError, LimitOverrunError) as error:
        raise HttpError(400, "the request ends inside its body") from error
    path, query = _parse_target(target)
    return HttpRequest(method, path, query, headers, body, version)


def _parse_head(head: bytes) -> tuple[str, str, str, dict[str, str]]:
    first, *rest = head.decode("latin-1").strip("\r\n").split("\r\n")
    try:
        method, target, version = first.split(" ")
    except ValueError as error:
        raise HttpError(400, f"not a request line: {first[:80]!r}") from error
    if version not in {"HTTP/1.0", "HTTP/1.1"}:
        raise HttpError(505, f"not a version spoken here: {version[:20]!r}")
    headers: dict[str, str] = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise HttpError(400, f"not a header line: {line[:80]!r}")
        headers[name.lower()] = value.strip()
    return method, target, version, headers


def _parse_target(target: str) -> tuple[str, dict[str, str]]:
    """Split a target into path and query; a proxy's whole URL will do, too."""
    path, _, query = re.sub(r"^https?://[^/?]*", "", target).partition("?")
    return unquote(path), dict(parse_qsl(query))


async def _read_body(reader: StreamReader, headers: Mapping[str, str]) -> bytes:
    coding = headers.get("transfer-encoding", "").lower()
    if coding:
        if coding != "chunked":
            raise HttpError(501, f"not a transfer coding known here: {coding[:40]!r}")
        return await _read_chunks(reader)
    length = headers.get("content-length", "0")
    if not re.fullmatch(r"[0-9]{1,15}", length):
        raise HttpError(400, f"not a content length: {length[:40]!r}")
    return await reader.readexactly(_allowed(int(length)))


async def _read_chunks(reader: StreamReader) -> bytes:
    body = bytearray()
    while size := await _chunk_size(reader):
        _allowed(len(body) + size)
        body += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            raise HttpError(400, "a chunk is longer than it says")
    while (await reader.readuntil(b"\r\n")) != b"\r\n":
        pass  # trailer fields, which nothing here needs
    return bytes(body)


async def _chunk_size(reader: StreamReader) -> int:
    line = await reader.readuntil(b"\r\n")
    size = re.match(rb"([0-9A-Fa-f]{1,16})[ \t]*[;\r]", line)
    if size is None:
        raise HttpError(400, f"not a chunk size: {line[:40]!r}")
    return int(size[1], 16)


def _allowed(size: int) -> int:
    if size > MAX_BODY:
        raise HttpError(413, f"a body of {size} bytes is too large")
    return size


def response_head(request: HttpRequest | None, response: HttpResponse, *, close: bool) -> bytes:
    """Write the status line and headers, without a body's framing chosen twice."""
    headers = {
        "date": formatdate(usegmt=True),
        "server": "dursor-practice",
        "content-type": response.content_type,
        **response.headers,
    }
    if isinstance(response.body, bytes):
        headers["content-length"] = str(len(response.body))
    elif is_chunked(request):
        headers["transfer-encoding"] = "chunked"
    headers["connection"] = "close" if close else "keep-alive"
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def is_chunked(request: HttpRequest | None) -> bool:
    """Whether the client understands a body sent in chunks."""
    return request is not None and request.version == "HTTP/1.1"


def chunk(data: bytes) -> bytes:
    """Frame DATA as one chunk; empty DATA is the last one."""
    return b"%x\r\n%s\r\n" % (len(data), data)
