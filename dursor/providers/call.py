"""One model call: attempts, time limits, cut detection and usage, for every wire format."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING

from dursor.errors import DeadlineError, NetworkError, ProviderError
from dursor.providers.adapters.error_mapping import CallFailure, classify, scrub
from dursor.providers.adapters.error_payloads import ReportedError, read_request_id, read_response
from dursor.providers.adapters.wire import Progress
from dursor.providers.base import Reply
from dursor.providers.deadlines import DeadlineTimer, compute_deadline
from dursor.providers.sse import EventTooLargeError, SseReader
from dursor.providers.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dursor.domain import Usage
    from dursor.providers.adapters.wire import Adapter, Decoder, Request
    from dursor.providers.base import CallLimits, Endpoint, Prompt, StreamListener
    from dursor.providers.sse import Event
    from dursor.providers.transport import StreamingResponse, StreamingTransport

MAX_STREAM_BYTES = 128 * 1024 * 1024  # of one response; the longest replies are a third of that
MAX_REQUESTS = 16  # for one reply, when the vendor sends continuations
BACKOFF_FIRST, BACKOFF_CAP = 0.5, 8.0  # seconds
_json = json.JSONDecoder()
NO_STREAM = ("application/json", "text/html")  # bodies without events


def load_adapter(endpoint: Endpoint) -> Adapter:
    """Import and create the adapter of ENDPOINT's wire format."""
    adapters = VENDORS[endpoint.provider].adapters
    module, _, name = adapters[endpoint.api or next(iter(adapters))].partition(":")
    adapter: Adapter = getattr(import_module(module), name)()
    return adapter


class ModelCall:
    """Receives one complete reply, in as many requests as it takes."""

    def __init__(
        self,
        transport: StreamingTransport,
        endpoint: Endpoint,
        limits: CallLimits,
        listener: StreamListener,
        adapter: Adapter | None = None,
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._limits = limits
        self._listener = listener
        self.adapter = adapter or load_adapter(endpoint)
        self._deadline = compute_deadline(limits)
        self._text: list[str] = []
        self._decoders: list[Decoder] = []  # of the completed requests
        self._spent: Usage | None = None  # by the completed requests
        self._decoder: Decoder | None = None
        self._request_id: str | None = None  # from the headers of the last response

    @property
    def usage(self) -> Usage | None:
        """The usage of all requests so far; None when the vendor reported none."""
        running = self._decoder.usage if self._decoder else None
        if running is None or self._spent is None:
            return running or self._spent
        return self._spent + running

    async def run(self, prompt: Prompt) -> Reply:
        """Return the complete reply. Raises CallError."""
        continuation: str | None = None
        for _ in range(MAX_REQUESTS):
            decoder = await self._run_request(prompt, continuation)
            decoder.finish()
            self._decoders.append(decoder)
            continuation = decoder.continuation
            if continuation is None:
                return self._build_reply(decoder, may_call=bool(prompt.tools))
        raise ProviderError(f"the reply is still incomplete after {MAX_REQUESTS} requests")

    def _build_reply(self, decoder: Decoder, *, may_call: bool) -> Reply:
        text = "".join(self._text)
        request_id = self._request_id or decoder.request_id
        if any(decoder.calls_tools for decoder in self._decoders):
            if not may_call:
                raise ProviderError("the model called a tool, but it was offered none")
            calls, items = zip(
                *(decoder.collect_output() for decoder in self._decoders), strict=True
            )
            return Reply(text, self.usage, request_id, tuple(chain(*calls)), tuple(chain(*items)))
        if not text.strip():
            raise ProviderError("the reply is empty")
        return Reply(text, self.usage, request_id)

    async def _run_request(self, prompt: Prompt, continuation: str | None) -> Decoder:
        """Read the response to one request; retry while that is safe."""
        failures = 0
        while True:
            self._spent, decoder = self.usage, self.adapter.create_decoder()
            self._decoder = decoder
            adapter, received = self.adapter, len(self._text)
            request = adapter.build_request(self._endpoint, prompt, continuation)
            failure = await self._attempt(request, decoder)
            if failure is None:
                return decoder
            scrub(failure.error, self._endpoint)
            if self.adapter is not adapter:
                continue
            seconds = self._select_delay(failure, failures)
            if seconds is None or len(self._text) > received:
                raise failure.error
            failures += 1
            self._listener.on_retry(seconds, failure.error)
            await asyncio.sleep(seconds)

    def _select_delay(self, failure: CallFailure, failures: int) -> float | None:
        """Return the seconds until the next attempt, None for no further attempt."""
        if not failure.retryable or failures >= self._limits.retries:
            return None
        retry_after = failure.error.retry_after
        if retry_after is None:
            wait = min(BACKOFF_CAP, BACKOFF_FIRST * 2**failures) * random.uniform(0.75, 1.0)  # noqa: S311 - jitter
        elif retry_after <= self._limits.retry_after_cap:
            wait = retry_after + random.uniform(0.0, min(1.0, retry_after / 10))  # noqa: S311 - jitter
        else:
            return None
        left = self._deadline - asyncio.get_running_loop().time()
        return wait if wait < left else None

    async def _attempt(self, request: Request, decoder: Decoder) -> CallFailure | None:
        """Send one request and read its response; None when that is complete."""
        try:
            async with (
                DeadlineTimer(self._limits, self._deadline) as timer,
                self._transport.exchange(request, self._limits.connect) as response,
            ):
                self._request_id = read_request_id(response.headers)
                content_type = response.headers.get("content-type", "").lower()
                if response.status != 200 or content_type.startswith(NO_STREAM):
                    return await self._read_error(response)
                self._listener.on_connect()
                await self._read(response, decoder, timer)
        except ReportedError as error:
            request_id = error.payload.request_id or self._request_id
            return classify(self._endpoint, replace(error.payload, request_id=request_id))
        except (NetworkError, DeadlineError) as error:
            if decoder.progress is Progress.OPEN:
                return CallFailure(error, retryable=isinstance(error, NetworkError))
        return None

    async def _read_error(self, response: StreamingResponse) -> CallFailure:
        body = await response.read_excerpt()
        payload = read_response(response.status, response.headers, body)
        self.adapter = self.adapter.find_alternative(payload) or self.adapter
        return classify(self._endpoint, payload)

    async def _read(
        self, response: StreamingResponse, decoder: Decoder, timer: DeadlineTimer
    ) -> None:
        reader, size = SseReader(), 0
        try:
            while chunk := await response.read():
                timer.record_read()
                size += len(chunk)
                if size > MAX_STREAM_BYTES:
                    raise ProviderError(f"the stream exceeds {MAX_STREAM_BYTES} bytes")
                self._decode_events(reader.feed(chunk), decoder, timer)
                if decoder.progress is Progress.ENDED:
                    return
        except EventTooLargeError as error:
            raise ProviderError(f"the stream contains {error}") from error
        with suppress(ProviderError):  # half an event at the end is a cut, not malformed
            self._decode_events(reader.close(), decoder, timer)
        if decoder.progress is Progress.OPEN:
            raise NetworkError("the connection was cut before the end of the reply")

    def _decode_events(self, events: list[Event], decoder: Decoder, timer: DeadlineTimer) -> None:
        """Decode EVENTS and pass their text to the listener in one piece."""
        progress, usage = decoder.progress, decoder.usage
        new: list[str] = []
        try:
            new.extend(_iterate_texts(events, decoder))
        finally:  # text before an error counts
            self._notify(new, changed=decoder.usage is not usage)
        if decoder.progress is not progress:
            timer.start_grace()
        elif new:
            timer.start_idle_limit()

    def _notify(self, new: list[str], *, changed: bool) -> None:
        if new:
            text = "".join(new)
            self._text.append(text)
            self._listener.on_delta(text)
        if changed and (usage := self.usage):
            self._listener.on_usage(usage)


def _iterate_texts(events: list[Event], decoder: Decoder) -> Iterator[str]:
    """Decode EVENTS up to the one that ends the reply."""
    for event in events:
        if decoder.progress is Progress.ENDED:
            return
        if text := _decode(event, decoder):
            yield text


def _decode(event: Event, decoder: Decoder) -> str:
    data = event.data.strip()
    if data == b"[DONE]":
        decoder.mark_done()
        return ""
    if not data:
        return ""
    try:
        text = data.decode()
        payload, end = _json.raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise ProviderError("the stream contains malformed JSON") from error
    if end != len(text) or not isinstance(payload, dict):
        raise ProviderError("the stream contains an event that is not a JSON object")
    return decoder.read(event.name, payload, text)
