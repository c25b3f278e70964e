"""HTTP/1.1 on one socket, the body in the pieces that the socket gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h11

from dursor.errors import NetworkError, ProviderError

if TYPE_CHECKING:
    from dursor.providers.sockets import Socket

MAX_HEAD = 100 * 1024  # bytes of a response's status line and headers, or of one chunk's head


class Connection:
    """Sends one request after another and reads each response."""

    def __init__(self, socket: Socket, host: str) -> None:
        self._socket = socket
        self._host = host
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self._ended = False

    async def send(
        self, method: bytes, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> h11.Response:
        """Send a request; give the head of its response. Raises NetworkError, ProviderError."""
        self._ended = False
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
                return event

    async def read(self) -> bytes:
        """Give the next piece of the body, nothing at its end. Raises NetworkError when cut."""
        while not self._ended:
            if data := self._drain():
                return data
            if not self._ended:
                self._state.receive_data(await self._socket.read())
        return b""

    def _drain(self) -> bytes:
        """Take all of the body that has come."""
        pieces: list[bytes] = []
        while not self._ended:
            try:
                event = self._next()
            except (NetworkError, ProviderError):
                if pieces:  # what came before the error comes first; the error comes again
                    break
                raise
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
        done = self._state.our_state is h11.DONE and self._state.their_state is h11.DONE
        if not (done and self._socket.is_fresh):
            return False
        self._state.start_next_cycle()
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
            if self._socket.closed:
                raise NetworkError(
                    f"the connection to {self._host} was cut before the answer's end"
                ) from error
            raise ProviderError(f"{self._host} does not answer in HTTP: {error}") from error
