"""What is wrong with a request, before a vendor's wire format gives it words and a status."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

T = TypeVar("T")


class Kind(StrEnum):
    """The ways a request can be refused."""

    BAD_REQUEST = "bad_request"
    MISSING_KEY = "missing_key"
    WRONG_KEY = "wrong_key"
    UNKNOWN_MODEL = "unknown_model"
    UNKNOWN_PATH = "unknown_path"
    WRONG_METHOD = "wrong_method"
    TOO_LARGE = "too_large"


class Problem(Exception):  # noqa: N818  # it becomes an answer, not a failure of the server
    """A request that is refused; `param` names the field, or the API that lacks the model."""

    def __init__(
        self,
        kind: Kind,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.param = param
        self.code = code


def bad_request(message: str, *, param: str | None = None, code: str | None = None) -> Problem:
    """Blame a field that is missing, of the wrong type or not allowed."""
    return Problem(Kind.BAD_REQUEST, message, param=param, code=code)


def json_object(data: bytes) -> dict[str, Any]:
    """Parse a body that must be one JSON object."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise bad_request("We could not parse the JSON body of your request.") from error
    return expect(body, dict, "body")


def expect(value: Any, kind: type[T], name: str) -> T:
    """Pass VALUE on when it is a KIND; an int is not a bool here."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise bad_request(
            f"Invalid type for '{name}': expected {_NAMES[kind]}, got {_name(value)} instead.",
            param=name,
            code="invalid_type",
        )
    return value


def names(words: str) -> frozenset[str]:
    """Split WORDS at blanks: the fields that an API knows."""
    return frozenset(words.split())


def required(body: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """Read the field NAME, which must be there."""
    if body.get(name) is None:
        raise bad_request(
            f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter"
        )
    return expect(body[name], kind, name)


def optional(body: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    """Read the field NAME; None when it is missing or null."""
    return None if body.get(name) is None else expect(body[name], kind, name)


def query_number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Read the whole number NAME of a query, which must be at most MOST."""
    text = query.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > most:
        raise bad_request(f"{name}: Input should be a number up to {most}", param=name)
    return int(text)


def unknown_field(body: Mapping[str, Any], known: Collection[str]) -> str | None:
    """Find the first field of BODY that is not KNOWN."""
    return next((name for name in body if name not in known), None)


_NAMES: dict[type[Any], str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "an integer",
    bool: "a boolean",
    float: "a decimal",
    type(None): "null",
}


def _name(value: Any) -> str:
    return _NAMES.get(type(value), "something else")
