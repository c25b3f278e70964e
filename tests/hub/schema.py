"""Checks requests against GitHub's OpenAPI description.

`requests.json` is the part of that description (MIT licence) for the operations of the double:
parameters, bodies, success statuses.
"""

import json
import re
from pathlib import Path
from typing import Any

from hub.wire import RefusalError, Request

OPERATIONS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "requests.json").read_text(encoding="utf-8")
)
TYPES = {"string": str, "boolean": bool, "object": dict, "array": list, "integer": int}
DEEP = {"branch", "basehead", "ref"}  # parameters that may contain slashes
VERSIONS = {"2022-11-28", "2026-03-10"}
ACCEPTED = {"application/vnd.github+json"}


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    out = ""
    for number, part in enumerate(parts):
        out += f"(?P<{part}>{'.+' if part in DEEP else '[^/]+'})" if number % 2 else re.escape(part)
    return re.compile(out)


ROUTES = [
    (method, template, _pattern(template))
    for method, template in (key.split(" ", 1) for key in OPERATIONS)
]


def route(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """Return the operation for METHOD and PATH, and the parameters of the path."""
    for known, template, pattern in ROUTES:
        if known == method and (match := pattern.fullmatch(path)):
            return f"{method} {template}", match.groupdict()
    return None


def check_headers(request: Request) -> list[str]:
    """Raise what GitHub refuses; return what it tolerates."""
    headers = request.headers
    if not headers.get("user-agent"):
        raise RefusalError(403, "Request forbidden by administrative rules: no User-Agent")
    version = headers.get("x-github-api-version")
    if version is not None and version not in VERSIONS:
        raise RefusalError(400, f"{version!r} is not a supported version of the API")
    problems = []
    if headers.get("accept") not in ACCEPTED:
        problems.append(f"Accept is {headers.get('accept')!r}")
    if version is None:
        problems.append("X-GitHub-Api-Version is not sent")
    if request.body and headers.get("content-type", "").split(";")[0] != "application/json":
        problems.append(f"Content-Type is {headers.get('content-type')!r}")
    return problems


def check(operation: str, request: Request) -> list[str]:
    """Check query and body; raise what GitHub refuses, return what it tolerates."""
    known = OPERATIONS[operation]
    problems = []
    for name, text in request.query.items():
        if name not in known["query"]:
            problems.append(f"{operation} has no parameter {name}")
        else:
            _check_parameter(name, text, known["query"][name])
    if int(request.query.get("per_page", "1")) > 100:
        problems.append("per_page is above 100")
    if "body" not in known:
        return problems + ([f"{operation} takes no body"] if request.body else [])
    if not request.body:
        if known.get("body_required"):
            raise RefusalError(422, "Invalid request.\n\nThe request body is missing.")
        return problems
    return problems + _check_body(operation, request, known["body"])


def _check_parameter(name: str, text: str, schema: dict[str, Any]) -> None:
    kind = schema.get("type")
    good = {
        "integer": text.isdecimal(),
        "boolean": text in {"true", "false"},
    }.get(str(kind), True)
    if name == "since":
        good = bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text))
    if not good or text not in schema.get("enum", [text]):
        raise RefusalError(422, f"Invalid request.\n\n{text!r} is no {name}.")


def _check_body(operation: str, request: Request, schema: dict[str, Any]) -> list[str]:
    try:
        body = request.json
    except ValueError:
        raise RefusalError(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise RefusalError(400, "Problems parsing JSON")
    for name in schema.get("required", ()):
        if name not in body:
            raise RefusalError(422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')
    return [f"{operation}: {item}" for item in _mismatches("", body, schema)]


def _mismatches(where: str, value: Any, schema: dict[str, Any]) -> list[str]:
    """Raise for values of the wrong type; return unknown fields."""
    kind = schema.get("type")
    if isinstance(kind, str) and kind in TYPES:
        wrong = not isinstance(value, TYPES[kind])
        if wrong or (kind == "integer" and isinstance(value, bool)):
            name = where.lstrip(".")
            raise RefusalError(422, f"Invalid request.\n\nFor '{name}', {value!r} is not a {kind}.")
    if "enum" in schema and value not in schema["enum"]:
        raise RefusalError(
            422, f"Invalid request.\n\n{value!r} is not a possible value of {where}."
        )
    if isinstance(value, list):
        return [m for item in value for m in _mismatches(where, item, schema.get("items", {}))]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    problems = [f"{where}.{name} is no field" for name in value if name not in schema["properties"]]
    for name, item in value.items():
        if name in schema["properties"]:
            problems += _mismatches(f"{where}.{name}", item, schema["properties"][name])
    return problems
