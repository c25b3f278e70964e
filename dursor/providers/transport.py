"""The process's one HTTP client: the only module that knows httpx."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib import import_module
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

# httpx's own command line would bring click, rich and pygments along: half of the import's time.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

from dursor.errors import DeadlineError, NetworkError, ProviderError, UsageError  # noqa: E402

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from dursor.providers.adapters.wire import Request

MAX_IDLE = 20  # connections that wait for the next request
REST_SECONDS, REST_MORE, REST_MOST = 0.005, 0.0005, 0.015  # of reading; MORE for each stream
PACKET_BYTES = 8 * 1024  # a piece of more is no trickle, and reading on at once costs nothing
SLICE_BYTES = 64 * 1024  # of what was compressed: a few bytes can become a thousand times as many
TAIL_SECONDS = 0.05  # for what may follow the end of an answer
EXCERPT_BYTES, EXCERPT_SECONDS = 64 * 1024, 5.0  # of an error's body
HEADERS = {"accept": "text/event-stream, application/json", "accept-encoding": "identity"}

Route = tuple[str, str | None]  # scheme, and the proxy on the way


class Response:
    """A response whose head has come and whose body is still to be read."""

    def __init__(self, response: httpx.Response, rest: Callable[[], float]) -> None:
        self._rest = rest
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers  # names in any case
        self._host = response.request.url.host
        self._response = response
        self._pieces = response.aiter_bytes()
        self._unread = memoryview(b"")

    async def read(self) -> bytes:
        """Give the next piece of the body, nothing at its end. Raises NetworkError when cut.

        A model streams some hundred small packets a second, and to wake up for each costs more
        than to read it: after a wait, reading rests a moment and finds several at once. The more
        streams there are, the longer.
        """
        if not self._unread:
            self._unread = memoryview(await self._next())
        else:
            await asyncio.sleep(0)  # time limits are to be heard in between
        piece, self._unread = bytes(self._unread[:SLICE_BYTES]), self._unread[SLICE_BYTES:]
        return piece

    async def _next(self) -> bytes:
        waited: list[bool] = []
        mark = asyncio.get_running_loop().call_soon(waited.append, True)
        with translated(self._host):
            piece = await anext(self._pieces, b"")
        mark.cancel()
        if waited and 0 < len(piece) < PACKET_BYTES:
            await asyncio.sleep(self._rest())
        return piece

    async def excerpt(self) -> bytes:
        """Give the beginning of an error's body; of one that is cut or slow, what came."""
        body = b""
        with suppress(NetworkError, ProviderError, TimeoutError):
            async with asyncio.timeout(EXCERPT_SECONDS):
                while len(body) < EXCERPT_BYTES and (piece := await self.read()):
                    body += piece
        return body[:EXCERPT_BYTES]

    async def finish(self) -> None:
        """Read to the body's end if it is at hand, so that the connection can be used again."""
        with suppress(NetworkError, ProviderError, TimeoutError):
            async with asyncio.timeout(TAIL_SECONDS):
                while await self.read():
                    pass

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._response.aclose()


class Transport:
    """Connections are kept and reused, redirects are not followed."""

    def __init__(self) -> None:
        self._context: Future[ssl.SSLContext] | None = None
        self._clients: dict[Route, httpx.AsyncClient] = {}
        self._streams = 0

    def _rest(self) -> float:
        return min(REST_MOST, REST_SECONDS + REST_MORE * self._streams)

    def warm(self, *, tls: bool) -> None:
        """Import what the first request needs, and build the TLS context, in a thread."""
        thread = ThreadPoolExecutor(1, "dursor-warm")
        thread.submit(_import_backend)
        thread.shutdown(wait=False)
        if tls:
            self._tls()

    @asynccontextmanager
    async def exchange(self, request: Request, connect: float) -> AsyncIterator[Response]:
        """Send REQUEST; its connection is kept for another, or closed, when the block ends.

        Raises NetworkError, DeadlineError (no connection in CONNECT seconds), ProviderError (not
        HTTP), UsageError (not a URL).
        """
        url = parse(request.url)
        client = await self._client(url)
        with translated(url.host, connect):
            message = client.build_request(
                request.method,
                url,
                headers=request.headers,
                content=request.body,
                timeout=httpx.Timeout(None, connect=connect),
            )
            response = Response(await client.send(message, stream=True), self._rest)
        self._streams += 1
        try:
            yield response
            await response.finish()
        finally:
            self._streams -= 1
            await response.aclose()

    async def _client(self, url: httpx.URL) -> httpx.AsyncClient:
        proxy = proxy_for(url.scheme, url.host, url.port or _PORTS[url.scheme])
        route = (url.scheme, proxy)
        if route not in self._clients:
            self._clients[route] = _open(proxy, await self._trust(route))
        return self._clients[route]

    async def _trust(self, route: Route) -> ssl.SSLContext | bool:
        """Give the TLS context; plain http needs none, and building one takes a while."""
        if route == ("http", None):
            return False
        try:
            return await asyncio.wrap_future(self._tls())
        except OSError as error:
            raise NetworkError(
                f"cannot load the trusted certificates: {error}",
                hint="check the files that SSL_CERT_FILE and SSL_CERT_DIR name",
            ) from error

    def _tls(self) -> Future[ssl.SSLContext]:
        if self._context is None:
            thread = ThreadPoolExecutor(1, "dursor-tls")
            self._context = thread.submit(httpx.create_ssl_context)
            thread.shutdown(wait=False)
        return self._context

    async def aclose(self) -> None:
        """Close every connection."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()


def _import_backend() -> None:
    """Import what httpx would only import with the first connection."""
    import_module("anyio._backends._asyncio")


def _open(proxy: str | None, trust: ssl.SSLContext | bool) -> httpx.AsyncClient:
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
            "the proxy in the environment is not one that can be used: only http:// and "
            "https:// ones are",
            hint="unset ALL_PROXY, or set HTTPS_PROXY=http://HOST:PORT",
        ) from error


# What httpx says of a connection that ended too early; all else is a breach of HTTP.
CUT = ("Server disconnected", "peer closed connection", "Connection lost")
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


@contextmanager
def translated(host: str, connect: float = 0.0) -> Iterator[None]:
    """Turn httpx's exceptions into ours; none of theirs shows a header or a whole URL."""
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise DeadlineError(
            f"no connection to {host} in {connect:g} s (the connect limit)",
            hint=f"allow more time: dursor config set connect_timeout {connect * 2:g}",
        ) from error
    except httpx.ConnectError as error:
        raise _unconnected(host, error) from error
    except httpx.DecodingError as error:
        raise ProviderError(f"{host} sent what cannot be decoded: {error}") from error
    except httpx.RemoteProtocolError as error:
        if str(error).startswith(CUT):
            raise NetworkError(f"the connection to {host} was cut: {error}") from error
        raise ProviderError(f"{host} does not answer in HTTP: {error}") from error
    except httpx.TransportError as error:
        raise NetworkError(f"the connection to {host} was cut: {error}") from error


def _unconnected(host: str, error: BaseException) -> NetworkError:
    cause: BaseException | None = error
    while cause is not None:
        if verdict := getattr(cause, "verify_message", None):  # ssl.SSLCertVerificationError's
            return NetworkError(
                f"cannot trust {host}: {verdict}",
                hint="behind a proxy with certificates of its own: export SSL_CERT_FILE=CA.pem",
            )
        cause = cause.__cause__ or cause.__context__
    return NetworkError(f"cannot connect to {host}: {error}")
