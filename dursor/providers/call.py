"""One answer in the making: attempts, limits, cut-off detection and usage, for every format."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from dursor.domain import ProviderName
from dursor.errors import DeadlineError, NetworkError, ProviderError
from dursor.providers.adapters.anthropic import MessagesAdapter
from dursor.providers.adapters.chat import ChatAdapter
from dursor.providers.adapters.error_mapping import Fault, classify, scrub
from dursor.providers.adapters.error_payloads import ReportedError, read_response, request_id
from dursor.providers.adapters.google import GeminiAdapter
from dursor.providers.adapters.openai import ResponsesAdapter
from dursor.providers.adapters.wire import Progress
from dursor.providers.base import Reply
from dursor.providers.deadlines import Watch, end_of
from dursor.providers.sse import EventTooLargeError, SseReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dursor.domain import Usage
    from dursor.providers.adapters.wire import Adapter, Decoder, Request
    from dursor.providers.base import Endpoint, Limits, Listener, Prompt
    from dursor.providers.sse import Event
    from dursor.providers.transport import Response, Transport

MAX_STREAM_BYTES = 128 * 1024 * 1024  # of one response; the longest answers are a third of that
MAX_HOPS = 16  # requests that one answer may take when the vendor hands out continuations
BACKOFF_FIRST, BACKOFF_CAP = 0.5, 8.0  # seconds
_json = json.JSONDecoder()
NO_STREAM = ("application/json", "text/html")  # kinds of body that hold no events


def adapter_for(endpoint: Endpoint) -> Adapter:
    """Choose the adapter that speaks ENDPOINT's wire format."""
    match endpoint.provider:
        case ProviderName.ANTHROPIC:
            return MessagesAdapter()
        case ProviderName.GOOGLE:
            return GeminiAdapter()
        case ProviderName.OPENAI:
            return ChatAdapter() if endpoint.api == "chat" else ResponsesAdapter()


class Call:
    """Gets one whole answer, over as many requests as that takes."""

    def __init__(
        self,
        transport: Transport,
        endpoint: Endpoint,
        limits: Limits,
        listener: Listener,
        adapter: Adapter | None = None,
    ) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._limits = limits
        self._listener = listener
        self.adapter = adapter or adapter_for(endpoint)
        self._total_at = end_of(limits)
        self._text: list[str] = []
        self._whole: list[Decoder] = []
        self._spent: Usage | None = None  # by the requests that are over
        self._decoder: Decoder | None = None
        self._request_id: str | None = None  # from the head of the last response

    @property
    def usage(self) -> Usage | None:
        """Add up what every request has spent so far; None when no vendor said."""
        running = self._decoder.usage if self._decoder else None
        if running is None or self._spent is None:
            return running or self._spent
        return self._spent + running

    async def answer(self, prompt: Prompt) -> Reply:
        """Get the whole answer. Raises CallError."""
        continuation: str | None = None
        for _ in range(MAX_HOPS):
            decoder = await self._part(prompt, continuation)
            decoder.finish()
            self._whole.append(decoder)
            continuation = decoder.continuation
            if continuation is None:
                return self._reply(decoder, may_call=bool(prompt.tools))
        raise ProviderError(f"the answer was not whole after {MAX_HOPS} requests")

    def _reply(self, decoder: Decoder, *, may_call: bool) -> Reply:
        text = "".join(self._text)
        named = self._request_id or decoder.request_id
        if any(one.calls_tools for one in self._whole):
            if not may_call:
                raise ProviderError("the model called a tool, and was given none")
            calls, items = zip(*(one.output() for one in self._whole), strict=True)
            return Reply(text, self.usage, named, tuple(chain(*calls)), tuple(chain(*items)))
        if not text.strip():
            raise ProviderError("the answer is empty, though the model says it is whole")
        return Reply(text, self.usage, named)

    async def _part(self, prompt: Prompt, continuation: str | None) -> Decoder:
        """Get what one request answers; it is made again while that is safe."""
        failures = 0
        while True:
            self._spent, decoder = self.usage, self.adapter.decoder()
            self._decoder = decoder
            adapter, heard = self.adapter, len(self._text)
            request = adapter.request(self._endpoint, prompt, continuation)
            fault = await self._attempt(request, decoder)
            if fault is None:
                return decoder
            scrub(fault.error, self._endpoint)
            if self.adapter is not adapter:
                continue
            seconds = self._pause(fault, failures)
            if seconds is None or len(self._text) > heard:
                raise fault.error
            failures += 1
            self._listener.retry(seconds, fault.error)
            await asyncio.sleep(seconds)

    def _pause(self, fault: Fault, failures: int) -> float | None:
        """Choose the seconds until the next attempt; None when there is to be none."""
        if not fault.retryable or failures >= self._limits.retries:
            return None
        asked = fault.error.retry_after
        if asked is None:
            wait = min(BACKOFF_CAP, BACKOFF_FIRST * 2**failures) * random.uniform(0.75, 1.0)  # noqa: S311 - jitter
        elif asked <= self._limits.retry_after_cap:
            wait = asked + random.uniform(0.0, min(1.0, asked / 10))  # noqa: S311 - jitter
        else:
            return None
        left = self._total_at - asyncio.get_running_loop().time()
        return wait if wait < left else None

    async def _attempt(self, request: Request, decoder: Decoder) -> Fault | None:
        """Make one request and read what it answers; None when that is whole."""
        try:
            async with (
                Watch(self._limits, self._total_at) as watch,
                self._transport.exchange(request, self._limits.connect) as response,
            ):
                self._request_id = request_id(response.headers)
                if response.status != 200 or _is_no_stream(response):
                    return await self._rejected(response)
                self._listener.connected()
                await self._read(response, decoder, watch)
        except ReportedError as error:
            named = error.problem.request_id or self._request_id
            return classify(self._endpoint, replace(error.problem, request_id=named))
        except (NetworkError, DeadlineError) as error:
            if decoder.progress is Progress.OPEN:
                return Fault(error, retryable=isinstance(error, NetworkError))
        return None

    async def _rejected(self, response: Response) -> Fault:
        body = await response.excerpt()
        problem = read_response(response.status, response.headers, body)
        self.adapter = self.adapter.alternative(problem) or self.adapter
        return classify(self._endpoint, problem)

    async def _read(self, response: Response, decoder: Decoder, watch: Watch) -> None:
        reader, size = SseReader(), 0
        try:
            while chunk := await response.read():
                watch.beat()
                size += len(chunk)
                if size > MAX_STREAM_BYTES:
                    raise ProviderError(f"the stream is longer than {MAX_STREAM_BYTES} bytes")
                self._take(reader.feed(chunk), decoder, watch)
                if decoder.progress is Progress.ENDED:
                    return
        except EventTooLargeError as error:
            raise ProviderError(f"the stream holds {error}") from error
        with suppress(ProviderError):  # half an event at the end is a cut, not a malformed one
            self._take(reader.close(), decoder, watch)
        if decoder.progress is Progress.OPEN:
            raise NetworkError("the answer was cut before its end: the connection was closed")

    def _take(self, events: list[Event], decoder: Decoder, watch: Watch) -> None:
        """Decode EVENTS; their text goes to the listener in one piece."""
        progress, usage = decoder.progress, decoder.usage
        new: list[str] = []
        try:
            new.extend(_texts(events, decoder))
        finally:  # what came before an error came all the same
            self._tell(new, changed=decoder.usage is not usage)
        if decoder.progress is not progress:
            watch.settled()
        elif new:
            watch.output_began()

    def _tell(self, new: list[str], *, changed: bool) -> None:
        if new:
            text = "".join(new)
            self._text.append(text)
            self._listener.delta(text)
        if changed and (usage := self.usage):
            self._listener.usage(usage)


def _is_no_stream(response: Response) -> bool:
    return response.headers.get("content-type", "").lower().startswith(NO_STREAM)


def _texts(events: list[Event], decoder: Decoder) -> Iterator[str]:
    """Decode EVENTS up to the one that ends the answer."""
    for event in events:
        if decoder.progress is Progress.ENDED:
            return
        if text := _decode(event, decoder):
            yield text


def _decode(event: Event, decoder: Decoder) -> str:
    data = event.data.strip()
    if data == b"[DONE]":
        decoder.done()
        return ""
    if not data:
        return ""
    try:
        text = data.decode()
        payload, end = _json.raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise ProviderError("the stream holds malformed JSON") from error
    if end != len(text) or not isinstance(payload, dict):
        raise ProviderError("the stream holds an event that is no JSON object")
    return decoder.read(event.name, payload, text)
