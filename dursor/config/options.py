"""Setting definitions: the default, the accepted values and a description of each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PRICE_FIELDS = ("input", "cached_input", "output")
LARGEST = 1e15


class Option(NamedTuple):
    """A setting; `parse` reads a string or a TOML value and raises ValueError if it is invalid."""

    name: str
    default: Any
    accepts: str
    description: str
    parse: Callable[[Any], Any]

    @property
    def variable(self) -> str:
        """The environment variable that overrides the setting."""
        return f"DURSOR_{self.name.upper()}"


def _parse_whole(value: Any) -> int:
    number = int(value.strip()) if isinstance(value, str) else value
    if type(number) is not int or not 0 <= number < LARGEST:  # True is an int
        raise ValueError
    return number


def _parse_count(value: Any) -> int:
    if number := _parse_whole(value):
        return number
    raise ValueError


def _parse_amount(value: Any) -> float:
    number = float(value.strip()) if isinstance(value, str) else value
    if type(number) not in {int, float} or not 0 <= number < LARGEST:  # NaN fails
        raise ValueError
    return int(number) if number == int(number) else float(number)


def _parse_positive(value: Any) -> float:
    if number := _parse_amount(value):
        return number
    raise ValueError


def parse_price(value: Any) -> float:
    """Read an amount in US dollars; ValueError if it is not one."""
    return _parse_amount(value.strip().removeprefix("$") if isinstance(value, str) else value)


def _parse_dollars(value: Any) -> float | None:
    is_none = isinstance(value, str) and value.strip().lower() in {"none", "off", ""}
    return None if is_none else parse_price(value)


def _choose(*choices: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if not isinstance(value, str) or value.strip().lower() not in choices:
            raise ValueError
        return value.strip().lower()

    return parse


def _parse_switch(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return _choose("auto", "on", "off")(value)


def parse_words(value: Any) -> tuple[str, ...]:
    """Read a TOML array of strings, or text separated by commas or spaces."""
    if isinstance(value, str):
        words = value.split(",") if "," in value else value.split()
        return tuple(word.strip() for word in words if word.strip())
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        raise ValueError
    return tuple(value)


def _parse_model_names(value: Any) -> tuple[str, ...]:
    names = parse_words(value)
    if not all(re.fullmatch(r"[a-z0-9][a-z0-9._-]*(:[1-9][0-9]*)?", name) for name in names):
        raise ValueError
    return names


_SECONDS = "seconds above 0"
_COUNT = "a whole number, 1 or more"
_GLOBS = 'a list of globs, such as ["secrets/**", "*.sqlite"]'
_MODELS = 'a list of model names, such as ["gpt", "claude"]'
_TOKENS = "a whole number of tokens"
_STORES = ("auto", "keyring", "file")
_LEVELS = ("debug", "info", "warning", "error")


_DEFINITIONS = (
    Option("models", (), _MODELS, "Models of a round without -m", _parse_model_names),
    Option(
        "context_budget", 32_000, f"{_TOKENS}, 0 or more", "Tokens of files to send", _parse_whole
    ),
    Option("max_files", 50, _COUNT, "Maximum number of files in a patch", _parse_count),
    Option(
        "max_output_tokens",
        32_000,
        f"{_TOKENS}, 1 or more",
        "Maximum tokens of a reply",
        _parse_count,
    ),
    Option("timeout", 900, _SECONDS, "Maximum time of a run", _parse_positive),
    Option("connect_timeout", 10, _SECONDS, "Maximum time to connect", _parse_positive),
    Option("first_byte_timeout", 300, _SECONDS, "Maximum time to the first byte", _parse_positive),
    Option("idle_timeout", 120, _SECONDS, "Maximum pause within a reply", _parse_positive),
    Option("retries", 4, "a whole number, 0 or more", "Maximum retries of a request", _parse_whole),
    Option(
        "retry_after_cap", 120, "seconds, 0 or more", "Maximum Retry-After to wait", _parse_amount
    ),
    Option("jobs", 0, "a whole number, 0 for no limit", "Maximum runs at once", _parse_whole),
    Option("concurrency", 64, _COUNT, "Maximum requests at once per provider", _parse_count),
    Option("require", "any", "any or all", "Runs that must succeed", _choose("any", "all")),
    Option("explore", "auto", "auto, on or off", "Let models read files with tools", _parse_switch),
    Option("budget_usd", None, "US dollars, or none", "Maximum cost of a round", _parse_dollars),
    Option("forbidden_paths", (), _GLOBS, "More paths to never send or change", parse_words),
    Option("allowed_paths", (), _GLOBS, "Exceptions to the forbidden paths", parse_words),
    Option(
        "key_store", "auto", "auto, keyring or file", "Store of new API keys", _choose(*_STORES)
    ),
    Option(
        "log_level",
        "warning",
        "debug, info, warning or error",
        "Least severe log level",
        _choose(*_LEVELS),
    ),
)
OPTIONS: Mapping[str, Option] = {option.name: option for option in _DEFINITIONS}


def split_price_key(name: str) -> tuple[str, str] | None:
    """Split `prices."MODEL".FIELD` (quotes optional) into model and field; None if it is not."""
    if not name.startswith("prices."):
        return None
    model, _, field = name.removeprefix("prices.").rpartition(".")
    model = model.strip("\"'")
    return (model, field) if model and field in PRICE_FIELDS else None


def parse_prices(value: Any) -> dict[str, dict[str, float]]:
    """Read the price table: US dollars per million tokens, by model and kind of token."""
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004 - every parser raises ValueError
    return {model: _parse_model_prices(fields) for model, fields in value.items()}


def _parse_model_prices(fields: Any) -> dict[str, float]:
    if not isinstance(fields, dict) or not set(fields) <= set(PRICE_FIELDS):
        raise ValueError
    return {field: _parse_amount(price) for field, price in fields.items()}
