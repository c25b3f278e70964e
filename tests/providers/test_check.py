"""Checks of a key and a model with the cheapest call."""

import pytest
from vendors.server import Action, Script
from vendors.streams import ALL, PATHS

from dursor.errors import AuthError, DeadlineError, ModelNotFoundError
from dursor.providers.base import CallLimits

PROBES = {
    "responses": "/v1/models/model-1",
    "chat": "/v1/models/model-1",
    "messages": "/v1/models/model-1",
    "gemini": "/v1beta/models/model-1",
}


@pytest.mark.parametrize("wire", ALL)
async def test_a_check_requests_only_the_model_entry(wire, server, endpoint, client):
    server.script("/models/", Script([b"{}"], headers={"content-type": "application/json"}))
    await client.check(endpoint(wire), CallLimits())
    (asked,) = server.requests
    assert (asked.method, asked.path, asked.body) == ("GET", PROBES[wire], b"")


@pytest.mark.parametrize("wire", ALL)
async def test_a_check_of_a_server_without_entries_sends_a_tiny_prompt(
    wire, server, endpoint, client
):
    server.script(PATHS[wire], Script(ALL[wire]("ok")))
    await client.check(endpoint(wire), CallLimits())
    first, second = server.requests
    assert (first.method, second.method) == ("GET", "POST")
    assert b"16" in second.body


async def test_a_truncated_check_succeeds(server, endpoint, client):
    server.script("/messages", Script(ALL["messages"]("", reason="max_tokens")))
    await client.check(endpoint("messages"), CallLimits())


async def test_a_check_with_a_rejected_key(server, endpoint, client):
    server.script("", Script.error(401, {"error": {"message": "bad key"}}))
    with pytest.raises(AuthError, match="bad key"):
        await client.check(endpoint("responses"), CallLimits())
    assert len(server.requests) == 1


async def test_a_check_of_an_unknown_model(server, endpoint, client):
    server.script("", Script.error(404, {"error": {"code": "model_not_found", "message": "no"}}))
    with pytest.raises(ModelNotFoundError):
        await client.check(endpoint("responses"), CallLimits())


async def test_an_unanswered_check_times_out(server, endpoint, client):
    server.script("", Script([Action.HOLD], framing="raw"))
    with pytest.raises(DeadlineError, match="total limit"):
        await client.check(endpoint("responses"), CallLimits(total=0.2))
    assert await server.wait_until(lambda s: len(s.disconnects) == 1)


def test_only_a_user_s_own_server_may_lack_entries(endpoint):
    from dataclasses import replace

    from dursor.providers.adapters.error_payloads import ErrorPayload
    from dursor.providers.client import _may_lack_entries

    missing = ErrorPayload(404, frozenset(), "")
    assert _may_lack_entries(endpoint("responses"), missing)
    assert not _may_lack_entries(replace(endpoint("responses"), base_url=None), missing)
