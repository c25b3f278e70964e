"""GitHub's REST API: headers, redirects, pages, rate limits, retries."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode, urljoin

from dursor.errors import DeadlineError, NetworkError, ProviderError, RateLimitedError
from dursor.github import rate_limits
from dursor.github.errors import to_error
from dursor.github.host import to_origin
from dursor.github.transport import CertificateError, ConnectionFailedError, RestResponse
from dursor.secrets.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dursor.domain import Secret
    from dursor.errors import DursorError
    from dursor.github.clock import Clock
    from dursor.github.host import GitHubHost
    from dursor.github.transport import RestTransport

VERSION = "2022-11-28"
HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": VERSION}
REDIRECTS = {301, 302, 307, 308}
MAX_REDIRECTS = 5
MAX_WAIT = 90.0  # seconds that one command waits for rate limits in total
BACKOFF = (1.0, 3.0)  # seconds before the second and third attempt at a repeatable request
PAGE_SIZE = 100
MAX_PAGES = 1000


class Authenticator(Protocol):
    """Provides the token of each request."""

    @property
    def source(self) -> str:
        """Origin of the credentials, for messages."""

    def get_token(self) -> Secret:
        """Return the token for the next request."""

    def handle_rejection(self, response: RestResponse, attempt: int) -> bool:
        """Handle a 401; True if the request should be sent again."""


@dataclass(frozen=True)
class RestRequest:
    """One request; errors say that dursor cannot ACTION."""

    method: str
    path: str  # below the API's URL, or a whole URL
    action: str
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    accept: tuple[int, ...] = ()  # statuses besides 2xx that are no error


@dataclass
class RestClient:
    """Sends requests to HOST."""

    host: GitHubHost
    transport: RestTransport
    clock: Clock
    notify: Callable[[str], None]  # receives a line for each wait
    sleep: Callable[[float], None]
    max_wait: float = MAX_WAIT

    def send(self, request: RestRequest, auth: Authenticator) -> RestResponse:
        """Send REQUEST, wait for rate limits and raise an error for an unexpected status."""
        attempt = rejections = 0
        while True:
            response = self._follow_redirects(request, auth)
            if response.status == 401 and auth.handle_rejection(response, rejections):
                rejections += 1
                continue
            now = self.clock.read_date(response)
            if (seconds := rate_limits.compute_delay(response, attempt, now)) is not None:
                self._wait(seconds)
                attempt += 1
                continue
            if response.status < 300 or response.status in request.accept:
                return response
            raise self._to_error(response, request, auth)

    def get(self, path: str, action: str, auth: Authenticator) -> Any:
        return self.send(RestRequest("GET", path, action), auth).json()

    def get_pages(self, request: RestRequest, auth: Authenticator) -> Iterator[Any]:
        """Yield the JSON of every page of a list."""
        request = replace(request, query={**request.query, "per_page": PAGE_SIZE})
        for _ in range(MAX_PAGES):
            response = self.send(request, auth)
            yield response.json()
            url = _find_next_page(response.headers.get("link", ""))
            if url is None:
                return
            request = RestRequest("GET", self._check_url(url, response.url), request.action)
        raise ProviderError(
            f"{self.host.name} returned more than {MAX_PAGES} pages to {request.action}"
        )

    def _follow_redirects(self, request: RestRequest, auth: Authenticator) -> RestResponse:
        url = request.path
        if url.startswith("/"):
            query = f"?{urlencode(request.query)}" if request.query else ""
            url = f"{self.host.api_url}{url}{query}"
        for _ in range(MAX_REDIRECTS):
            response = self._retry(request, url, auth)
            if response.status not in REDIRECTS:
                return response
            url = self._check_url(response.headers.get("location", ""), url)
        raise ProviderError(f"{self.host.name} redirects this request in a circle")

    def _retry(self, request: RestRequest, url: str, auth: Authenticator) -> RestResponse:
        """Send REQUEST, up to three times if that is safe."""
        for seconds in BACKOFF:
            try:
                response = self._send(request, url, auth)
            except CertificateError:
                raise
            except ConnectionFailedError:
                pass
            except (NetworkError, DeadlineError):
                if request.method != "GET":
                    raise
            else:
                if response.status < 500 or request.method != "GET":
                    return response
            self.sleep(seconds)
        return self._send(request, url, auth)

    def _send(self, request: RestRequest, url: str, auth: Authenticator) -> RestResponse:
        headers = {**HEADERS, "authorization": f"Bearer {auth.get_token().reveal()}"}
        body = None
        if request.body is not None:
            headers["content-type"] = "application/json"
            body = json.dumps(request.body).encode()
        return self.transport.send(request.method, url, headers, body)

    def _check_url(self, url: str, base: str) -> str:
        """Resolve URL against BASE; ProviderError if it leaves the host."""
        absolute = urljoin(base, url)
        if not url or to_origin(absolute) != to_origin(self.host.api_url):
            raise ProviderError(f"{self.host.name} redirects this request to another host")
        return absolute

    def _wait(self, seconds: float) -> None:
        span = _format_span(seconds)
        if seconds > self.max_wait:
            raise RateLimitedError(
                f"GitHub rate limit exceeded; retry in {span}",
                hint=f"run the same command again in {span}",
                retry_after=seconds,
            )
        self.max_wait -= seconds
        self.notify(f"GitHub rate limit exceeded, retrying in {span}")
        self.sleep(seconds)

    def _to_error(
        self, response: RestResponse, request: RestRequest, auth: Authenticator
    ) -> DursorError:
        text = Redactor([auth.get_token()]).clean(response.body.decode("utf-8", "replace"))
        response = replace(response, body=text.encode())
        return to_error(response, request.action, auth.source, self.host.name)


def _find_next_page(link: str) -> str | None:
    for url, parameters in re.findall(r'<([^<>\s]+)>((?:\s*;\s*[a-z]+="[^"]*")*)', link):
        if re.search(r'rel="(?:[^"]* )?next(?: [^"]*)?"', parameters):
            return str(url)
    return None


def _format_span(seconds: float) -> str:
    rounded = int(seconds + 0.999)
    return f"{rounded} s" if rounded < 120 else f"{(rounded + 59) // 60} min"
