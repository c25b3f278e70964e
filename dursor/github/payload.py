"""Reading GitHub's JSON: what should be there is there and of its kind, or one clear error."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from dursor.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

SHOWN = 300
LARGEST = (1 << 63) - 1  # what a database keeps
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def parse_json(body: bytes, host: str) -> Any:
    """Read BODY; ProviderError when it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderError(
            f"{host} sent something other than JSON", hint="check GITHUB_API_URL"
        ) from error


def to_object(value: Any) -> Mapping[str, Any]:
    """Take VALUE as an object."""
    return _checked(value, dict, "an object")


def to_list(value: Any) -> list[Any]:
    """Take VALUE as an array."""
    return _checked(value, list, "an array")


def text(value: Mapping[str, Any], key: str) -> str:
    """Take the string under KEY."""
    return _checked(value.get(key), str, f"a string as {key!r}")


def number(value: Mapping[str, Any], key: str) -> int:
    """Take the whole number under KEY; one that counts or names something."""
    found = _checked(value.get(key), int, f"a number as {key!r}")
    if not 0 <= found <= LARGEST:
        raise ProviderError(f"GitHub's answer does not hold a number as {key!r} that can be")
    return found


def inner(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Take the object under KEY; an empty one for null."""
    found = value.get(key)
    return {} if found is None else _checked(found, dict, f"an object as {key!r}")


def get_text(value: Mapping[str, Any], key: str) -> str | None:
    """Take the string under KEY, or None."""
    return None if value.get(key) is None else text(value, key)


def get_number(value: Mapping[str, Any], key: str) -> int | None:
    """Take the whole number under KEY, or None."""
    return None if value.get(key) is None else number(value, key)


def flag(value: Mapping[str, Any], key: str) -> bool:
    """Tell whether KEY is there and true."""
    return value.get(key) is True


def words(value: object) -> str:
    """Make what a server said fit for one line of a terminal."""
    line = CONTROL.sub(" ", str(value)).strip()
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"


def _checked(value: Any, kind: type[T], what: str) -> T:
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    raise ProviderError(f"GitHub's answer does not hold {what}")
