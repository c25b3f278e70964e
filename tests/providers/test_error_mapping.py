"""Errors of vendors: their class, hint and whether to retry."""

import json

import pytest
from vendors.server import RecordingListener, Script
from vendors.streams import ALL, PATHS, event

from dursor.domain import Secret
from dursor.errors import (
    AuthError,
    ContextTooLargeError,
    ModelNotFoundError,
    NetworkError,
    ProviderError,
    RateLimitedError,
    RefusedError,
)
from dursor.providers.adapters.error_mapping import classify
from dursor.providers.adapters.error_payloads import (
    read_payload,
    read_response,
    read_retry_after,
    to_one_line,
)
from dursor.providers.base import CallLimits, Endpoint

RETRY, NEVER = True, False
VENDORS = {
    "openai": Endpoint("openai", "gpt-x", Secret("k"), name="gpt"),
    "anthropic": Endpoint("anthropic", "claude-x", Secret("k"), name="claude"),
    "google": Endpoint("google", "gemini-x", Secret("k"), name="gemini"),
}


def openai(code=None, kind="invalid_request_error", message="m", param=None):
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def anthropic(kind, message="m", **details):
    error = {"type": kind, "message": message, **({"details": details} if details else {})}
    return {"type": "error", "error": error, "request_id": "req_body"}


def google(code, status, message="m", *details):
    error = {"code": code, "message": message, "status": status, "details": list(details)}
    return {"error": error}


def info(**fields):
    return {"@type": "type.googleapis.com/google.rpc.X", **fields}


PER_DAY = info(violations=[{"quotaId": "GenerateRequestsPerDayPerProject-FreeTier"}])
TABLE = [
    ("openai", 401, openai("invalid_api_key"), AuthError, NEVER),
    ("openai", 403, openai("forbidden"), AuthError, NEVER),
    ("openai", 403, openai("model_not_found"), ModelNotFoundError, NEVER),
    ("openai", 404, openai("model_not_found"), ModelNotFoundError, NEVER),
    ("openai", 400, openai("model_not_found"), ModelNotFoundError, NEVER),
    ("openai", 400, openai("context_length_exceeded"), ContextTooLargeError, NEVER),
    ("openai", 400, openai(None, message="maximum context length"), ContextTooLargeError, NEVER),
    ("openai", 400, openai(None, "exceed_context_size_error"), ContextTooLargeError, NEVER),
    ("openai", 400, openai("invalid_prompt"), RefusedError, NEVER),
    ("openai", 400, openai("content_policy_violation"), RefusedError, NEVER),
    ("openai", 400, openai("unsupported_value"), ProviderError, NEVER),
    ("openai", 429, openai("rate_limit_exceeded", "requests"), RateLimitedError, RETRY),
    ("openai", 429, openai("slow_down", "requests"), RateLimitedError, RETRY),
    ("openai", 429, openai(None, "insufficient_quota"), RateLimitedError, NEVER),
    ("openai", 429, openai("credit_balance_exhausted"), RateLimitedError, NEVER),
    ("openai", 429, openai("project_spend_limit_exceeded"), RateLimitedError, NEVER),
    ("openai", 500, openai("internal_error", "server_error"), ProviderError, RETRY),
    ("openai", 503, openai("server_is_overloaded"), ProviderError, RETRY),
    ("openai", 408, openai("request_timeout"), ProviderError, RETRY),
    ("openai", 409, openai("conflict"), ProviderError, RETRY),
    ("openai", 422, openai("unprocessable"), ProviderError, NEVER),
    ("anthropic", 401, anthropic("authentication_error"), AuthError, NEVER),
    ("anthropic", 402, anthropic("billing_error"), AuthError, NEVER),
    ("anthropic", 403, anthropic("permission_error"), AuthError, NEVER),
    ("anthropic", 404, anthropic("not_found_error"), ModelNotFoundError, NEVER),
    ("anthropic", 413, anthropic("request_too_large"), ContextTooLargeError, NEVER),
    (
        "anthropic",
        400,
        anthropic("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
        ContextTooLargeError,
        NEVER,
    ),
    (
        "anthropic",
        400,
        anthropic("invalid_request_error", "input length and max_tokens exceed context limit"),
        ContextTooLargeError,
        NEVER,
    ),
    ("anthropic", 400, anthropic("invalid_request_error", "bad effort"), ProviderError, NEVER),
    ("anthropic", 429, anthropic("rate_limit_error"), RateLimitedError, RETRY),
    (
        "anthropic",
        429,
        anthropic("rate_limit_error", error_code="enforced_spend_limit_reached"),
        RateLimitedError,
        NEVER,
    ),
    ("anthropic", 500, anthropic("api_error"), ProviderError, RETRY),
    ("anthropic", 504, anthropic("timeout_error"), ProviderError, RETRY),
    ("anthropic", 529, anthropic("overloaded_error"), ProviderError, RETRY),
    (
        "google",
        400,
        google(400, "INVALID_ARGUMENT", "m", info(reason="API_KEY_INVALID")),
        AuthError,
        NEVER,
    ),
    ("google", 400, google(400, "FAILED_PRECONDITION"), AuthError, NEVER),
    ("google", 402, google(402, "FAILED_PRECONDITION"), AuthError, NEVER),
    ("google", 403, google(403, "PERMISSION_DENIED"), AuthError, NEVER),
    ("google", 404, google(404, "NOT_FOUND"), ModelNotFoundError, NEVER),
    (
        "google",
        400,
        google(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum"),
        ContextTooLargeError,
        NEVER,
    ),
    ("google", 400, google(400, "INVALID_ARGUMENT", "bad level"), ProviderError, NEVER),
    ("google", 429, google(429, "RESOURCE_EXHAUSTED"), RateLimitedError, RETRY),
    ("google", 429, google(429, "RESOURCE_EXHAUSTED", "m", PER_DAY), RateLimitedError, NEVER),
    (
        "google",
        429,
        google(429, "RESOURCE_EXHAUSTED", "Quota exceeded, limit: 0, model: x"),
        RateLimitedError,
        NEVER,
    ),
    ("google", 500, google(500, "INTERNAL"), ProviderError, RETRY),
    ("google", 503, [google(503, "UNAVAILABLE")], ProviderError, RETRY),
    ("google", 504, google(504, "DEADLINE_EXCEEDED"), ProviderError, RETRY),
    ("openai", 302, {}, ProviderError, NEVER),
    ("openai", 418, [], ProviderError, NEVER),
    ("openai", 500, "text", ProviderError, RETRY),
    ("openai", 401, {"error": "no key"}, AuthError, NEVER),
    ("openai", 400, {"message": "flat", "code": "model_not_found"}, ModelNotFoundError, NEVER),
]


@pytest.mark.parametrize(("vendor", "status", "body", "kind", "retryable"), TABLE)
def test_classify_a_response(vendor, status, body, kind, retryable):
    payload = read_response(status, {}, json.dumps(body).encode())
    failure = classify(VENDORS[vendor], payload)
    assert type(failure.error) is kind
    assert failure.retryable is retryable
    assert f"answered {status}" in failure.error.message


STREAMED = [
    ("openai", {"type": "error", "code": "server_error", "message": "m"}, ProviderError, RETRY),
    ("openai", {"type": "error", "error": {"code": "slow_down"}}, ProviderError, RETRY),
    ("openai", {"error": {"code": "rate_limit_exceeded"}}, RateLimitedError, RETRY),
    ("openai", {"error": {"code": "invalid_prompt"}}, RefusedError, NEVER),
    ("openai", {"error": {"code": 400, "message": "Token limit reached"}}, ProviderError, NEVER),
    ("openai", {"error": {"code": 502, "message": "Upstream"}}, ProviderError, RETRY),
    ("openai", {"error": {"code": 429}}, RateLimitedError, RETRY),
    ("openai", {"error": {"code": "context_length_exceeded"}}, ContextTooLargeError, NEVER),
    ("anthropic", {"error": {"type": "overloaded_error"}}, ProviderError, RETRY),
    ("anthropic", {"error": {"type": "api_error"}}, ProviderError, RETRY),
    ("anthropic", {"error": {"type": "rate_limit_error"}}, RateLimitedError, RETRY),
    ("anthropic", {"error": {"type": "authentication_error"}}, AuthError, NEVER),
    ("google", {"error": {"code": 503, "status": "UNAVAILABLE"}}, ProviderError, RETRY),
    ("google", {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, RateLimitedError, RETRY),
]


@pytest.mark.parametrize(("vendor", "payload", "kind", "retryable"), STREAMED)
def test_classify_an_error_event(vendor, payload, kind, retryable):
    payload = read_payload(payload)
    assert payload is not None
    failure = classify(VENDORS[vendor], payload)
    assert type(failure.error) is kind
    assert failure.retryable is retryable


@pytest.mark.parametrize(
    ("status", "body", "hint"),
    [
        (401, openai(), "check OPENAI_API_KEY, or run: dursor models set-key gpt"),
        (404, openai(), "check the model name and base URL: dursor models show gpt"),
        (413, openai(), "send less: dursor run --context-budget 32000 ..."),
        (429, openai(), "wait, or run fewer models at once: dursor run --jobs 2 ..."),
        (429, openai("insufficient_quota"), "add credit to the account in"),
        (500, openai(), None),
    ],
)
def test_hints(status, body, hint):
    payload = read_response(status, {}, json.dumps(body).encode())
    text = classify(VENDORS["openai"], payload).error.hint
    assert text == hint if hint is None else text.startswith(hint)


def test_a_key_hint_has_every_variable_and_a_name():
    endpoint = Endpoint("google", "m", Secret("k"))
    hint = classify(endpoint, read_response(403, {}, b"")).error.hint
    assert hint == "check GOOGLE_API_KEY or GEMINI_API_KEY, or run: dursor models set-key google"


@pytest.mark.parametrize(
    ("headers", "body", "request_id"),
    [
        ({"x-request-id": "req_1"}, b"{}", "req_1"),
        ({"request-id": "req_2"}, json.dumps(anthropic("api_error")).encode(), "req_2"),
        ({}, json.dumps(anthropic("api_error")).encode(), "req_body"),
        ({}, json.dumps({**google(500, "INTERNAL"), "responseId": "r9"}).encode(), "r9"),
    ],
)
def test_a_message_contains_the_request_id(headers, body, request_id):
    error = classify(VENDORS["openai"], read_response(500, headers, body)).error
    assert error.message.endswith(f"(request {request_id})")


def test_a_proxy_s_page_is_quoted_in_part():
    page = b"<html>\x1b[31m Bad\n\n gateway \xff" + b"x" * 1000
    error = classify(VENDORS["openai"], read_response(502, {}, page)).error
    assert error.message.startswith("openai (gpt-x) answered 502: <html> [31m Bad gateway")
    assert len(error.message) < 300
    assert error.message.isprintable()


def test_one_line_is_printable_and_bounded():
    assert to_one_line("a\r\n\tb\x1b[2Jc\u202e") == "a b [2Jc"
    assert to_one_line("x" * 10_000) == "x" * 500 + "…"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 01 Jan 2026 00:00:00 +99999999999999999999"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_retry_after_in_every_form(headers, seconds):
    assert read_retry_after(headers) == seconds


def test_retry_after_as_a_date():
    import time
    from email.utils import formatdate

    later = formatdate(time.time() + 60, usegmt=True)
    assert 58 <= read_retry_after({"retry-after": later}) <= 60


@pytest.mark.parametrize(("asked", "retryable"), [("true", RETRY), ("false", NEVER)])
def test_the_server_can_decide_whether_to_retry(asked, retryable):
    body = json.dumps(openai()).encode()
    for status in (400, 429, 500):
        failure = classify(
            VENDORS["openai"], read_response(status, {"x-should-retry": asked}, body)
        )
        assert failure.retryable is retryable
    money = json.dumps(openai("insufficient_quota")).encode()
    failure = classify(VENDORS["openai"], read_response(429, {"x-should-retry": asked}, money))
    assert failure.retryable is NEVER


def test_google_sends_the_retry_delay_in_the_body():
    body = json.dumps(google(429, "RESOURCE_EXHAUSTED", "m", info(retryDelay="46s"))).encode()
    assert read_response(429, {}, body).retry_after == 46.0


ERRORS = {
    "responses": event({"type": "error", "code": "server_error", "message": "Broke."}, "error"),
    "chat": event({"error": {"code": 502, "type": "server_error", "message": "Broke."}}),
    "messages": event(
        {"type": "error", "error": {"type": "overloaded_error", "message": "Broke."}}, "error"
    ),
    "gemini": event({"error": {"code": 503, "status": "UNAVAILABLE", "message": "Broke."}}),
}


@pytest.mark.parametrize("wire", ALL)
async def test_an_error_event_after_output_is_final(wire, server, endpoint, client, prompt):
    events = ALL[wire]("half")
    server.script(PATHS[wire], Script([*events[:-2], ERRORS[wire], *events[-2:]]))
    listener = RecordingListener()
    with pytest.raises(ProviderError, match="reported an error: Broke"):
        await client.ask(endpoint(wire), prompt, CallLimits(), listener)
    assert len(server.requests) == 1
    assert listener.text


@pytest.mark.parametrize("wire", ALL)
async def test_an_error_event_before_output_is_retried(wire, server, endpoint, client, prompt):
    events = ALL[wire]("whole")
    server.script(PATHS[wire], Script([events[0], ERRORS[wire]]), Script(events))
    listener = RecordingListener()
    reply = await client.ask(endpoint(wire), prompt, CallLimits(), listener)
    assert reply.text == "whole"
    ((_, error),) = listener.retries
    assert isinstance(error, ProviderError)


async def test_a_failed_response_before_output_is_retried(server, endpoint, client, prompt):
    failed = ALL["responses"]("", status="failed", error={"code": "server_error", "message": "x"})
    server.script("/responses", Script(failed), Script(ALL["responses"]("whole")))
    reply = await client.ask(endpoint("responses"), prompt, CallLimits(), RecordingListener())
    assert reply.text == "whole"
    assert reply.usage.input_tokens == 2000  # the failed attempt reported usage


@pytest.mark.parametrize("wire", ALL)
async def test_no_error_contains_the_key(wire, server, endpoint, client, prompt):
    def echo(received):
        quoted = json.dumps(dict(received.headers))
        return Script.error(401, {"error": {"message": f"bad key in {quoted}"}})

    server.script("", echo)
    with pytest.raises(AuthError) as caught:
        await client.ask(endpoint(wire), prompt, CallLimits(), RecordingListener())
    error: BaseException | None = caught.value
    assert "bad key in" in str(error)
    while error is not None:
        assert "0123456789abcdef" not in repr(error) + repr(vars(error))
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("wire", ALL)
async def test_no_retry_contains_the_key(wire, server, endpoint, client, prompt):
    def echo(received):
        quoted = json.dumps(dict(received.headers))
        return Script.error(500, {"error": {"message": quoted}}, retry_after="0")

    server.script("", echo, Script(ALL[wire]("ok")))
    listener = RecordingListener()
    await client.ask(endpoint(wire), prompt, CallLimits(), listener)
    ((_, error),) = listener.retries
    assert "anthropic-version" in str(error) or "user-agent" in str(error)
    assert "0123456789abcdef" not in str(error) + repr(vars(error))


async def test_an_error_event_contains_the_request_id(server, endpoint, client, prompt):
    headers = {"content-type": "text/event-stream", "x-request-id": "req_7"}
    server.script("", Script([*ALL["responses"]("x")[:-1], ERRORS["responses"]], headers=headers))
    with pytest.raises(ProviderError, match=r"Broke\. \(request req_7\)"):
        await client.ask(endpoint("responses"), prompt, CallLimits(), RecordingListener())


async def test_a_reply_has_the_request_id_of_the_headers(server, endpoint, client, prompt):
    headers = {"content-type": "text/event-stream", "request-id": "req_8"}
    server.script("", Script(ALL["messages"]("ok"), headers=headers))
    reply = await client.ask(endpoint("messages"), prompt, CallLimits(), RecordingListener())
    assert reply.request_id == "req_8"


def test_a_request_s_repr_omits_its_headers(endpoint, prompt):
    from dursor.providers.call import load_adapter

    for wire in ALL:
        target = endpoint(wire)
        request = load_adapter(target).build_request(target, prompt)
        assert "0123456789abcdef" not in repr(request) + repr(target)


@pytest.mark.parametrize("key", ["", "a b", "sk-\n", "sk-ü", "sk-\x00", "sk-\r\nx-evil: 1"])
async def test_an_invalid_key_is_not_sent(key, server, endpoint, client, prompt):
    for call in (
        client.ask(
            endpoint("responses", key=Secret(key)), prompt, CallLimits(), RecordingListener()
        ),
        client.check(endpoint("responses", key=Secret(key)), CallLimits()),
    ):
        with pytest.raises(AuthError) as caught:
            await call
        assert key == "" or key not in str(caught.value)
    assert server.requests == []


def test_network_errors_are_not_provider_errors():
    assert not issubclass(NetworkError, ProviderError)
