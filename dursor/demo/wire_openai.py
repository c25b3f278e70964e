"""OpenAI's side of the practice server: keys, errors, model list, and the two ways to ask."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any

from dursor.demo import wire_chat, wire_responses
from dursor.demo.http1 import HttpRequest, HttpResponse
from dursor.demo.problems import Kind, Problem, json_object
from dursor.demo.routes import Call, Route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dursor.demo.exchange import Practice

CREATED = 1_795_305_600  # when the practice models came out
ERRORS: Mapping[Kind, tuple[int, str, str | None]] = {  # status, type, code
    Kind.BAD_REQUEST: (400, "invalid_request_error", None),
    Kind.MISSING_KEY: (401, "invalid_request_error", None),
    Kind.WRONG_KEY: (401, "invalid_request_error", "invalid_api_key"),
    Kind.UNKNOWN_MODEL: (404, "invalid_request_error", "model_not_found"),
    Kind.UNKNOWN_PATH: (404, "invalid_request_error", None),
    Kind.WRONG_METHOD: (405, "invalid_request_error", "method_not_supported"),
    Kind.TOO_LARGE: (413, "invalid_request_error", None),
}


def claims(request: HttpRequest) -> bool:
    """Whether REQUEST is for OpenAI: whatever the other two did not claim."""
    return request.path.startswith("/v1/")


def authorize(request: HttpRequest, practice: Practice) -> None:
    """Check the key; raises Problem."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Problem(Kind.MISSING_KEY, "Missing bearer authentication in header")
    if key.strip() not in practice.keys:
        raise Problem(Kind.WRONG_KEY, "Incorrect API key provided.")


def error(problem: Problem, request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # a Vendor
    """Say PROBLEM as OpenAI does."""
    status, kind, code = ERRORS[problem.kind]
    message, param = problem.message, problem.param
    if problem.kind is Kind.UNKNOWN_MODEL:
        if param == wire_responses.API:
            status = 400  # where Chat Completions says 404
        message = f"The model `{message}` does not exist or you do not have access to it."
        param = "model"
    detail = {"message": message, "type": kind, "param": param, "code": problem.code or code}
    return _json({"error": detail}, status)


def _json(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, json.dumps(value).encode(), headers=_headers())


def _headers() -> dict[str, str]:
    return {
        "x-request-id": f"req_{secrets.token_hex(16)}",
        "openai-version": "2020-10-01",
        "openai-organization": "practice",
    }


def _create_response(call: Call) -> HttpResponse:
    request = call.received(wire_responses.read(json_object(call.http.body)))
    reply = call.practice.reply(request)
    if request.stream:
        return _events(wire_responses.stream(reply))
    return _json(wire_responses.whole(reply))


def _create_completion(call: Call) -> HttpResponse:
    request = call.received(wire_chat.read(json_object(call.http.body)))
    reply = call.practice.reply(request)
    return _events(wire_chat.stream(reply)) if request.stream else _json(wire_chat.whole(reply))


def _events(frames: Iterator[bytes]) -> HttpResponse:
    return HttpResponse(200, frames, "text/event-stream; charset=utf-8", _headers())


def _count(call: Call) -> HttpResponse:
    request = wire_responses.read(json_object(call.http.body))
    call.practice.find(request.model, request.api)
    return _json(wire_responses.counted(request))


def _list_models(call: Call) -> HttpResponse:
    return _json({"object": "list", "data": [_model(name) for name in call.practice.answers]})


def _show_model(call: Call) -> HttpResponse:
    call.practice.find(call.match["model"], "models")
    return _json(_model(call.match["model"]))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "dursor-practice"}


ROUTES = (
    Route("POST", re.compile(r"/v1/responses"), _create_response),
    Route("POST", re.compile(r"/v1/responses/input_tokens"), _count),
    Route("POST", re.compile(r"/v1/chat/completions"), _create_completion),
    Route("GET", re.compile(r"/v1/models"), _list_models),
    Route("GET", re.compile(r"/v1/models/(?P<model>[^/]+)"), _show_model),
)
