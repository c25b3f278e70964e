"""Typed access to GitHub's JSON: a missing or mistyped value is one ProviderError."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from dursor.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

MAX_LINE = 300
MAX_NUMBER = (1 << 63) - 1  # the largest integer that the database stores
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def to_object(value: Any) -> Mapping[str, Any]:
    """Return VALUE, which must be an object."""
    return _check(value, dict, "an object")


def to_list(value: Any) -> list[Any]:
    """Return VALUE, which must be an array."""
    return _check(value, list, "an array")


def require_text(data: Mapping[str, Any], key: str) -> str:
    """Return the string under KEY."""
    return _check(data.get(key), str, f"a string as {key!r}")


def require_number(data: Mapping[str, Any], key: str) -> int:
    """Return the non-negative integer under KEY."""
    number = _check(data.get(key), int, f"a number as {key!r}")
    if not 0 <= number <= MAX_NUMBER:
        raise ProviderError(f"GitHub's response has a number out of range as {key!r}")
    return number


def get_text(data: Mapping[str, Any], key: str) -> str | None:
    """Return the string under KEY, or None."""
    return None if data.get(key) is None else require_text(data, key)


def get_number(data: Mapping[str, Any], key: str) -> int | None:
    """Return the integer under KEY, or None."""
    return None if data.get(key) is None else require_number(data, key)


def get_object(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the object under KEY; an empty one for null."""
    return {} if data.get(key) is None else to_object(data[key])


def to_line(value: object) -> str:
    """Make server text fit for one line of a terminal."""
    line = CONTROL.sub(" ", str(value)).strip()
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}…"


def _check(value: Any, kind: type[T], expected: str) -> T:
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    raise ProviderError(f"GitHub's response lacks {expected}")
