"""When a call is made again, how often, and after how long."""

import asyncio
import json
import time

import pytest
from vendors.server import Action, RecordingListener, Script
from vendors.streams import ALL, PATHS

from dursor.domain import Usage
from dursor.errors import NetworkError, ProviderError, RateLimitedError
from dursor.providers.base import CallLimits

OK = {wire: Script(make("whole")) for wire, make in ALL.items()}
LIMITED = {"error": {"type": "rate_limit_error", "message": "Slow down."}}


@pytest.mark.parametrize("wire", ALL)
async def test_a_rate_limit_is_waited_for(wire, server, endpoint, client, prompt):
    server.on(PATHS[wire], Script.error(429, LIMITED, retry_after="0.3"), OK[wire])
    heard = RecordingListener()
    reply = await client.ask(endpoint(wire), prompt, CallLimits(), heard)
    assert reply.text == heard.text == "whole"
    ((seconds, error),) = heard.retries
    assert 0.3 <= seconds <= 0.34
    assert isinstance(error, RateLimitedError)
    assert "Slow down." in error.message
    first, second = server.requests
    assert second.at - first.at >= 0.3
    assert first.body == second.body
    assert heard.connections == 1


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
async def test_these_statuses_are_tried_again(status, server, endpoint, client, prompt):
    server.on("/messages", Script.error(status, {}, retry_after_ms="1"), OK["messages"])
    reply = await client.ask(endpoint("messages"), prompt, CallLimits(), RecordingListener())
    assert reply.text == "whole"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 301, 307])
async def test_these_are_not(status, server, endpoint, client, prompt):
    headers = {"retry_after": "0", "location": "/messages"}
    server.on("/messages", Script.error(status, {}, **headers), OK["messages"])
    heard = RecordingListener()
    with pytest.raises(Exception, match=str(status)):
        await client.ask(endpoint("messages"), prompt, CallLimits(), heard)
    assert (len(server.requests), heard.retries, heard.connections) == (1, [], 0)


async def test_a_rate_limit_for_ever_ends(server, endpoint, client, prompt):
    server.on("", Script.error(429, LIMITED, retry_after_ms="5"))
    heard = RecordingListener()
    with pytest.raises(RateLimitedError) as caught:
        await client.ask(endpoint("responses"), prompt, CallLimits(retries=3), heard)
    assert (len(server.requests), len(heard.retries)) == (4, 3)
    assert caught.value.retry_after == 0.005


@pytest.mark.parametrize(
    ("limits", "asked"), [(CallLimits(retry_after_cap=5.0), "6"), (CallLimits(total=3.0), "4")]
)
async def test_a_wait_that_is_too_long_is_not_begun(
    limits, asked, server, endpoint, client, prompt
):
    server.on("", Script.error(429, LIMITED, retry_after=asked))
    began = time.monotonic()
    with pytest.raises(RateLimitedError) as caught:
        await client.ask(endpoint("responses"), prompt, limits, RecordingListener())
    assert time.monotonic() - began < 1.0
    assert len(server.requests) == 1
    assert caught.value.retry_after == float(asked)


async def test_google_s_delay_is_honoured(server, endpoint, client, prompt):
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.2s"}]
    body = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": details}}
    server.on("", Script.error(429, body), OK["gemini"])
    heard = RecordingListener()
    await client.ask(endpoint("gemini"), prompt, CallLimits(), heard)
    assert 0.2 <= heard.retries[0][0] <= 0.23


async def test_an_empty_account_is_not_asked_again(server, endpoint, client, prompt):
    body = {"error": {"type": "insufficient_quota", "message": "No credit."}}
    server.on("", Script.error(429, body, retry_after="0"))
    with pytest.raises(RateLimitedError, match="No credit") as caught:
        await client.ask(endpoint("responses"), prompt, CallLimits(), RecordingListener())
    assert len(server.requests) == 1
    assert "credit" in caught.value.hint


async def test_the_server_may_forbid_a_retry(server, endpoint, client, prompt):
    server.on("", Script.error(500, {}, x_should_retry="false"))
    with pytest.raises(ProviderError):
        await client.ask(endpoint("responses"), prompt, CallLimits(), RecordingListener())
    assert len(server.requests) == 1


async def test_waits_grow_and_vary(server, endpoint, client, prompt):
    server.on("", Script.error(500, {}))

    class Clock(RecordingListener):
        """Stops a call at its first wait, so that no test has to sit through it."""

        def on_retry(self, seconds, error):
            super().on_retry(seconds, error)
            raise error

    firsts = []
    for _ in range(8):
        heard = Clock()
        with pytest.raises(ProviderError):
            await client.ask(endpoint("responses"), prompt, CallLimits(), heard)
        firsts.append(heard.retries[0][0])
    assert all(0.375 <= seconds <= 0.5 for seconds in firsts)
    assert len(set(firsts)) > 1


async def test_a_retry_after_on_a_success_means_nothing(server, endpoint, client, prompt):
    headers = {"content-type": "text/event-stream", "retry-after": "24"}
    server.on("", Script(ALL["messages"]("whole"), headers=headers))
    reply = await client.ask(endpoint("messages"), prompt, CallLimits(), RecordingListener())
    assert reply.text == "whole"


@pytest.mark.parametrize("wire", ALL)
async def test_a_cut_before_output_is_tried_again(wire, server, endpoint, client, prompt):
    first = Script([ALL[wire]("x")[0] if wire != "gemini" else b": hm\n\n", 0.02, Action.CUT])
    server.on("", first, Script([Action.CUT], framing="raw"), OK[wire])
    heard = RecordingListener()
    reply = await client.ask(endpoint(wire), prompt, CallLimits(), heard)
    assert reply.text == "whole"
    assert [type(error) for _, error in heard.retries] == [NetworkError, NetworkError]


async def test_the_tokens_of_a_failed_attempt_are_counted(server, endpoint, client, prompt):
    start = ALL["messages"]("x")[0]
    server.on("", Script([start, Action.END]), OK["messages"])
    heard = RecordingListener()
    reply = await client.ask(endpoint("messages"), prompt, CallLimits(), heard)
    assert reply.usage == heard.usages[-1] == Usage(2000, 1200, 201, 50)


async def test_the_tokens_of_every_failed_attempt_are_in_the_error(
    server, endpoint, client, prompt
):
    server.on("", Script([ALL["messages"]("x")[0], Action.END]))
    with pytest.raises(NetworkError) as caught:
        await client.ask(endpoint("messages"), prompt, CallLimits(retries=1), RecordingListener())
    assert caught.value.usage == Usage(2000, 1200, 2, 0)


async def test_nothing_listens(endpoint, client, prompt):
    target = endpoint("responses", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(NetworkError, match=r"cannot connect to 127\.0\.0\.1") as caught:
        await client.ask(target, prompt, CallLimits(retries=0), RecordingListener())
    assert caught.value.usage is None


async def test_a_wait_can_be_cancelled(server, endpoint, client, prompt):
    server.on("", Script.error(429, LIMITED, retry_after="60"))
    waits = asyncio.Event()

    class Waiting(RecordingListener):
        def on_retry(self, seconds, error):
            waits.set()

    task = asyncio.create_task(client.ask(endpoint("responses"), prompt, CallLimits(), Waiting()))
    await waits.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_error_bodies_are_read_in_part(server, endpoint, client, prompt):
    page = json.dumps({"error": {"message": "y" * 200_000}}).encode()
    server.on("", Script([page, Action.HOLD], 401, {"content-type": "application/json"}))
    with pytest.raises(Exception, match="401") as caught:
        await client.ask(endpoint("responses"), prompt, CallLimits(), RecordingListener())
    assert len(str(caught.value)) < 600
    assert await server.wait_until(lambda s: len(s.disconnects) == 1)
