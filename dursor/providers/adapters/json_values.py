"""Typed access to vendors' JSON: they omit fields, and send null or the wrong type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from dursor.domain import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_TOKENS = 10**12  # more is not a count, and too large for sums, prices and the store


def as_object(value: Any) -> Mapping[str, Any]:
    """Return VALUE if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Return VALUE if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """Return VALUE if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def as_count(value: Any) -> int:
    """Return VALUE if it is a token count, else 0."""
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 < value <= MAX_TOKENS else 0


def build_usage(
    *, input_tokens: int, cached: int, output_tokens: int, reasoning: int, cache_write: int = 0
) -> Usage | None:
    """Build a usage in which no part exceeds its total; None when nothing was counted."""
    if not input_tokens and not output_tokens:
        return None
    cached = min(cached, input_tokens)
    return Usage(
        input_tokens,
        cached,
        output_tokens,
        min(reasoning, output_tokens),
        min(cache_write, input_tokens - cached),
    )


def parse_arguments(text: str) -> Mapping[str, Any] | None:
    """Parse a tool call's arguments, none for an empty TEXT; None when it is not an object."""
    joined = text.encode("utf-8", "backslashreplace").decode("utf-8")  # joins split surrogates
    try:
        value = json.loads(joined or "{}", parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON
