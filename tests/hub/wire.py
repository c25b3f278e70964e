"""Requests and responses as the parts of the double hand them to each other."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

DOCS = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]  # lower case
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path, escapes decoded."""
        return unquote(self.raw_path)

    @property
    def raw_path(self) -> str:
        """The path as it was sent."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query; of names that come twice, the last."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Response:
    """One response."""

    status: int
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = field(default_factory=tuple)

    def has(self, name: str) -> bool:
        """Whether a header is set."""
        return any(one.lower() == name for one, _ in self.headers)


def reply(status: int, value: Any = None, **headers: str) -> Response:
    """Answer with JSON; in the names of headers, _ stands for -."""
    named = [(name.replace("_", "-"), text) for name, text in headers.items()]
    if value is None:
        return Response(status, b"", named)
    kind = ("Content-Type", "application/json; charset=utf-8")
    return Response(status, json.dumps(value).encode(), [kind, *named])


class RefusalError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str, errors: Any = None, **headers: str) -> None:
        super().__init__(message)
        body: dict[str, Any] = {"message": message}
        if errors is not None:
            body["errors"] = errors
        self.response = reply(
            status, {**body, "documentation_url": DOCS, "status": str(status)}, **headers
        )


def invalid(*errors: Any) -> RefusalError:
    """Refuse what is well formed and yet wrong."""
    return RefusalError(422, "Validation Failed", list(errors))


def missing() -> RefusalError:
    """Say that there is no such thing, or that one may not know of it."""
    return RefusalError(404, "Not Found")
