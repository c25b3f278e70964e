"""Requests and responses of the double."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

DOCS = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Request:
    """One request."""

    method: str
    target: str
    headers: Mapping[str, str]  # lower case
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path without escapes."""
        return unquote(self.raw_path)

    @property
    def raw_path(self) -> str:
        """The path with escapes."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query; of repeated names, the last value."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Response:
    """One response."""

    status: int
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = field(default_factory=tuple)

    def has(self, name: str) -> bool:
        """Tell whether a header is set."""
        return any(key.lower() == name for key, _ in self.headers)


def reply(status: int, value: Any = None, **headers: str) -> Response:
    """Return JSON; "_" in header names becomes "-"."""
    named = [(name.replace("_", "-"), text) for name, text in headers.items()]
    if value is None:
        return Response(status, b"", named)
    kind = ("Content-Type", "application/json; charset=utf-8")
    return Response(status, json.dumps(value).encode(), [kind, *named])


class RefusalError(Exception):
    """An error response."""

    def __init__(self, status: int, message: str, errors: Any = None, **headers: str) -> None:
        super().__init__(message)
        body: dict[str, Any] = {"message": message}
        if errors is not None:
            body["errors"] = errors
        self.response = reply(
            status, {**body, "documentation_url": DOCS, "status": str(status)}, **headers
        )


def invalid(*errors: Any) -> RefusalError:
    """Return a validation error."""
    return RefusalError(422, "Validation Failed", list(errors))


def missing() -> RefusalError:
    """Return the error for something that does not exist or is not visible."""
    return RefusalError(404, "Not Found")
