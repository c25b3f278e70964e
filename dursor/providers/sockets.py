"""Sockets that hand over what has come in few large pieces.

A model streams some hundred small packets a second. To wake up for each of them costs more than
to read them, so after every piece reading rests for a moment; the system keeps what comes
meanwhile. The first piece is never delayed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import TYPE_CHECKING

from dursor.errors import DeadlineError, NetworkError

if TYPE_CHECKING:
    from collections.abc import Callable

REST_LEAST, REST_EACH, REST_MOST = 0.02, 0.0002, 0.06  # seconds; longer with more streams
SLICE = 64 * 1024  # bytes of a request body that are handed over at a time
KEEPALIVE_IDLE = 60  # seconds of silence before the system asks whether the peer is still there
EYEBALLS = 0.25  # seconds before the next address of a host is tried beside the first


class Socket(asyncio.Protocol):
    """One connection: `read` and `write`, and `abort` at any time."""

    def __init__(self, rest: Callable[[], float]) -> None:
        self._loop = asyncio.get_running_loop()
        self._rest = rest
        self._transport: asyncio.Transport | None = None
        self._pieces: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._resting = False
        self._last = 0.0
        self._full: asyncio.Future[None] | None = None
        self.closed = False  # by the peer or by us: nothing more will come
        self.lost: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_connection gives
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pieces.append(data)
        self._last = self._loop.time()
        if self._transport is not None and not self._resting:
            self._resting = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self.closed = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # whoever reads learns that the connection ended, and where in the answer
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
        if not self.lost.done():
            self.lost.set_result(None)
        self.resume_writing()
        self._wake()

    def pause_writing(self) -> None:
        self._full = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._full is not None and not self._full.done():
            self._full.set_result(None)
        self._full = None

    async def read(self) -> bytes:
        """Give all that has come, at least one byte; none at the end of the connection."""
        if not self._pieces and not self.closed:
            self._waiter = self._loop.create_future()
            self._end_rest()
            try:
                await self._waiter
            finally:
                self._waiter = None
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        return data

    async def write(self, data: bytes) -> None:
        """Send DATA, no faster than the peer takes it; quietly nothing on a lost connection."""
        view = memoryview(data)
        for start in range(0, len(view), SLICE):
            if self.closed or self._transport is None:
                return
            self._transport.write(view[start : start + SLICE])
            if self._full is not None:
                await self._full

    def listen(self) -> None:
        """Go on reading while nobody waits, to learn of a close; what comes makes it unusable."""
        if self._resting and self._transport is not None and not self.closed:
            self._resting = False
            self._transport.resume_reading()

    @property
    def is_fresh(self) -> bool:
        """Whether it is open and nothing has come unasked."""
        return not self.closed and not self._pieces

    def abort(self) -> None:
        """Close at once; what was not sent is dropped."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    def _end_rest(self) -> None:
        if not self._resting:
            return
        due = self._last + self._rest()
        if self._loop.time() >= due:
            self.listen()
        else:
            self._timer = self._loop.call_at(due, self.listen)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def connect(
    host: str, port: int, context: ssl.SSLContext | None, seconds: float, rest: Callable[[], float]
) -> Socket:
    """Open a connection, with TLS when there is a CONTEXT. Raises NetworkError, DeadlineError."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds):
            transport, connection = await loop.create_connection(
                lambda: Socket(rest),
                host,
                port,
                ssl=context,
                server_hostname=host if context else None,
                happy_eyeballs_delay=EYEBALLS,
            )
    except TimeoutError as error:
        raise slow_connect(host, seconds) from error
    except ssl.SSLCertVerificationError as error:
        raise NetworkError(
            f"cannot trust {host}: {error.verify_message}",
            hint="behind a proxy with its own certificates: export SSL_CERT_FILE=/path/to/ca.pem",
        ) from error
    except OSError as error:
        raise NetworkError(f"cannot connect to {host}: {error.strerror or error}") from error
    _keep_alive(transport.get_extra_info("socket"))
    return connection


def slow_connect(host: str, seconds: float) -> DeadlineError:
    """Tell that the connect limit passed."""
    return DeadlineError(
        f"no connection to {host} within {seconds:g} s (the connect limit)",
        hint=f"allow more time: dursor config set connect_timeout {seconds * 2:g}",
    )


def _keep_alive(sock: socket.socket) -> None:
    """Have the system probe a silent connection: a model may think longer than a router waits."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE)
