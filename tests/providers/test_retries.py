"""Which calls are retried, how often, and after what delay."""

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
async def test_a_rate_limit_is_retried_after_a_wait(wire, server, endpoint, client, prompt):
    server.script(PATHS[wire], Script.error(429, LIMITED, retry_after="0.3"), OK[wire])
    listener = RecordingListener()
    reply = await client.ask(endpoint(wire), prompt, CallLimits(), listener)
    assert reply.text == listener.text == "whole"
    ((seconds, error),) = listener.retries
    assert 0.3 <= seconds <= 0.34
    assert isinstance(error, RateLimitedError)
    assert "Slow down." in error.message
    first, second = server.requests
    assert second.at - first.at >= 0.3
    assert first.body == second.body
    assert listener.connections == 1


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
async def test_retried_statuses(status, server, endpoint, client, prompt):
    server.script("/messages", Script.error(status, {}, retry_after_ms="1"), OK["messages"])
    reply = await client.ask(endpoint("messages"), prompt, CallLimits(), RecordingListener())
    assert reply.text == "whole"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 301, 307])
async def test_final_statuses(status, server, endpoint, client, prompt):
    headers = {"retry_after": "0", "location": "/messages"}
    server.script("/messages", Script.error(status, {}, **headers), OK["messages"])
    listener = RecordingListener()
    with pytest.raises(Exception, match=str(status)):
        await client.ask(endpoint("messages"), prompt, CallLimits(), listener)
    assert (len(server.requests), listener.retries, listener.connections) == (1, [], 0)


async def test_a_permanent_rate_limit_ends_the_call(server, endpoint, client, prompt):
    server.script("", Script.error(429, LIMITED, retry_after_ms="5"))
    listener = RecordingListener()
    with pytest.raises(RateLimitedError) as caught:
        await client.ask(endpoint("responses"), prompt, CallLimits(retries=3), listener)
    assert (len(server.requests), len(listener.retries)) == (4, 3)
    assert caught.value.retry_after == 0.005


@pytest.mark.parametrize(
    ("limits", "asked"), [(CallLimits(retry_after_cap=5.0), "6"), (CallLimits(total=3.0), "4")]
)
async def test_a_wait_beyond_the_limit_ends_the_call(
    limits, asked, server, endpoint, client, prompt
):
    server.script("", Script.error(429, LIMITED, retry_after=asked))
    start = time.monotonic()
    with pytest.raises(RateLimitedError) as caught:
        await client.ask(endpoint("responses"), prompt, limits, RecordingListener())
    assert time.monotonic() - start < 1.0
    assert len(server.requests) == 1
    assert caught.value.retry_after == float(asked)


async def test_google_s_delay_is_honoured(server, endpoint, client, prompt):
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.2s"}]
    body = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": details}}
    server.script("", Script.error(429, body), OK["gemini"])
    listener = RecordingListener()
    await client.ask(endpoint("gemini"), prompt, CallLimits(), listener)
    assert 0.2 <= listener.retries[0][0] <= 0.23


async def test_an_account_without_credit_is_not_retried(server, endpoint, client, prompt):
    body = {"error": {"type": "insufficient_quota", "message": "No credit."}}
    server.script("", Script.error(429, body, retry_after="0"))
    with pytest.raises(RateLimitedError, match="No credit") as caught:
        await client.ask(endpoint("responses"), prompt, CallLimits(), RecordingListener())
    assert len(server.requests) == 1
    assert "credit" in caught.value.hint


async def test_the_server_may_forbid_a_retry(server, endpoint, client, prompt):
    server.script("", Script.error(500, {}, x_should_retry="false"))
    with pytest.raises(ProviderError):
        await client.ask(endpoint("responses"), prompt, CallLimits(), RecordingListener())
    assert len(server.requests) == 1


async def test_delays_grow_and_vary(server, endpoint, client, prompt):
    server.script("", Script.error(500, {}))

    class Clock(RecordingListener):
        """Stops a call at its first wait, so that no test has to sit through it."""

        def on_retry(self, seconds, error):
            super().on_retry(seconds, error)
            raise error

    firsts = []
    for _ in range(8):
        listener = Clock()
        with pytest.raises(ProviderError):
            await client.ask(endpoint("responses"), prompt, CallLimits(), listener)
        firsts.append(listener.retries[0][0])
    assert all(0.375 <= seconds <= 0.5 for seconds in firsts)
    assert len(set(firsts)) > 1


async def test_retry_after_on_a_success_is_ignored(server, endpoint, client, prompt):
    headers = {"content-type": "text/event-stream", "retry-after": "24"}
    server.script("", Script(ALL["messages"]("whole"), headers=headers))
    reply = await client.ask(endpoint("messages"), prompt, CallLimits(), RecordingListener())
    assert reply.text == "whole"


@pytest.mark.parametrize("wire", ALL)
async def test_a_cut_before_output_is_retried(wire, server, endpoint, client, prompt):
    first = Script([ALL[wire]("x")[0] if wire != "gemini" else b": hm\n\n", 0.02, Action.CUT])
    server.script("", first, Script([Action.CUT], framing="raw"), OK[wire])
    listener = RecordingListener()
    reply = await client.ask(endpoint(wire), prompt, CallLimits(), listener)
    assert reply.text == "whole"
    assert [type(error) for _, error in listener.retries] == [NetworkError, NetworkError]


async def test_usage_includes_failed_attempts(server, endpoint, client, prompt):
    start = ALL["messages"]("x")[0]
    server.script("", Script([start, Action.END]), OK["messages"])
    listener = RecordingListener()
    reply = await client.ask(endpoint("messages"), prompt, CallLimits(), listener)
    assert reply.usage == listener.usages[-1] == Usage(2000, 1200, 201, 50)


async def test_an_error_s_usage_includes_every_attempt(server, endpoint, client, prompt):
    server.script("", Script([ALL["messages"]("x")[0], Action.END]))
    with pytest.raises(NetworkError) as caught:
        await client.ask(endpoint("messages"), prompt, CallLimits(retries=1), RecordingListener())
    assert caught.value.usage == Usage(2000, 1200, 2, 0)


async def test_a_closed_port(endpoint, client, prompt):
    target = endpoint("responses", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(NetworkError, match=r"cannot connect to 127\.0\.0\.1") as caught:
        await client.ask(target, prompt, CallLimits(retries=0), RecordingListener())
    assert caught.value.usage is None


async def test_a_delay_can_be_cancelled(server, endpoint, client, prompt):
    server.script("", Script.error(429, LIMITED, retry_after="60"))
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
    server.script("", Script([page, Action.HOLD], 401, {"content-type": "application/json"}))
    with pytest.raises(Exception, match="401") as caught:
        await client.ask(endpoint("responses"), prompt, CallLimits(), RecordingListener())
    assert len(str(caught.value)) < 600
    assert await server.wait_until(lambda s: len(s.disconnects) == 1)
