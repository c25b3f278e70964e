"""HTTP to one GitHub: the only module here that knows httpx."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

# httpx's own command line would bring click, rich and pygments along: half of the import's time.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

from dursor.errors import DeadlineError, NetworkError, ProviderError, UsageError  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.github.host import GitHubHost

PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
TOTAL_SECONDS = 180.0  # for one whole body, however steadily it drips
TOTAL_LIMIT = 32 << 20  # bytes of a body; a page of a hundred pull requests is 3 MB


class ConnectionFailedError(NetworkError):
    """No connection came to be: whatever it was, it did not happen."""


class CertificateError(NetworkError):
    """Nobody vouches for who answers: trying again changes nothing."""


@dataclass(frozen=True)
class RestResponse:
    """A whole response."""

    status: int
    headers: Mapping[str, str]  # names in any case
    body: bytes
    url: str


class RestTransport:
    """One HTTP client; redirects are not followed, cookies not kept, .netrc not read."""

    def __init__(self, host: GitHubHost, version: str) -> None:
        self._host = host
        self._agent = f"dursor/{version}"
        self._client: httpx.Client | None = None

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> RestResponse:
        """Send one request and read its response.

        Raises NetworkError (two of its kinds are defined here), DeadlineError or ProviderError.
        """
        client = self._opened()
        try:
            request = client.build_request(method, url, headers=dict(headers), content=body)
            with client.stream(
                method, request.url, headers=request.headers, content=body
            ) as response:
                body = _read(response, self._host.name)
                return RestResponse(response.status_code, response.headers, body, url)
        except (httpx.ConnectTimeout, httpx.ConnectError, httpx.ProxyError) as error:
            raise _unconnected(self._host.name, error) from error
        except httpx.TimeoutException as error:
            raise DeadlineError(
                f"{self._host.name} did not answer within {READ_SECONDS:g} s", hint="try again"
            ) from error
        except httpx.DecodingError as error:
            raise ProviderError(f"{self._host.name} sent what cannot be decoded") from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise NetworkError(
                f"the connection to {self._host.name} was cut: {_words(error)}", hint="try again"
            ) from error

    def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _opened(self) -> httpx.Client:
        if self._client is None:
            self._client = self._made()
        return self._client

    @property
    def _is_encrypted(self) -> bool:
        return self._host.api_url.startswith("https:")  # else nothing needs the certificates

    def _made(self) -> httpx.Client:
        try:
            return httpx.Client(
                headers={"user-agent": self._agent},
                timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
                verify=httpx.create_ssl_context() if self._is_encrypted else False,
                follow_redirects=False,
                trust_env=not self._host.is_loopback,  # proxies
            )
        except OSError as error:
            raise NetworkError(
                f"cannot load the trusted certificates: {error}",
                hint="check the files that SSL_CERT_FILE and SSL_CERT_DIR name",
            ) from error
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise UsageError(
                "the proxy in the environment is not one that can be used",
                hint="unset ALL_PROXY, or set HTTPS_PROXY=http://HOST:PORT",
            ) from error


def _read(response: httpx.Response, host: str) -> bytes:
    body, ends = bytearray(), time.monotonic() + TOTAL_SECONDS
    for piece in response.iter_bytes():
        body += piece
        if len(body) > TOTAL_LIMIT:
            raise ProviderError(f"a response has more than {TOTAL_LIMIT >> 20} MiB")
        if time.monotonic() > ends:
            raise DeadlineError(
                f"{host} took more than {TOTAL_SECONDS:g} s to answer", hint="try again"
            )
    return bytes(body)


def _unconnected(host: str, error: Exception) -> NetworkError:
    cause: BaseException | None = error
    while cause is not None:
        if verdict := getattr(cause, "verify_message", None):  # ssl.SSLCertVerificationError's
            return CertificateError(
                f"cannot trust {host}: {verdict}",
                hint="behind a proxy with certificates of its own: export SSL_CERT_FILE=CA.pem",
            )
        cause = cause.__cause__ or cause.__context__
    proxy = next((name for name in PROXIES if os.environ.get(name)), None)
    hint = "try again" if proxy is None else f"try again, or check the proxy that {proxy} names"
    return ConnectionFailedError(f"cannot connect to {host}: {_words(error)}", hint=hint)


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
