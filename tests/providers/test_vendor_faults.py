"""Every fault of a vendor ends the call in time, with the right error and number of attempts."""

import time

import pytest
from vendors.faults import TEXT, make_faults
from vendors.server import RecordingListener, ScriptedServer
from vendors.streams import ALL, PATHS

from dursor.errors import DursorError
from dursor.providers.base import CallLimits

FAULTS = make_faults()
PATIENT = CallLimits(first_byte=20.0, idle=20.0, total=30.0, retries=2)
IMPATIENT = CallLimits(first_byte=0.4, idle=0.4, total=2.0, retries=0)


@pytest.mark.parametrize("wire", ALL)
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault(name: str, wire: str, server: ScriptedServer, endpoint, client, prompt):
    fault = FAULTS[name]
    server.script(PATHS[wire], fault.script(wire))
    limits = IMPATIENT if fault.code == "timeout" else PATIENT
    listener = RecordingListener()
    started = time.monotonic()

    with pytest.raises(DursorError) as caught:
        await client.ask(endpoint(wire), prompt, limits, listener)

    assert time.monotonic() - started < limits.total + 2
    assert caught.value.code == fault.code
    assert len(server.requests) == len(listener.retries) + 1 == (3 if fault.retried else 1)
    assert TEXT.startswith(listener.text)
    if name[0].isdigit():
        assert f"answered {name[:3]}" in caught.value.message
    if name.startswith("stalled"):
        limit = "idle" if listener.text else "first-byte"
        assert f"{limit} limit" in caught.value.message
    if name == "output limit":
        assert listener.text == TEXT
        assert caught.value.usage.output_tokens > 0
