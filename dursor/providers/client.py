"""The `Caller` over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dursor.domain import Role
from dursor.errors import AuthError, CallError, TruncatedError
from dursor.providers.adapters.error_mapping import classify, key_hint, scrub
from dursor.providers.adapters.error_payloads import read_response
from dursor.providers.base import Prompt, Turn
from dursor.providers.call import Call, adapter_for
from dursor.providers.deadlines import Watch, end_of
from dursor.providers.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dursor.domain import Usage
    from dursor.errors import DursorError
    from dursor.providers.adapters.error_payloads import Problem
    from dursor.providers.adapters.wire import Adapter
    from dursor.providers.base import Endpoint, Limits, Listener, Reply

SMALLEST_PROMPT = Prompt("", (Turn(Role.USER, "Say ok."),))
PROBE_TOKENS = 16


class Client:
    """Calls models over one HTTP client for the process."""

    def __init__(self, transport: Transport | None = None) -> None:
        self._transport = transport or Transport()
        self._dialects: dict[Any, Adapter] = {}  # what models and servers turned out to accept

    def warm(self, endpoints: Iterable[Endpoint]) -> None:
        """Start what takes long for ENDPOINTS, in a thread, before the first call is due."""
        plain = all((e.base_url or "").startswith("http://") for e in endpoints)
        self._transport.warm(tls=not plain)

    async def answer(
        self, endpoint: Endpoint, prompt: Prompt, limits: Limits, listener: Listener
    ) -> Reply:
        """Stream one whole answer; raises a CallError, its `usage` set when anything was spent."""
        _check_key(endpoint)
        known = (endpoint.provider, endpoint.base_url, endpoint.model_name, endpoint.api)
        call = Call(self._transport, endpoint, limits, listener, self._dialects.get(known))
        try:
            return await call.answer(prompt)
        except CallError as error:
            error.usage = call.usage
            scrub(error, endpoint)
            raise
        finally:
            self._dialects[known] = call.adapter

    async def check(self, endpoint: Endpoint, limits: Limits) -> None:
        """Prove key and model by the model's own entry, or where there is none by a tiny answer.

        Raises CallError. The entry is free; compatible servers and gateways often lack it.
        """
        _check_key(endpoint)
        try:
            problem = await self._probe(endpoint, limits)
            if problem is None:
                return
            if not _lacks_entries(endpoint, problem):
                raise classify(endpoint, problem).error
        except CallError as error:
            scrub(error, endpoint)
            raise
        await self._ask_little(endpoint, limits)

    async def _probe(self, endpoint: Endpoint, limits: Limits) -> Problem | None:
        request = adapter_for(endpoint).probe(endpoint)
        async with (
            Watch(limits, end_of(limits)),
            self._transport.exchange(request, limits.connect) as response,
        ):
            if response.status == 200:
                return None
            body = await response.excerpt()
            return read_response(response.status, response.headers, body)

    async def _ask_little(self, endpoint: Endpoint, limits: Limits) -> None:
        try:
            await self.answer(
                replace(endpoint, max_output_tokens=PROBE_TOKENS), SMALLEST_PROMPT, limits, Deaf()
            )
        except TruncatedError:
            return  # a model that thinks uses up the few tokens; it was reached all the same

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


class Deaf:
    """A listener that does not care."""

    def connected(self) -> None: ...

    def delta(self, text: str) -> None: ...

    def usage(self, usage: Usage) -> None: ...

    def retry(self, seconds: float, error: DursorError) -> None: ...


def _lacks_entries(endpoint: Endpoint, problem: Problem) -> bool:
    """Whether a server of the user's own may just not offer entries of models."""
    return endpoint.base_url is not None and problem.status in {404, 405, 501}


def _check_key(endpoint: Endpoint) -> None:
    """Refuse what cannot stand in a header, before something quotes it in an error."""
    key = endpoint.key.reveal()
    if not (key and key.isascii() and key.isprintable() and " " not in key):
        what = "holds characters that no key has" if key else "is empty"
        raise AuthError(f"the key for {endpoint.provider} {what}", hint=key_hint(endpoint))
