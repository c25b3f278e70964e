"""The process's one HTTP client: the only module that knows httpx."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

# httpx's own command line would bring click, rich and pygments along: half of the import's time.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

from dursor.errors import NetworkError, ProviderError, UsageError  # noqa: E402
from dursor.providers import sockets  # noqa: E402
from dursor.providers.http1 import Connection  # noqa: E402

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping

    from dursor.providers.wire import Request

MAX_IDLE = 20  # connections to one origin that wait for the next request
IDLE_SECONDS = 30.0  # that a connection waits
EXCERPT_BYTES, EXCERPT_SECONDS = 64 * 1024, 5.0  # of an error's body
CONNECTION = "dursor.connection"  # the response extension that spares httpx's layers of iterators
HEADERS = {"accept": "text/event-stream, application/json", "accept-encoding": "identity"}

Origin = tuple[str, str, int]  # scheme, host, port


class Response:
    """A response whose head has come and whose body is still to be read."""

    def __init__(self, response: httpx.Response, host: str) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers  # names in any case
        self._response = response
        self._host = host
        self._connection: Connection | None = response.extensions.get(CONNECTION)
        self._pieces: AsyncGenerator[bytes, None] | None = None
        if self._connection is None or "content-encoding" in response.headers:
            self._pieces = _pieces(response)

    async def read(self) -> bytes:
        """Give the next piece of the body, nothing at its end. Raises NetworkError when cut."""
        if self._pieces is None and self._connection is not None:
            return await self._connection.read()
        with translated(self._host):
            return await anext(self._pieces, b"") if self._pieces else b""

    async def excerpt(self) -> bytes:
        """Give the beginning of an error's body; of one that is cut or slow, what came."""
        body = b""
        with suppress(NetworkError, ProviderError, TimeoutError):
            async with asyncio.timeout(EXCERPT_SECONDS):
                while len(body) < EXCERPT_BYTES and (piece := await self.read()):
                    body += piece
        return body[:EXCERPT_BYTES]

    async def aclose(self) -> None:
        """Let go of the connection."""
        if self._pieces is not None:
            await self._pieces.aclose()
        await self._response.aclose()


async def _pieces(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    async for piece in response.aiter_bytes():
        yield piece


class Transport:
    """One HTTP client: connections are kept and reused, redirects are not followed."""

    def __init__(self) -> None:
        self._router = _Router()
        self._client: httpx.AsyncClient | None = None

    def warm(self) -> None:
        """Build the TLS context in a thread, before it is needed."""
        self._router.tls()

    @asynccontextmanager
    async def exchange(self, request: Request, connect: float) -> AsyncIterator[Response]:
        """Send REQUEST; its connection is kept for another, or closed, when the block ends.

        Raises NetworkError, DeadlineError (no connection in CONNECT seconds), ProviderError (not
        HTTP), UsageError (not a URL).
        """
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=self._router, headers=HEADERS, trust_env=False, follow_redirects=False
            )
        url = parse(request.url)
        with translated(url.host, connect):
            message = self._client.build_request(
                request.method,
                url,
                headers=request.headers,
                content=request.body,
                timeout=httpx.Timeout(None, connect=connect),
            )
            response = Response(await self._client.send(message, stream=True), url.host)
        try:
            yield response
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()


class _Router(httpx.AsyncBaseTransport):
    """Sends each request over a connection of its own to the origin, or through a proxy."""

    def __init__(self) -> None:
        self._context: Future[ssl.SSLContext] | None = None
        self._idle: dict[Origin, list[tuple[float, Connection]]] = defaultdict(list)
        self._proxies: dict[Origin, httpx.AsyncHTTPTransport | None] = {}
        self._active = 0

    def tls(self) -> Future[ssl.SSLContext]:
        """Start to build the TLS context unless that was done."""
        if self._context is None:
            thread = ThreadPoolExecutor(1, "dursor-tls")
            self._context = thread.submit(_tls_context)
            thread.shutdown(wait=False)
        return self._context

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        origin = (url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme])
        if origin not in self._proxies:
            self._proxies[origin] = await self._proxy(origin)
        proxy = self._proxies[origin]
        if proxy is not None:
            return await proxy.handle_async_request(request)
        return await self._reuse(origin, request) or await self._send(
            origin, request, await self._open(origin, request)
        )

    async def _reuse(self, origin: Origin, request: httpx.Request) -> httpx.Response | None:
        """Send over a connection that waited; None when none did, or the server closed it first."""
        connection = self._take(origin)
        if connection is None:
            return None
        try:
            return await self._send(origin, request, connection)
        except NetworkError:
            return None

    async def _send(
        self, origin: Origin, request: httpx.Request, connection: Connection
    ) -> httpx.Response:
        self._active += 1
        body = _Body(self, origin, connection)
        try:
            head = await connection.send(
                request.method.encode(), request.url.raw_path, request.headers.raw, request.content
            )
        except BaseException:  # a cancelled task, too, must not leave the connection open
            await body.aclose()
            raise
        return httpx.Response(
            head.status_code,
            headers=list(head.headers.raw_items()),
            stream=body,
            extensions={CONNECTION: connection},
        )

    async def aclose(self) -> None:
        idle = [connection for waiting in self._idle.values() for _, connection in waiting]
        self._idle.clear()
        for connection in idle:
            await connection.aclose()
        for proxy in self._proxies.values():
            if proxy is not None:
                await proxy.aclose()
        self._proxies.clear()

    def give_back(self, origin: Origin, connection: Connection) -> None:
        """Keep CONNECTION for the next request to ORIGIN when that is possible, else close it."""
        self._active -= 1
        waiting = self._idle[origin]
        if len(waiting) < MAX_IDLE and connection.release():
            waiting.append((asyncio.get_running_loop().time() + IDLE_SECONDS, connection))
        else:
            connection.abort()

    def _take(self, origin: Origin) -> Connection | None:
        waiting = self._idle[origin]
        now = asyncio.get_running_loop().time()
        while waiting:
            until, connection = waiting.pop()
            if now < until and connection.is_fresh:
                return connection
            connection.abort()
        return None

    async def _open(self, origin: Origin, request: httpx.Request) -> Connection:
        scheme, host, port = origin
        context = await self._trust() if scheme == "https" else None
        seconds: float = request.extensions["timeout"]["connect"]
        socket = await sockets.connect(host, port, context, seconds, self._rest)
        return Connection(socket, host)

    async def _trust(self) -> ssl.SSLContext:
        try:
            return await asyncio.wrap_future(self.tls())
        except OSError as error:
            raise NetworkError(
                f"cannot load the trusted certificates: {error}",
                hint="check the files that SSL_CERT_FILE and SSL_CERT_DIR name",
            ) from error

    def _rest(self) -> float:
        """Seconds that a socket rests between reads: the more streams, the longer."""
        return min(sockets.REST_MOST, sockets.REST_LEAST + sockets.REST_EACH * self._active)

    async def _proxy(self, origin: Origin) -> httpx.AsyncHTTPTransport | None:
        """Build the proxy that the environment names for ORIGIN; None is a direct connection."""
        address = proxy_for(*origin)
        if address is None:
            return None
        try:
            return httpx.AsyncHTTPTransport(
                verify=await self._trust(),
                trust_env=False,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=MAX_IDLE),
                proxy=httpx.Proxy(address),
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise UsageError(
                "the proxy in the environment is not one that can be used: only http:// and "
                "https:// ones are",
                hint="unset ALL_PROXY, or set HTTPS_PROXY=http://HOST:PORT",
            ) from error


class _Body(httpx.AsyncByteStream):
    """The body of a response; closing it ends the use of its connection."""

    def __init__(self, router: _Router, origin: Origin, connection: Connection) -> None:
        self._router = router
        self._origin = origin
        self._connection: Connection | None = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._connection is not None and (piece := await self._connection.read()):
            yield piece

    async def aclose(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._router.give_back(self._origin, connection)


_PORTS = {"http": 80, "https": 443}


def parse(text: str) -> httpx.URL:
    """Read a request's URL. Raises UsageError for what no request may go to."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise UsageError(f"the model's base URL is not one: {error}") from error
    if url.scheme not in _PORTS or not url.host:
        raise UsageError("the model's base URL must begin with https:// or http:// and name a host")
    if not 0 < (url.port or 443) < 65536:
        raise UsageError("the model's base URL names a port that does not exist")
    if url.userinfo:
        raise UsageError("the model's base URL must not hold a user or password")
    return url


def proxy_for(scheme: str, host: str, port: int) -> str | None:
    """Find the proxy that the environment names for a host; none for this machine itself."""
    if is_loopback(host):
        return None
    proxies = getproxies()
    address = proxies.get(scheme) or proxies.get("all")
    if not address or proxy_bypass(f"{host}:{port}") or proxy_bypass(host):
        return None
    return address if "://" in address else f"http://{address}"


def is_loopback(host: str) -> bool:
    """Tell whether HOST is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _tls_context() -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


@contextmanager
def translated(host: str, connect: float = 0.0) -> Iterator[None]:
    """Turn httpx's exceptions into ours; none of theirs shows a header or a whole URL."""
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise sockets.slow_connect(host, connect) from error
    except httpx.ConnectError as error:
        raise NetworkError(f"cannot connect to {host}: {error}") from error
    except httpx.DecodingError as error:
        raise ProviderError(f"{host} sent what cannot be decoded: {error}") from error
    except httpx.TransportError as error:
        raise NetworkError(f"the connection to {host} was cut: {error}") from error
