"""HTTP to a GitHub host. No other module of this package imports httpx."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

# httpx's command line imports click, rich and pygments: half of its import time.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402

from dursor import __version__  # noqa: E402
from dursor.errors import DeadlineError, NetworkError, ProviderError, UsageError  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.github.host import GitHubHost

PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
TOTAL_SECONDS = 180.0  # for one whole body, however slowly it arrives
MAX_BYTES = 32 << 20  # of one body; a page of a hundred pull requests is 3 MB


class ConnectionFailedError(NetworkError):
    """No connection was made, so nothing was sent."""


class CertificateError(NetworkError):
    """The server's certificate is not trusted; a retry would not help."""


@dataclass(frozen=True)
class RestResponse:
    """A complete response."""

    status: int
    headers: Mapping[str, str]  # case-insensitive
    body: bytes
    url: str

    def json(self) -> Any:
        """Parse the body; ProviderError if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            host = self.url.partition("://")[2].partition("/")[0]
            raise ProviderError(
                f"{host} returned something other than JSON", hint="check GITHUB_API_URL"
            ) from error


class RestTransport:
    """One HTTP client without redirects, cookies and .netrc."""

    def __init__(self, host: GitHubHost) -> None:
        self._host = host
        self._client: httpx.Client | None = None

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> RestResponse:
        """Send one request; raises NetworkError, DeadlineError or ProviderError."""
        if self._client is None:
            self._client = self._create_client()
        name = self._host.name
        try:
            with self._client.stream(method, url, headers=dict(headers), content=body) as response:
                body = _read(response, name)
                return RestResponse(response.status_code, response.headers, body, url)
        except (httpx.ConnectTimeout, httpx.ConnectError, httpx.ProxyError) as error:
            raise _to_connect_error(name, error) from error
        except httpx.TimeoutException as error:
            raise DeadlineError(
                f"{name} did not respond within {READ_SECONDS:g} s", hint="try again"
            ) from error
        except httpx.DecodingError as error:
            raise ProviderError(f"{name} sent a body that cannot be decoded") from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise NetworkError(
                f"the connection to {name} was lost: {_describe(error)}", hint="try again"
            ) from error

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _create_client(self) -> httpx.Client:
        is_encrypted = self._host.api_url.startswith("https:")  # loading certificates takes time
        try:
            return httpx.Client(
                headers={"user-agent": f"dursor/{__version__}"},
                timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
                verify=httpx.create_ssl_context() if is_encrypted else False,
                follow_redirects=False,
                trust_env=not self._host.is_loopback,  # proxies
            )
        except OSError as error:
            raise NetworkError(
                f"cannot load the trusted certificates: {error}",
                hint="check SSL_CERT_FILE and SSL_CERT_DIR",
            ) from error
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise UsageError(
                "the proxy in the environment is not valid",
                hint="unset ALL_PROXY, or set HTTPS_PROXY=http://HOST:PORT",
            ) from error


def _read(response: httpx.Response, host: str) -> bytes:
    body, deadline = bytearray(), time.monotonic() + TOTAL_SECONDS
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ProviderError(f"{host} sent a response larger than {MAX_BYTES >> 20} MiB")
        if time.monotonic() > deadline:
            raise DeadlineError(
                f"{host} took more than {TOTAL_SECONDS:g} s to respond", hint="try again"
            )
    return bytes(body)


def _to_connect_error(host: str, error: Exception) -> NetworkError:
    cause: BaseException | None = error
    while cause is not None:
        if reason := getattr(cause, "verify_message", None):  # of ssl.SSLCertVerificationError
            return CertificateError(
                f"cannot trust {host}: {reason}",
                hint="export SSL_CERT_FILE=CA.pem if a proxy uses its own certificates",
            )
        cause = cause.__cause__ or cause.__context__
    proxy = next((name for name in PROXIES if os.environ.get(name)), None)
    hint = "try again" if proxy is None else f"try again, or check the proxy in {proxy}"
    return ConnectionFailedError(f"cannot connect to {host}: {_describe(error)}", hint=hint)


def _describe(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
