"""The configuration keys: what each accepts, and its default."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PRICE_FIELDS = ("input", "cached_input", "output")
_NONE = ("none", "off", "")
LARGEST = 1e15


class Option(NamedTuple):
    """One key: `parse` takes a string or what TOML gives, and raises ValueError."""

    name: str
    default: Any
    accepts: str
    parse: Callable[[Any], Any]

    @property
    def variable(self) -> str:
        """The environment variable that overrides the key."""
        return "DURSOR_" + self.name.replace(".", "_").upper()


def _number(value: Any, *, whole: bool) -> float:
    number = (int if whole else float)(value.strip()) if isinstance(value, str) else value
    kinds = (int,) if whole else (int, float)
    if type(number) not in kinds or not -LARGEST < number < LARGEST:  # True is an int; NaN fails
        raise ValueError
    return float(number)


def _whole(least: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        number = _number(value, whole=True)
        if number < least:
            raise ValueError
        return int(number)

    return parse


def _amount(*, above_zero: bool) -> Callable[[Any], float]:
    def parse(value: Any) -> float:
        number = _number(value, whole=False)
        if number < 0 or (above_zero and number == 0):
            raise ValueError
        return int(number) if number == int(number) else number

    return parse


def _dollars(value: Any) -> float | None:
    if isinstance(value, str):
        if value.strip().lower() in _NONE:
            return None
        value = value.strip().removeprefix("$")
    return _amount(above_zero=False)(value)


def _one_of(*choices: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if not isinstance(value, str) or value.strip().lower() not in choices:
            raise ValueError
        return value.strip().lower()

    return parse


def _switch(value: Any) -> str:
    if isinstance(value, bool):  # as TOML says it
        return "on" if value else "off"
    return _one_of("auto", "on", "off")(value)


def parse_words(value: Any) -> tuple[str, ...]:
    """Read a list: TOML's, or text with commas (or blanks) between."""
    if isinstance(value, str):
        found = value.split(",") if "," in value else value.split()
        return tuple(one.strip() for one in found if one.strip())
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise ValueError
    return tuple(value)


def _names(value: Any) -> tuple[str, ...]:
    found = parse_words(value)
    if not all(re.fullmatch(r"[a-z0-9][a-z0-9._-]*(:[1-9][0-9]*)?", one) for one in found):
        raise ValueError
    return found


_SECONDS = "seconds above 0"
_COUNT = "a whole number, 1 or more"
_GLOBS = 'a list of globs, such as ["secrets/**", "*.sqlite"]'

OPTIONS: Mapping[str, Option] = {
    key.name: key
    for key in (
        Option("models", (), 'a list of model names, such as ["gpt", "claude"]', _names),
        Option("context_budget", 32_000, "a whole number of tokens, 0 or more", _whole(0)),
        Option("max_files", 50, _COUNT, _whole(1)),
        Option("max_output_tokens", 32_000, "a whole number of tokens, 1 or more", _whole(1)),
        Option("timeout", 900, _SECONDS, _amount(above_zero=True)),
        Option("connect_timeout", 10, _SECONDS, _amount(above_zero=True)),
        Option("first_byte_timeout", 300, _SECONDS, _amount(above_zero=True)),
        Option("idle_timeout", 120, _SECONDS, _amount(above_zero=True)),
        Option("retries", 4, "a whole number, 0 or more", _whole(0)),
        Option("retry_after_cap", 120, "seconds, 0 or more", _amount(above_zero=False)),
        Option("jobs", 0, "a whole number, 0 for no limit", _whole(0)),
        Option("concurrency", 64, _COUNT, _whole(1)),
        Option("require", "any", "any or all", _one_of("any", "all")),
        Option("explore", "auto", "auto, on or off", _switch),
        Option("budget_usd", None, "US dollars, or none", _dollars),
        Option("forbidden_paths", (), _GLOBS, parse_words),
        Option("allowed_paths", (), _GLOBS, parse_words),
        Option("key_store", "auto", "auto, keyring or file", _one_of("auto", "keyring", "file")),
        Option(
            "log_level",
            "warning",
            "debug, info, warning or error",
            _one_of("debug", "info", "warning", "error"),
        ),
    )
}

_PRICE = _amount(above_zero=False)


def split_price_key(name: str) -> tuple[str, str] | None:
    """Split `prices."MODEL".FIELD` (quoted or not) into model and field; None when it is none."""
    if not name.startswith("prices."):
        return None
    model, _, field = name.removeprefix("prices.").rpartition(".")
    model = model.strip("\"'")
    return (model, field) if model and field in PRICE_FIELDS else None


def parse_prices(value: Any) -> dict[str, dict[str, float]]:
    """Read the table of prices: US dollars a million tokens, by model and kind of token."""
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004 # one kind of error says: not accepted
    return {model: _prices_of(fields) for model, fields in value.items()}


def _prices_of(fields: Any) -> dict[str, float]:
    if not isinstance(fields, dict) or not set(fields) <= set(PRICE_FIELDS):
        raise ValueError
    return {field: _PRICE(price) for field, price in fields.items()}


def parse_price(value: Any) -> float:
    """Read one price; ValueError."""
    return _PRICE(value.strip().removeprefix("$") if isinstance(value, str) else value)
