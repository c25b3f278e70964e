"""One request to GitHub as its rules want it: headers, redirects, pages, limits, retries."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode, urljoin

from dursor.errors import DeadlineError, NetworkError, ProviderError, RateLimitedError
from dursor.github import errors, rate_limits
from dursor.github.host import origin_of
from dursor.github.payload import parse_json
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
HOPS = 5
PATIENCE = 90.0  # seconds a command waits for rate limits, all in all
BACKOFF = (1.0, 3.0)  # before a second and third attempt at a request that may be repeated
PAGE = 100
PAGES = 1000


class Authenticator(Protocol):
    """In whose name requests are made."""

    @property
    def source(self) -> str:
        """Name where the login came from, in words for people."""
        ...

    def secret(self) -> Secret:
        """Give the token for the next request."""
        ...

    def refused(self, reply: RestResponse, attempt: int) -> bool:
        """Hear of a 401, and tell whether the next `secret` deserves another try."""
        ...


@dataclass(frozen=True)
class RestRequest:
    """One request; DOING says in words what for, after "cannot"."""

    method: str
    path: str  # below the API's address, or a whole URL of it
    doing: str
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    accept: tuple[int, ...] = ()  # statuses the caller wants to see besides 2xx


@dataclass
class RestClient:
    """Sends requests to HOST. NOTICE hears of waits, and SLEEP does them."""

    host: GitHubHost
    transport: RestTransport
    clock: Clock
    notice: Callable[[str], None]
    sleep: Callable[[float], None]
    patience: float = PATIENCE

    def send(self, ask: RestRequest, authority: Authenticator) -> RestResponse:
        """Send ASK until there is an answer; one clear error for what is no success."""
        attempt = refusals = 0
        while True:
            reply = self._reply(ask, authority)
            if reply.status == 401 and authority.refused(reply, refusals):
                refusals += 1
                continue
            if (seconds := rate_limits.pause(reply, attempt, self.clock.at(reply))) is not None:
                self._wait(seconds, reply)
                attempt += 1
                continue
            if reply.status < 300 or reply.status in ask.accept:
                return reply
            raise self._explained(reply, ask, authority)

    def get(self, path: str, doing: str, authority: Authenticator) -> Any:
        """Read what is at PATH."""
        return parse_json(
            self.send(RestRequest("GET", path, doing), authority).body, self.host.name
        )

    def pages(self, ask: RestRequest, authority: Authenticator) -> Iterator[Any]:
        """Read a list page by page, as GitHub links them."""
        ask = RestRequest("GET", ask.path, ask.doing, {**ask.query, "per_page": PAGE})
        for _ in range(PAGES):
            reply = self.send(ask, authority)
            yield parse_json(reply.body, self.host.name)
            following = _next(reply.headers.get("link", ""))
            if following is None:
                return
            ask = RestRequest("GET", self._within(following, reply.url), ask.doing)
        raise ProviderError(f"{self.host.name} gave more than {PAGES} pages to {ask.doing}")

    def _reply(self, ask: RestRequest, authority: Authenticator) -> RestResponse:
        """Send ASK, again where that does no harm, and follow where it has moved to."""
        url = self._url(ask)
        for _ in range(HOPS):
            reply = self._persistent(ask, url, authority)
            if reply.status not in REDIRECTS:
                return reply
            url = self._within(reply.headers.get("location", ""), url)
        raise ProviderError(f"{self.host.name} sends this request in circles")

    def _persistent(self, ask: RestRequest, url: str, authority: Authenticator) -> RestResponse:
        for seconds in BACKOFF:
            try:
                reply = self._sent(ask, url, authority)
            except CertificateError:
                raise
            except ConnectionFailedError:
                pass
            except (NetworkError, DeadlineError):
                if ask.method != "GET":
                    raise
            else:
                if reply.status < 500 or ask.method != "GET":
                    return reply
            self.sleep(seconds)
        return self._sent(ask, url, authority)

    def _sent(self, ask: RestRequest, url: str, authority: Authenticator) -> RestResponse:
        headers = {**HEADERS, "authorization": f"Bearer {authority.secret().reveal()}"}
        body = None
        if ask.body is not None:
            headers["content-type"] = "application/json"
            body = json.dumps(ask.body).encode()
        return self.transport.send(ask.method, url, headers, body)

    def _url(self, ask: RestRequest) -> str:
        if ask.path.startswith("/"):
            query = f"?{urlencode(ask.query)}" if ask.query else ""
            return f"{self.host.api_url}{ask.path}{query}"
        return ask.path

    def _within(self, url: str, base: str) -> str:
        """Complete URL, one that the answer from BASE names; it must not lead elsewhere."""
        whole = urljoin(base, url)
        if not url or origin_of(whole) != origin_of(self.host.api_url):
            raise ProviderError(f"{self.host.name} sends this request to another host")
        return whole

    def _wait(self, seconds: float, reply: RestResponse) -> None:
        if seconds > self.patience:
            raise RateLimitedError(
                f"{self.host.name} wants no more requests for {_span(seconds)}: "
                f"{errors.problem(reply)[0] or 'rate limit'}",
                hint=f"try again in {_span(seconds)}: nothing is made twice",
                retry_after=seconds,
            )
        self.patience -= seconds
        self.notice(f"waiting {_span(seconds)} for the rate limit of {self.host.name}")
        self.sleep(seconds)

    def _explained(
        self, reply: RestResponse, ask: RestRequest, authority: Authenticator
    ) -> DursorError:
        said = reply.body.decode("utf-8", "replace")
        body = Redactor([authority.secret()]).clean(said).encode()
        return errors.explain(
            replace(reply, body=body), ask.doing, authority.source, self.host.name
        )


def _next(link: str) -> str | None:
    """Find the URL of the next page in a Link header."""
    for url, parameters in re.findall(r'<([^<>\s]+)>((?:\s*;\s*[a-z]+="[^"]*")*)', link):
        if re.search(r'rel="(?:[^"]* )?next(?: [^"]*)?"', parameters):
            return str(url)
    return None


def _span(seconds: float) -> str:
    whole = int(seconds + 0.999)
    return f"{whole} s" if whole < 120 else f"{(whole + 59) // 60} min"
