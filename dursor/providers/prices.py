"""The cost of calls in USD, from a table with dates; an unknown price is None, never a guess."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from dursor.domain import Usage
    from dursor.providers.base import Endpoint

    Overrides = Mapping[str, Mapping[str, float]]

MILLION = 1_000_000
SNAPSHOT = re.compile(r"[-@]\d{4}-?\d{2}-?\d{2}$")  # the date of a model snapshot


@dataclass(frozen=True)
class Rates:
    """USD per million tokens of each kind."""

    input: float
    cached_input: float
    cache_write: float
    output: float

    @classmethod
    def read(cls, row: Mapping[str, float]) -> Rates | None:
        """Read a row of the table or of the user's config; None when it has no input or output."""
        if "input" not in row or "output" not in row:
            return None
        price = row["input"]
        return cls(
            price, row.get("cached_input", price), row.get("cache_write", price), row["output"]
        )


def price_usage(
    endpoint: Endpoint, usage: Usage, day: date, overrides: Overrides | None = None
) -> float | None:
    """Return the cost of one call's USAGE in USD, None when the price is unknown.

    DAY is in UTC. OVERRIDES are the user's prices, {model name: {input, cached_input, output,
    cache_write}} in USD per million tokens. Long prompts cost more per token, so price each call
    separately and add the results.
    """
    rates = _find_rates(endpoint, usage.input_tokens, day, overrides)
    if rates is None:
        return None
    fresh = usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens
    total = (
        max(0, fresh) * rates.input
        + usage.cached_input_tokens * rates.cached_input
        + usage.cache_write_tokens * rates.cache_write
        + usage.output_tokens * rates.output
    )
    return total / MILLION


def price_worst_case(
    endpoint: Endpoint, input_tokens: int, day: date, overrides: Overrides | None = None
) -> float | None:
    """Return the highest cost of one call in USD: no cache reads, the full output limit.

    None when the price is unknown. The other arguments are those of `price_usage`.
    """
    rates = _find_rates(endpoint, input_tokens, day, overrides)
    if rates is None:
        return None
    rate = max(rates.input, rates.cache_write)
    return (input_tokens * rate + endpoint.max_output_tokens * rates.output) / MILLION


@cache
def _load_table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(
        Path(__file__).with_name("prices.json").read_text(encoding="utf-8")
    )
    return table


def _find_rates(
    endpoint: Endpoint, input_tokens: int, day: date, overrides: Overrides | None
) -> Rates | None:
    if overrides and endpoint.model_name in overrides:
        return Rates.read(overrides[endpoint.model_name])
    if endpoint.own_server:
        return None
    rows = _find_rows(endpoint.provider, endpoint.model_name)
    current = [row for row in rows if row.get("from", "") <= day.isoformat()]
    if not current:
        return None
    row = current[-1]
    long = row.get("above")
    return Rates.read(long if long and input_tokens > long["input_tokens"] else row)


def _find_rows(provider: str, model_name: str) -> list[Mapping[str, Any]]:
    """Find the model's rows, oldest first; a dated snapshot has the price of its model."""
    models = _load_table()["models"].get(provider, {})
    rows: list[Mapping[str, Any]] = models.get(model_name, [])
    if not rows and (base := SNAPSHOT.sub("", model_name)) != model_name:
        rows = [row for row in models.get(base, []) if row.get("snapshots")]
    return rows
