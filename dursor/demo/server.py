"""The practice server: three vendors' wire formats on one loopback port, without a model."""

from __future__ import annotations

import asyncio
import threading
from asyncio import StreamReader, StreamWriter
from concurrent.futures import Future
from typing import TYPE_CHECKING, Self

from dursor.demo import routes, wire_anthropic, wire_google, wire_openai
from dursor.demo.exchange import Answer, Practice, PracticeRequest
from dursor.demo.http1 import (
    HttpError,
    HttpRequest,
    HttpResponse,
    chunk,
    is_chunked,
    read_request,
    response_head,
)
from dursor.demo.problems import Kind, Problem
from dursor.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

PRACTICE_KEY = "no-real-key-only-the-practice-server-takes-it"
VENDORS: tuple[routes.Vendor, ...] = (wire_anthropic, wire_google, wire_openai)


class PracticeServer:
    """Answers from a script, by model name, while the `with` block lasts; it runs in a thread.

    `delay` is the pause in seconds before each further piece of a stream, `piece` the size of a
    piece in characters. Every vendor's address knows every model.
    """

    def __init__(
        self,
        answers: Mapping[str, Answer],
        *,
        delay: float = 0.0,
        piece: int = 24,
        keys: Sequence[str] = (PRACTICE_KEY,),
    ) -> None:
        self.url = ""
        self.abandoned: list[HttpRequest] = []  # streams whose reader left before the end
        self._practice = Practice(answers, keys, piece)
        self._delay = delay
        self._tasks: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None  # what an answer raised
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    @property
    def requests(self) -> tuple[PracticeRequest, ...]:
        """What the models were asked so far, in order."""
        return tuple(self._practice.requests)

    def environment(self) -> dict[str, str]:
        """Name this server and its key the way the vendors' SDKs, and dursor, look for them."""
        return {
            "OPENAI_API_KEY": PRACTICE_KEY,
            "OPENAI_BASE_URL": f"{self.url}/v1",
            "ANTHROPIC_API_KEY": PRACTICE_KEY,
            "ANTHROPIC_BASE_URL": self.url,
            "GOOGLE_API_KEY": PRACTICE_KEY,
            "GOOGLE_GEMINI_BASE_URL": self.url,
        }

    def __enter__(self) -> Self:
        started: Future[str] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        try:
            self.url = started.result()
        except OSError as error:
            raise InternalError(f"cannot listen on this machine: {error.strerror}") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._loop and self._stop and self._thread:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        if self._broken:
            raise self._broken

    def _run(self, started: Future[str]) -> None:
        try:
            asyncio.run(self._serve(started))
        except OSError as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _serve(self, started: Future[str]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024)
        port = server.sockets[0].getsockname()[1]
        started.set_result(f"http://127.0.0.1:{port}")
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await server.wait_closed()

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.ensure_future(self._converse(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._broken = self._broken or task.exception()

    async def _converse(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer every request of one connection."""
        try:
            while await self._exchange(reader, writer):
                pass
        except ConnectionError:
            pass  # the client left; there is nobody to tell
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            writer.close()

    async def _exchange(self, reader: StreamReader, writer: StreamWriter) -> bool:
        """Answer one request; whether another may follow."""
        try:
            request = await read_request(reader, writer)
        except HttpError as error:
            await self._send(None, _unreadable(error), reader, writer)
            return False
        if request is None:
            return False
        response = self._answer(request)
        whole = await self._send(request, response, reader, writer)
        return whole and request.keeps_alive

    def _answer(self, request: HttpRequest) -> HttpResponse:
        vendor = next((v for v in VENDORS if v.claims(request)), wire_openai)
        return routes.answer(vendor, request, self._practice)

    async def _send(
        self,
        request: HttpRequest | None,
        response: HttpResponse,
        reader: StreamReader,
        writer: StreamWriter,
    ) -> bool:
        """Write RESPONSE; False when the client left, or must, for the connection to end."""
        chunked = is_chunked(request)
        close = request is None or not request.keeps_alive or (response.is_stream and not chunked)
        writer.write(response_head(request, response, close=close))
        if isinstance(response.body, bytes):
            if request is None or request.method != "HEAD":
                writer.write(response.body)
            await writer.drain()
            return not close
        try:
            await self._stream(response.body, chunked=chunked, reader=reader, writer=writer)
        except ConnectionError:
            if request:
                self.abandoned.append(request)
            raise
        return not close

    async def _stream(
        self, pieces: Iterable[bytes], *, chunked: bool, reader: StreamReader, writer: StreamWriter
    ) -> None:
        first = True
        for piece in pieces:
            if not first:
                await asyncio.sleep(self._delay)
            if reader.at_eof():
                raise ConnectionResetError
            writer.write(chunk(piece) if chunked else piece)
            await writer.drain()
            first = False
        if chunked:
            writer.write(chunk(b""))
            await writer.drain()


def _unreadable(error: HttpError) -> HttpResponse:
    """Answer a request that names no vendor yet."""
    nobody = HttpRequest("GET", "/v1/", {}, {}, b"", "HTTP/1.1")
    kind = Kind.TOO_LARGE if error.status == 413 else Kind.BAD_REQUEST
    response = wire_openai.error(Problem(kind, error.message), nobody)
    return HttpResponse(error.status, response.body, response.content_type, response.headers)
