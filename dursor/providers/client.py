"""The client for model calls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dursor.domain import Role
from dursor.errors import AuthError, CallError, TruncatedError
from dursor.providers.adapters.error_mapping import build_key_hint, classify, scrub
from dursor.providers.adapters.error_payloads import read_response
from dursor.providers.base import Prompt, Turn
from dursor.providers.call import ModelCall, load_adapter
from dursor.providers.deadlines import DeadlineTimer, compute_deadline
from dursor.providers.transport import StreamingTransport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dursor.domain import Usage
    from dursor.errors import DursorError
    from dursor.providers.adapters.error_payloads import ErrorPayload
    from dursor.providers.adapters.wire import Adapter
    from dursor.providers.base import CallLimits, Endpoint, Reply, StreamListener

SMALLEST_PROMPT = Prompt("", (Turn(Role.USER, "Say ok."),))
PROBE_TOKENS = 16


class ModelClient:
    """Calls models over the one HTTP client of the process."""

    def __init__(self, transport: StreamingTransport | None = None) -> None:
        self._transport = transport or StreamingTransport()
        self._adapters: dict[Any, Adapter] = {}  # adjusted to what models and servers accept

    def warm(self, endpoints: Iterable[Endpoint]) -> None:
        """Start slow preparations for ENDPOINTS in a thread, before the first call."""
        plain = all((e.base_url or "").startswith("http://") for e in endpoints)
        self._transport.warm(tls=not plain)

    async def ask(
        self, endpoint: Endpoint, prompt: Prompt, limits: CallLimits, listener: StreamListener
    ) -> Reply:
        """Stream one complete reply; raises CallError, with `usage` set when tokens were used."""
        _check_key(endpoint)
        key = (endpoint.provider, endpoint.base_url, endpoint.model_name, endpoint.api)
        call = ModelCall(self._transport, endpoint, limits, listener, self._adapters.get(key))
        try:
            return await call.run(prompt)
        except CallError as error:
            error.usage = call.usage
            scrub(error, endpoint)
            raise
        finally:
            self._adapters[key] = call.adapter

    async def check(self, endpoint: Endpoint, limits: CallLimits) -> None:
        """Check key and model by reading the model's entry, which is free; raises CallError.

        Compatible servers and gateways often lack entries: there a tiny prompt is sent.
        """
        _check_key(endpoint)
        try:
            payload = await self._probe(endpoint, limits)
            if payload is None:
                return
            if not _may_lack_entries(endpoint, payload):
                raise classify(endpoint, payload).error
        except CallError as error:
            scrub(error, endpoint)
            raise
        await self._send_tiny_prompt(endpoint, limits)

    async def _probe(self, endpoint: Endpoint, limits: CallLimits) -> ErrorPayload | None:
        request = load_adapter(endpoint).build_probe(endpoint)
        async with (
            DeadlineTimer(limits, compute_deadline(limits)),
            self._transport.exchange(request, limits.connect) as response,
        ):
            if response.status == 200:
                return None
            body = await response.read_excerpt()
            return read_response(response.status, response.headers, body)

    async def _send_tiny_prompt(self, endpoint: Endpoint, limits: CallLimits) -> None:
        try:
            await self.ask(
                replace(endpoint, max_output_tokens=PROBE_TOKENS),
                SMALLEST_PROMPT,
                limits,
                NullListener(),
            )
        except TruncatedError:
            return  # reasoning used up the few tokens, but the model answered

    async def aclose(self) -> None:
        await self._transport.aclose()


class NullListener:
    """A no-op listener."""

    def on_connect(self) -> None: ...

    def on_delta(self, text: str) -> None: ...

    def on_usage(self, usage: Usage) -> None: ...

    def on_retry(self, seconds: float, error: DursorError) -> None: ...


def _may_lack_entries(endpoint: Endpoint, payload: ErrorPayload) -> bool:
    """Return whether the user's own server may just not offer model entries."""
    return endpoint.base_url is not None and payload.status in {404, 405, 501}


def _check_key(endpoint: Endpoint) -> None:
    """Reject a key that is not a valid header value, before an error could quote it."""
    key = endpoint.key.reveal()
    if not (key and key.isascii() and key.isprintable() and " " not in key):
        reason = "contains invalid characters" if key else "is empty"
        raise AuthError(f"the key for {endpoint.provider} {reason}", hint=build_key_hint(endpoint))
