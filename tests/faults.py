"""What llmock is told to do wrong, and which error and exit code a run then ends with."""

from typing import Any

from front import DIFF, KEYS


def fail(status: int, **more: Any) -> dict[str, Any]:
    return {"type": "fail", "status": status, "times": None, **more}


def broken(kind: str, after: int = 4) -> dict[str, Any]:
    return {"type": "stream_fault", "kind": kind, "after_chunks": after, "times": None}


def reply(reason: str = "stop") -> dict[str, Any]:
    return {"type": "reply", "text": DIFF, "finish_reason": reason, "times": None}


ECHO = "Incorrect API key provided: " + ", ".join(KEYS.values())
FAULTS: dict[str, tuple[list[dict[str, Any]], str, int]] = {
    "429 for ever": ([fail(429, retry_after=0.05)], "rate_limited", 5),
    "429, come back tomorrow": ([fail(429, retry_after=86_400)], "rate_limited", 5),
    "401": ([fail(401, message=ECHO)], "auth", 4),
    "403": ([fail(403, message=ECHO)], "auth", 4),
    "404": ([fail(404)], "model_not_found", 4),
    "500": ([fail(500, message=ECHO, retry_after=0.05)], "provider_error", 5),
    "529": ([fail(529, retry_after=0.05)], "provider_error", 5),
    "disconnect": ([reply(), broken("disconnect")], "network", 5),
    "disconnect at once": ([reply(), broken("disconnect", 0)], "network", 5),
    "truncate": ([reply(), broken("truncate")], "network", 5),
    "malformed": ([reply(), broken("malformed")], "provider_error", 5),
    "stall": ([reply(), broken("stall")], "timeout", 5),
    "stall at once": ([reply(), broken("stall", 0)], "timeout", 5),
    "no answer": ([{"type": "delay", "seconds": 30, "times": None}], "timeout", 5),
    "length": ([reply("length")], "truncated", 1),
    "content_filter": ([reply("content_filter")], "refused", 1),
}
