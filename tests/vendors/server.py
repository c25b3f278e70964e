"""The vendors' double: an HTTP server on loopback, scripted by the test and strict about requests.

    with ScriptedServer() as server:
        server.script("/responses", Script(streams.responses("hello")))
        ... send a request to server.url ...
        assert server.requests[0].json["stream"] is True

A request that the vendors would reject is a violation, and the end of the `with` block fails. The
server runs in a thread of its own, so that tests may be synchronous, asynchronous or start processes.
"""

import asyncio
import contextlib
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self

from vendors.rules import find_violations, find_wire


class Action(Enum):
    """A script's steps besides sending bytes (bytes) and waiting (seconds)."""

    CUT = "cut"  # reset the connection
    END = "end"  # close the connection without the end that its framing promises
    HOLD = "hold"  # send nothing more until the client disconnects


Step = bytes | float | int | Action
EVENT_STREAM = {"content-type": "text/event-stream"}


@dataclass
class Script:
    """One response. `framing`: chunked (a chunk per step), length, close, or raw (no head)."""

    steps: Sequence[Step]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: dict(EVENT_STREAM))
    framing: str = "chunked"

    @classmethod
    def error(cls, status: int, body: Any = None, **headers: str) -> "Script":
        """Return an error response. BODY is sent as JSON unless it is bytes; `_` in HEADERS is `-`."""
        kind = "text/html" if isinstance(body, bytes) else "application/json"
        data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls([data], status, {"content-type": kind, **named}, "length")

    def head(self) -> bytes:
        """The status line and headers."""
        lines = [f"HTTP/1.1 {self.status} {'OK' if self.status == 200 else 'Scripted'}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.framing == "chunked":
            lines.append("transfer-encoding: chunked")
        elif self.framing == "length":
            length = sum(len(step) for step in self.steps if isinstance(step, bytes))
            lines.append(f"content-length: {length}")
        else:
            lines.append("connection: close")
        return "\r\n".join(lines).encode() + b"\r\n\r\n"


@dataclass(frozen=True)
class ReceivedRequest:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]  # lower case
    body: bytes
    at: float  # time.monotonic()

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)

    @property
    def wire(self) -> str | None:
        """The wire format, a key of `streams.ALL`; None for other requests."""
        return find_wire(self.method, self.path, self.headers)


Answer = Script | Callable[[ReceivedRequest], Script]


class ScriptedServer:
    """Answers a path's requests with its scripts in turn and repeats the last one."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.requests: list[ReceivedRequest] = []
        self.violations: list[str] = []  # rules of the vendors that requests broke
        self.finished = 0  # complete responses
        self.disconnects: list[float] = []  # times of clients' early ends, time.monotonic()
        self.connections = 0
        self._routes: list[tuple[str, list[Answer]]] = []
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.port = 0

    @property
    def url(self) -> str:
        """The base URL, without a path."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def script(self, part: str, *answers: Answer) -> None:
        """Answer requests whose path contains PART; earlier calls take precedence."""
        self._routes.append((part, list(answers)))

    def wait_for(self, condition: Callable[["ScriptedServer"], bool], seconds: float = 5.0) -> bool:
        """Wait for CONDITION; return whether it became true within SECONDS."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), seconds)

    async def wait_until(
        self, condition: Callable[["ScriptedServer"], bool], seconds: float = 5.0
    ) -> bool:
        """`wait_for` without blocking the event loop."""
        return await asyncio.to_thread(self.wait_for, condition, seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10), "the server did not start"
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        assert self._loop
        assert self._stop
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive(), "the server did not stop"
        assert error or not self.violations, self.violations

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, backlog=1024, ssl=self._tls
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        try:
            while await self._serve(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:  # the server is stopping, and asyncio.streams would log this
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection may carry another."""
        received = await _read(reader)
        if received is None:
            return False
        with self._changed:
            self.requests.append(received)
            self.violations += find_violations(
                received.method, received.path, received.headers, received.body
            )
            self._changed.notify_all()
        script = self._script(received)
        disconnect = asyncio.ensure_future(_wait_for_disconnect(reader))
        response = asyncio.ensure_future(_send(script, writer))
        try:
            await asyncio.wait({disconnect, response}, return_when=asyncio.FIRST_COMPLETED)
            if not response.done():
                self._record(disconnected=True)
                return False
            keep_open = response.result()
        except ConnectionError:
            self._record(disconnected=True)
            return False
        else:
            self._record(disconnected=False)
            return keep_open
        finally:
            disconnect.cancel()
            response.cancel()
            await asyncio.gather(disconnect, response, return_exceptions=True)

    def _script(self, received: ReceivedRequest) -> Script:
        for part, answers in self._routes:
            if part in received.path:
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                return answer if isinstance(answer, Script) else answer(received)
        return Script.error(404, {"error": {"message": "no script for this path"}})

    def _record(self, *, disconnected: bool) -> None:
        with self._changed:
            if disconnected:
                self.disconnects.append(time.monotonic())
            else:
                self.finished += 1
            self._changed.notify_all()


async def _read(reader: asyncio.StreamReader) -> ReceivedRequest | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return ReceivedRequest(method, path, headers, body, time.monotonic())


async def _wait_for_disconnect(reader: asyncio.StreamReader) -> None:
    """Wait until the client closes its side; it sends nothing during a response."""
    with contextlib.suppress(ConnectionError):
        await reader.read(1)


async def _send(script: Script, writer: asyncio.StreamWriter) -> bool:
    if script.framing != "raw":
        writer.write(script.head())
    for step in script.steps:
        match step:
            case bytes():
                writer.write(_framed(step, script.framing))
                await writer.drain()
            case Action.HOLD:
                await asyncio.Event().wait()
            case Action.CUT:
                writer.transport.abort()
                return False
            case Action.END:
                return False
            case _:
                await asyncio.sleep(float(step))
    if script.framing == "chunked":
        writer.write(b"0\r\n\r\n")
    await writer.drain()
    return script.framing in {"chunked", "length"}


def _framed(data: bytes, framing: str) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if framing == "chunked" else data


def pace(events: Iterable[bytes], seconds: float) -> list[Step]:
    """Return EVENTS with equal pauses between them, SECONDS in total."""
    events = list(events)
    pause = seconds / max(1, len(events) - 1)
    return [step for event in events for step in (event, pause)][:-1]


class RecordingListener:
    """A listener that records its calls."""

    def __init__(self) -> None:
        self.connections = 0
        self.deltas: list[str] = []
        self.usages: list[Any] = []
        self.retries: list[tuple[float, Any]] = []

    @property
    def text(self) -> str:
        """The text of all deltas."""
        return "".join(self.deltas)

    def on_connect(self) -> None:
        self.connections += 1

    def on_delta(self, text: str) -> None:
        self.deltas.append(text)

    def on_usage(self, usage: Any) -> None:
        self.usages.append(usage)

    def on_retry(self, seconds: float, error: Any) -> None:
        self.retries.append((seconds, error))
