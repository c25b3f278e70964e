"""The four time limits: each ends the call with an error that names it and how to raise it."""

import socket
import time

import pytest
from vendors.server import Action, RecordingListener, Script
from vendors.streams import ALL, PATHS

from dursor.errors import DeadlineError
from dursor.providers.base import CallLimits

SHORT = 0.25
SLACK = 2.0


async def ends(call, limit, message, hint):
    start = time.monotonic()
    with pytest.raises(DeadlineError, match=message) as caught:
        await call
    assert limit <= time.monotonic() - start < limit + SLACK
    assert caught.value.hint == hint
    return caught.value


@pytest.mark.parametrize("begins", ["silence", "head", "first event"])
async def test_no_first_byte(begins, server, endpoint, client, prompt):
    first = [ALL["responses"]("x")[0]] if begins == "first event" else []
    framing = "raw" if begins == "silence" else "chunked"
    server.script("", Script([*first, Action.HOLD], framing=framing))
    limits = CallLimits(first_byte=SHORT, retries=3)
    call = client.ask(endpoint("responses"), prompt, limits, RecordingListener())
    await ends(
        call, SHORT, "first-byte limit", "allow more time: dursor config set first_byte_timeout 0.5"
    )
    assert len(server.requests) == 1
    assert await server.wait_until(lambda s: len(s.disconnects) == 1)


async def test_pings_extend_the_first_byte_limit(server, endpoint, client, prompt):
    pings = [step for _ in range(6) for step in (b": ping\n\n", 0.15)]
    server.script("", Script([*pings, *ALL["messages"]("late")]))
    limits = CallLimits(first_byte=0.7)
    reply = await client.ask(endpoint("messages"), prompt, limits, RecordingListener())
    assert reply.text == "late"


@pytest.mark.parametrize("wire", ALL)
async def test_idle(wire, server, endpoint, client, prompt):
    cut = {"responses": 8, "chat": 5, "messages": 9, "gemini": 3}[wire]
    server.script(PATHS[wire], Script([*ALL[wire]("hello")[:cut], Action.HOLD]))
    listener = RecordingListener()
    call = client.ask(endpoint(wire), prompt, CallLimits(idle=SHORT), listener)
    await ends(call, SHORT, "idle limit", "allow more time: dursor config set idle_timeout 0.5")
    assert listener.text
    assert await server.wait_until(lambda s: len(s.disconnects) == 1)


async def test_total(server, endpoint, client, prompt):
    drip = [step for _ in range(100) for step in (b": ping\n\n", 0.05)]
    server.script("", Script(drip))
    call = client.ask(endpoint("responses"), prompt, CallLimits(total=SHORT), RecordingListener())
    await ends(call, SHORT, "total limit", "allow more time: dursor run --timeout 1 ...")


async def test_total_applies_to_all_attempts(server, endpoint, client, prompt):
    server.script("", Script.error(500, {}, retry_after="0.3"))
    start, limits = time.monotonic(), CallLimits(total=1.0, retries=100)
    with pytest.raises(Exception, match="500"):
        await client.ask(endpoint("responses"), prompt, limits, RecordingListener())
    assert time.monotonic() - start < limits.total + SLACK
    assert 2 <= len(server.requests) <= 4


async def test_connect(client, endpoint, prompt):
    with socket.socket() as full:  # its connection queue is full
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            waiting.append(one)
        target = endpoint("responses", base_url=f"http://127.0.0.1:{full.getsockname()[1]}/v1")
        limits = CallLimits(connect=SHORT, retries=2)
        call = client.ask(target, prompt, limits, RecordingListener())
        try:
            await ends(
                call,
                SHORT,
                "connect limit",
                "allow more time: dursor config set connect_timeout 0.5",
            )
        finally:
            for one in waiting:
                one.close()


async def test_the_wait_after_a_complete_reply_is_short(server, endpoint, client, prompt):
    events = ALL["chat"]("whole", usage=None, done=False)
    server.script("/chat", Script([*events, Action.HOLD]))
    start = time.monotonic()
    reply = await client.ask(endpoint("chat"), prompt, CallLimits(idle=SHORT), RecordingListener())
    assert reply.text == "whole"
    assert time.monotonic() - start < SHORT + SLACK


async def test_an_open_connection_does_not_delay_a_complete_reply(server, endpoint, client, prompt):
    for wire in ("responses", "chat", "messages"):
        server.script(PATHS[wire], Script([*ALL[wire]("whole"), Action.HOLD]))
        start = time.monotonic()
        reply = await client.ask(endpoint(wire), prompt, CallLimits(), RecordingListener())
        assert reply.text == "whole"
        assert time.monotonic() - start < SLACK


async def test_an_exceeded_limit_reports_usage(server, endpoint, client, prompt):
    server.script("", Script([*ALL["messages"]("x")[:8], Action.HOLD]))
    with pytest.raises(DeadlineError) as caught:
        await client.ask(endpoint("messages"), prompt, CallLimits(idle=SHORT), RecordingListener())
    assert caught.value.usage.input_tokens == 1000
