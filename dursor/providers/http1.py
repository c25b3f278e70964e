"""HTTP/1.1 on one socket, the body in the pieces that the socket gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h11

from dursor.errors import NetworkError, ProviderError
from dursor.providers.chunked import ChunkedError, ChunkedReader

if TYPE_CHECKING:
    from dursor.providers.sockets import Socket

MAX_HEAD = 100 * 1024  # bytes of a response's status line and headers


class Connection:
    """Sends one request after another and reads each response."""

    def __init__(self, socket: Socket, host: str) -> None:
        self._socket = socket
        self._host = host
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self._chunked: ChunkedReader | None = None
        self._unread = b""  # of a chunked body, what came with the head
        self._keep = False  # the peer will serve another request
        self._ended = False

    async def send(
        self, method: bytes, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> h11.Response:
        """Send a request; give the head of its response. Raises NetworkError, ProviderError."""
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self._chunked, self._keep, self._ended = None, False, False
        head = h11.Request(method=method, target=target, headers=headers)
        data = self._state.send(head) or b""
        if body:
            data += self._state.send(h11.Data(data=body)) or b""
        data += self._state.send(h11.EndOfMessage()) or b""
        await self._socket.write(data)
        while True:
            event = self._next()
            if event is h11.NEED_DATA:
                self._state.receive_data(await self._socket.read())
            elif isinstance(event, h11.Response):
                self._begin(event)
                return event

    def _begin(self, head: h11.Response) -> None:
        """Choose who reads the body; h11 has checked that the head makes sense."""
        named = {name: value.lower() for name, value in head.headers}
        self._keep = head.http_version == b"1.1" and b"close" not in named.get(b"connection", b"")
        if b"transfer-encoding" in named and self._state.their_state is h11.SEND_BODY:
            self._chunked = ChunkedReader()
            self._unread = self._state.trailing_data[0]

    async def read(self) -> bytes:
        """Give the next piece of the body, nothing at its end. Raises NetworkError when cut."""
        while not self._ended:
            if data := self._drain():
                return data
            if not self._ended:
                await self._receive()
        return b""

    async def _receive(self) -> None:
        data = await self._socket.read()
        if self._chunked is None:
            self._state.receive_data(data)
        elif data:
            self._unread = data
        else:
            raise self._cut()

    def _drain(self) -> bytes:
        """Take all of the body that has come."""
        if self._chunked is None:
            return self._drain_plain()
        try:
            data = self._chunked.feed(self._unread)
        except ChunkedError as error:
            raise self._nonsense(error) from error
        self._unread = b""
        self._ended = self._chunked.ended
        return data

    def _drain_plain(self) -> bytes:
        pieces: list[bytes] = []
        while not self._ended:
            event = self._next()
            if isinstance(event, h11.Data):
                pieces.append(event.data)
            elif event is h11.NEED_DATA:
                break
            else:
                self._ended = True
        return b"".join(pieces)

    def release(self) -> bool:
        """End with this response; whether the connection may serve another request."""
        try:
            self._drain()
        except (NetworkError, ProviderError):
            return False
        rest = self._chunked.rest if self._chunked else self._state.trailing_data[0]
        if not (self._ended and self._keep and not rest and self._socket.is_fresh):
            return False
        self._socket.listen()
        return True

    @property
    def is_fresh(self) -> bool:
        """Whether the peer has left the idle connection alone."""
        return self._socket.is_fresh

    def abort(self) -> None:
        """Close at once."""
        self._socket.abort()

    async def aclose(self) -> None:
        """Close at once, and wait until the socket is gone."""
        self._socket.abort()
        await self._socket.lost

    def _next(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        try:
            return self._state.next_event()
        except h11.RemoteProtocolError as error:
            raise (self._cut() if self._socket.closed else self._nonsense(error)) from error

    def _cut(self) -> NetworkError:
        return NetworkError(f"the connection to {self._host} was cut before the answer's end")

    def _nonsense(self, error: Exception) -> ProviderError:
        return ProviderError(f"{self._host} does not answer in HTTP: {error}")
