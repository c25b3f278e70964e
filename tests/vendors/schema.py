"""A small schema language for request bodies.

A type, a set of allowed values, `[schema]` for an array, a dict for an object (`"name?"` is optional,
`"*"` is the schema of fields that are not named), a `Variants` or a function of value and path.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Schema = Any


@dataclass(frozen=True)
class Variants:
    """Selects the schema of a value by `key(value)`."""

    key: Callable[[Any], Any]
    schemas: dict[Any, Schema]


def anything(value: Any, path: str) -> list[str]:
    """Accept every value."""
    return []


def at_least(minimum: int) -> Schema:
    """Return a schema for integers from MINIMUM."""

    def check(value: Any, path: str) -> Iterator[str]:
        if type(value) is not int or value < minimum:
            yield f"{path} must be an integer from {minimum}, not {value!r}"

    return check


def text(value: Any, path: str) -> Iterator[str]:
    """Accept a string that is not blank."""
    if not isinstance(value, str) or not value.strip():
        yield f"{path} must be a non-empty string, not {value!r}"


def text_or(schema: Schema) -> Variants:
    """Return a schema for a string or SCHEMA."""
    return Variants(lambda value: isinstance(value, str), {True: text, False: schema})


def by_type(schemas: dict[Any, Schema]) -> Variants:
    """Return a schema for objects distinguished by their `type`."""
    return Variants(lambda value: value.get("type"), schemas)


def find_mismatches(  # noqa: C901  # one branch per kind of schema
    value: Any, schema: Schema, path: str = "body"
) -> Iterator[str]:
    """Yield every place where VALUE does not match SCHEMA."""
    if isinstance(schema, Variants):
        try:
            schema = schema.schemas[schema.key(value)]
        except (KeyError, AttributeError, TypeError):
            yield f"{path} is of no known kind: {value!r}"
            return
    if isinstance(schema, dict):
        yield from _check_object(value, schema, path)
    elif isinstance(schema, list):
        yield from _check_array(value, schema[0], path)
    elif isinstance(schema, set):
        if not any(type(value) is type(item) and value == item for item in schema):
            yield f"{path} must be one of {sorted(schema, key=str)}, not {value!r}"
    elif isinstance(schema, type):
        if type(value) is not schema:
            yield f"{path} must be {schema.__name__}, not {value!r}"
    else:
        yield from schema(value, path)


def _check_array(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if not isinstance(value, list) or not value:
        yield f"{path} must be a non-empty array, not {value!r}"
        return
    for index, item in enumerate(value):
        yield from find_mismatches(item, schema, f"{path}[{index}]")


def _check_object(value: Any, schema: dict[str, Schema], path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} must be an object, not {value!r}"
        return
    known = {name.removesuffix("?"): field for name, field in schema.items()}
    for name in schema:
        if name != "*" and not name.endswith("?") and name not in value:
            yield f"{path}.{name} is missing"
    for name, item in value.items():
        if name in known or "*" in schema:
            yield from find_mismatches(item, known.get(name, schema.get("*")), f"{path}.{name}")
        else:
            yield f"{path}.{name} is not a known field"
