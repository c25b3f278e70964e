"""HTTP: the only module that knows httpx."""

from __future__ import annotations

import asyncio
import ssl
import threading
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import httpx

from dursor.errors import DeadlineError, NetworkError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from dursor.providers.wire import Request


class Response:
    """A response whose headers have come and whose body is still to be read."""

    def __init__(self, response: httpx.Response, host: str) -> None:
        self._response = response
        self._host = host
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers  # any case

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises NetworkError when it is cut."""
        with translated(self._host):
            async for chunk in self._response.aiter_raw():
                yield chunk

    async def excerpt(self, limit: int) -> bytes:
        """At most LIMIT bytes of the body; an error that is cut off is still an error."""
        body = bytearray()
        try:
            async for chunk in self.chunks():
                body += chunk
                if len(body) >= limit:
                    break
        except NetworkError:
            pass
        return bytes(body[:limit])


class Transport:
    """One HTTP client for the process."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None
        self._context: Future[ssl.SSLContext] | None = None

    def warm(self) -> None:
        """Start to build the TLS context in a thread: it takes longer than anything else here."""
        if self._context is None:
            self._context = Future()
            threading.Thread(target=_build_context, args=(self._context,), daemon=True).start()

    @asynccontextmanager
    async def exchange(self, request: Request, connect: float) -> AsyncIterator[Response]:
        """Send REQUEST; the connection is free again, or closed, when the block ends.

        Raises NetworkError, DeadlineError (CONNECT seconds passed), UsageError (not a URL).
        """
        url = _url(request.url)
        if self._client is None:
            self._client = await self._build(url.scheme)
        with translated(url.host, connect):
            message = self._client.build_request(
                request.method,
                url,
                headers=request.headers,
                content=request.body,
                timeout=httpx.Timeout(None, connect=connect),
            )
            response = await self._client.send(message, stream=True)
        try:
            yield Response(response, url.host)
        finally:
            await response.aclose()

    async def _build(self, scheme: str) -> httpx.AsyncClient:
        self.warm()
        assert self._context is not None
        context = await asyncio.wrap_future(self._context)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        return httpx.AsyncClient(verify=context, limits=limits, follow_redirects=False)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()


def _build_context(future: Future[ssl.SSLContext]) -> None:
    try:
        future.set_result(httpx.create_ssl_context())
    except OSError as error:
        future.set_exception(error)


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise UsageError("the model's base URL is not a URL") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise UsageError(f"the model's base URL must begin with https:// ({url.host or 'no host'})")
    return url


@contextmanager
def translated(host: str, connect: float | None = None) -> Iterator[None]:
    """Turn httpx's exceptions into ours; none of theirs shows a header or a whole URL."""
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise DeadlineError(
            f"no connection to {host} within {connect:g} s (the connect limit)",
        ) from error
    except httpx.ConnectError as error:
        raise NetworkError(f"cannot connect to {host}: {error}") from error
    except httpx.TransportError as error:
        raise NetworkError(f"the connection to {host} was cut before the end: {error}") from error
