"""Faults of vendors: for each, the response in every wire format and the error of the run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vendors import streams
from vendors.server import Action, Script, Step

TEXT = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a = 1\n+a = 'ü'\n" * 3
PIECES, EVENTS = 20, 12  # of the text, and events before a stream breaks

OPENAI_ERRORS = {
    400: ("invalid_request_error", "context_length_exceeded"),
    401: ("invalid_request_error", "invalid_api_key"),
    402: ("billing_error", "billing_required"),
    403: ("permission_error", "forbidden"),
    404: ("invalid_request_error", "model_not_found"),
    413: ("invalid_request_error", "request_too_large"),
    429: ("requests", "rate_limit_exceeded"),
    500: ("server_error", "internal_error"),
    503: ("server_error", "server_is_overloaded"),
    529: ("server_error", "overloaded"),
}
ANTHROPIC_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "overloaded_error",
    529: "overloaded_error",
}
GOOGLE_ERRORS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    529: "UNAVAILABLE",
}
TOO_LONG = {
    "responses": "Your input exceeds the context window of this model.",
    "chat": "This model's maximum context length is 8000 tokens.",
    "messages": "prompt is too long: 9000 tokens > 8000 maximum",
    "gemini": "The input token count (9000) exceeds the maximum number of tokens allowed (8000).",
}
REASONS = {
    "length": {"messages": "max_tokens", "gemini": "MAX_TOKENS"},
    "content_filter": {"messages": "refusal", "gemini": "SAFETY"},
}


def make_error(wire: str, status: int, message: str) -> dict[str, Any]:
    """Return the body of an error response."""
    if wire == "messages":
        error = {"type": ANTHROPIC_ERRORS[status], "message": message}
        return {"type": "error", "error": error, "request_id": "req_1"}
    if wire == "gemini":
        return {"error": {"code": status, "message": message, "status": GOOGLE_ERRORS[status]}}
    kind, code = OPENAI_ERRORS[status]
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def fail(status: int, message: str = "no", **headers: str) -> Callable[[str], Script]:
    """Return an error response with STATUS."""
    return lambda wire: Script.error(status, make_error(wire, status, message), **headers)


def exceed_window(wire: str) -> Script:
    """Return the error response to a prompt that is too long."""
    return fail(400, TOO_LONG[wire])(wire)


def break_off(events: int, *steps: Step) -> Callable[[str], Script]:
    """Return a stream that ends with STEPS after EVENTS."""
    return lambda wire: Script([*streams.ALL[wire](TEXT, PIECES)[:events], *steps])


def corrupt(events: int) -> Callable[[str], Script]:
    """Return a stream whose event after EVENTS is incomplete."""

    def script(wire: str) -> Script:
        listed = streams.ALL[wire](TEXT, PIECES)
        index = max(events, wire == "chat")  # Chat Completions begin with a comment
        listed[index] = listed[index][: len(listed[index]) // 2].rstrip() + b"\n\n"
        return Script(listed)

    return script


def end_early(reason: str) -> Callable[[str], Script]:
    """Return a complete stream whose finish reason is REASON, in the vendor's words."""

    def script(wire: str) -> Script:
        if wire == "responses":
            detail = {"length": "max_output_tokens"}.get(reason, reason)
            return Script(streams.responses(TEXT, status="incomplete", reason=detail))
        return Script(streams.ALL[wire](TEXT, reason=REASONS[reason].get(wire, reason)))

    return script


@dataclass(frozen=True)
class Fault:
    """A fault, and the error code and exit code of a run that meets it."""

    script: Callable[[str], Script]  # from the wire format
    code: str
    exit_code: int
    retried: bool = False


SOON, TOMORROW = {"retry_after": "0.05"}, {"retry_after": "86400"}


def make_faults(secret: str = "") -> dict[str, Fault]:
    """Return all faults; some error messages contain SECRET."""
    quote = f"Incorrect API key provided: {secret}"
    return {
        "429": Fault(fail(429, **SOON), "rate_limited", 5, retried=True),
        "429, retry tomorrow": Fault(fail(429, **TOMORROW), "rate_limited", 5),
        "401": Fault(fail(401, quote), "auth", 4),
        "402": Fault(fail(402), "auth", 4),
        "403": Fault(fail(403, quote), "auth", 4),
        "404": Fault(fail(404), "model_not_found", 4),
        "413": Fault(fail(413), "context_too_large", 1),
        "prompt too long": Fault(exceed_window, "context_too_large", 1),
        "500": Fault(fail(500, quote, **SOON), "provider_error", 5, retried=True),
        "503": Fault(fail(503, **SOON), "provider_error", 5, retried=True),
        "529": Fault(fail(529, **SOON), "provider_error", 5, retried=True),
        "reset": Fault(break_off(EVENTS, 0.05, Action.CUT), "network", 5),
        "reset before the first event": Fault(break_off(0, Action.CUT), "network", 5, retried=True),
        "truncated": Fault(break_off(EVENTS), "network", 5),
        "empty": Fault(break_off(0), "network", 5, retried=True),
        "malformed": Fault(corrupt(EVENTS), "provider_error", 5),
        "malformed first event": Fault(corrupt(0), "provider_error", 5),
        "stalled": Fault(break_off(EVENTS, Action.HOLD), "timeout", 5),
        "stalled before the first event": Fault(break_off(0, Action.HOLD), "timeout", 5),
        "no response": Fault(lambda _: Script([Action.HOLD], framing="raw"), "timeout", 5),
        "output limit": Fault(end_early("length"), "truncated", 1),
        "content filter": Fault(end_early("content_filter"), "refused", 1),
    }
