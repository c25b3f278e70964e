"""The one HTTP client of the process. No other module of the package imports httpx."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

# httpx's command line imports click, rich and pygments: half of its import time.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

from dursor.errors import DeadlineError, NetworkError, ProviderError, UsageError  # noqa: E402
from dursor.hosts import is_loopback  # noqa: E402

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from dursor.providers.adapters.wire import Request

MAX_IDLE = 20  # connections kept open for the next request
REST_SECONDS, REST_PER_STREAM, MAX_REST = 0.005, 0.0005, 0.015  # between reads
PACKET_BYTES = 8 * 1024  # read on at once after larger pieces
SLICE_BYTES = 64 * 1024  # per read: compressed data can expand a thousandfold
TAIL_SECONDS = 0.05  # to read data after the end of a reply
EXCERPT_BYTES, EXCERPT_SECONDS = 64 * 1024, 5.0  # of an error's body
HEADERS = {"accept": "text/event-stream, application/json", "accept-encoding": "identity"}

Route = tuple[str, str | None]  # scheme and proxy


class StreamingResponse:
    """A response whose headers have arrived and whose body is read piece by piece."""

    def __init__(self, response: httpx.Response, rest: Callable[[], float]) -> None:
        self._rest = rest
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers  # names in any case
        self._host = response.request.url.host
        self._response = response
        self._pieces = response.aiter_bytes()
        self._unread = memoryview(b"")

    async def read(self) -> bytes:
        """Return the next piece of the body, empty at its end. Raises NetworkError when cut.

        A model streams some hundred small packets a second, and waking up for each costs more than
        reading it. So after a wait, reading rests briefly to get several at once, and longer the
        more streams there are.
        """
        if not self._unread:
            self._unread = memoryview(await self._read_next())
        else:
            await asyncio.sleep(0)  # lets time limits take effect
        piece, self._unread = bytes(self._unread[:SLICE_BYTES]), self._unread[SLICE_BYTES:]
        return piece

    async def _read_next(self) -> bytes:
        waited: list[bool] = []
        mark = asyncio.get_running_loop().call_soon(waited.append, True)
        with translate_errors(self._host):
            piece = await anext(self._pieces, b"")
        mark.cancel()
        if waited and 0 < len(piece) < PACKET_BYTES:
            await asyncio.sleep(self._rest())
        return piece

    async def read_excerpt(self) -> bytes:
        """Return the start of an error's body, as far as it arrived."""
        body = b""
        with suppress(NetworkError, ProviderError, TimeoutError):
            async with asyncio.timeout(EXCERPT_SECONDS):
                while len(body) < EXCERPT_BYTES and (piece := await self.read()):
                    body += piece
        return body[:EXCERPT_BYTES]

    async def finish(self) -> None:
        """Read to the end of the body if it is near, so that the connection can be reused."""
        with suppress(NetworkError, ProviderError, TimeoutError):
            async with asyncio.timeout(TAIL_SECONDS):
                while await self.read():
                    pass

    async def aclose(self) -> None:
        await self._response.aclose()


class StreamingTransport:
    """Keeps and reuses connections; does not follow redirects."""

    def __init__(self) -> None:
        self._context: Future[ssl.SSLContext] | None = None
        self._clients: dict[Route, httpx.AsyncClient] = {}
        self._streams = 0

    def warm(self, *, tls: bool) -> None:
        """Import the backend and build the TLS context in threads, before the first request."""
        thread = ThreadPoolExecutor(1, "dursor-warm")
        thread.submit(import_module, "anyio._backends._asyncio")  # httpx imports it late
        thread.shutdown(wait=False)
        if tls:
            self._build_context()

    @asynccontextmanager
    async def exchange(self, request: Request, connect: float) -> AsyncIterator[StreamingResponse]:
        """Send REQUEST; when the block ends, its connection is kept for reuse or closed.

        Raises NetworkError, DeadlineError (no connection within CONNECT seconds), ProviderError
        (not HTTP), UsageError (not a URL).
        """
        url = parse_url(request.url)
        client = await self._select_client(url)
        with translate_errors(url.host, connect):
            message = client.build_request(
                request.method,
                url,
                headers=request.headers,
                content=request.body,
                timeout=httpx.Timeout(None, connect=connect),
            )
            response = StreamingResponse(
                await client.send(message, stream=True),
                lambda: min(MAX_REST, REST_SECONDS + REST_PER_STREAM * self._streams),
            )
        self._streams += 1
        try:
            yield response
            await response.finish()
        finally:
            self._streams -= 1
            await response.aclose()

    async def _select_client(self, url: httpx.URL) -> httpx.AsyncClient:
        proxy = find_proxy(url.scheme, url.host, url.port or _PORTS[url.scheme])
        route = (url.scheme, proxy)
        if route not in self._clients:
            self._clients[route] = _open_client(proxy, await self._load_trust(route))
        return self._clients[route]

    async def _load_trust(self, route: Route) -> ssl.SSLContext | bool:
        """Return the TLS context; plain http needs none, and building it is slow."""
        if route == ("http", None):
            return False
        try:
            return await asyncio.wrap_future(self._build_context())
        except OSError as error:
            raise NetworkError(
                f"cannot load the trusted certificates: {error}",
                hint="check the files in SSL_CERT_FILE and SSL_CERT_DIR",
            ) from error

    def _build_context(self) -> Future[ssl.SSLContext]:
        if self._context is None:
            thread = ThreadPoolExecutor(1, "dursor-tls")
            self._context = thread.submit(httpx.create_ssl_context)
            thread.shutdown(wait=False)
        return self._context

    async def aclose(self) -> None:
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()


def _open_client(proxy: str | None, trust: ssl.SSLContext | bool) -> httpx.AsyncClient:
    try:
        return httpx.AsyncClient(
            headers=HEADERS,
            trust_env=False,
            verify=trust,
            proxy=proxy,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=MAX_IDLE),
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise UsageError(
            "the proxy in the environment is not supported: use http:// or https://",
            hint="unset ALL_PROXY, or set HTTPS_PROXY=http://HOST:PORT",
        ) from error


# httpx's messages about a connection that ended early; all others are protocol violations.
CUT = ("Server disconnected", "peer closed connection", "Connection lost")
_PORTS = {"http": 80, "https": 443}


def parse_url(text: str) -> httpx.URL:
    """Parse a request's URL. Raises UsageError for an unsupported one."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise UsageError(f"the model's base URL is not a URL: {error}") from error
    if url.scheme not in _PORTS or not url.host:
        raise UsageError(
            "the model's base URL must start with https:// or http:// and contain a host"
        )
    if not 0 < (url.port or 443) < 65536:
        raise UsageError("the model's base URL contains an invalid port")
    if url.userinfo:
        raise UsageError("the model's base URL must not contain a user or password")
    return url


def find_proxy(scheme: str, host: str, port: int) -> str | None:
    """Return the environment's proxy for a host, None for this machine."""
    if is_loopback(host) or host.endswith(".localhost"):
        return None
    proxies = getproxies()
    address = proxies.get(scheme) or proxies.get("all")
    if not address or proxy_bypass(f"{host}:{port}") or proxy_bypass(host):
        return None
    return address if "://" in address else f"http://{address}"


@contextmanager
def translate_errors(host: str, connect: float = 0.0) -> Iterator[None]:
    """Turn httpx's exceptions into dursor's; none of them contains a header or a full URL."""
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise DeadlineError(
            f"no connection to {host} within {connect:g} s (connect limit)",
            hint=f"allow more time: dursor config set connect_timeout {connect * 2:g}",
        ) from error
    except httpx.ConnectError as error:
        raise _build_connect_error(host, error) from error
    except httpx.DecodingError as error:
        raise ProviderError(f"the response of {host} cannot be decoded: {error}") from error
    except httpx.RemoteProtocolError as error:
        if str(error).startswith(CUT):
            raise NetworkError(f"the connection to {host} was cut: {error}") from error
        raise ProviderError(f"the response of {host} is not valid HTTP: {error}") from error
    except httpx.TransportError as error:
        raise NetworkError(f"the connection to {host} was cut: {error}") from error


def _build_connect_error(host: str, error: BaseException) -> NetworkError:
    cause: BaseException | None = error
    while cause is not None:
        if reason := getattr(cause, "verify_message", None):  # of ssl.SSLCertVerificationError
            return NetworkError(
                f"cannot verify the certificate of {host}: {reason}",
                hint="behind a proxy with its own certificates: export SSL_CERT_FILE=CA.pem",
            )
        cause = cause.__cause__ or cause.__context__
    return NetworkError(f"cannot connect to {host}: {error}")
