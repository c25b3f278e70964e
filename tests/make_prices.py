"""Write dursor/providers/prices.json from genai-prices: python tests/make_prices.py."""

import json
from datetime import UTC, date, datetime
from importlib.metadata import distribution
from pathlib import Path

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import StartDateConstraint, TieredPrices

TABLE = Path(__file__).parents[1] / "dursor" / "providers" / "prices.json"
MODELS = {
    "openai": [
        "gpt-6.1-sol",
        "gpt-6.1-terra",
        "gpt-6-sol",
        "gpt-6-astra",
        "gpt-6-luna",
        "gpt-5.6-sol",
        "gpt-5.6-terra",
        "gpt-5.6-luna",
        "gpt-5.5",
        "gpt-5.4",
        "gpt-5.4-mini",
    ],
    "anthropic": [
        "claude-sonnet-5-5",
        "claude-opus-5-5",
        "claude-haiku-5-5",
        "claude-fable-5-2",
        "claude-fable-5-1",
        "claude-sonnet-5",
        "claude-opus-5",
        "claude-sonnet-4-6",
        "claude-opus-4-8",
        "claude-haiku-4-5",
    ],
    "google": [
        "gemini-4-argon",
        "gemini-3.8-flash",
        "gemini-3.7-flash",
        "gemini-3.6-flash",
        "gemini-3.5-flash",
        "gemini-3.5-flash-lite",
        "gemini-3.1-pro-preview",
        "gemini-2.5-pro",
        "gemini-2.5-flash",
    ],
}
KINDS = {
    "input": "input_mtok",
    "cached_input": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "output": "output_mtok",
}
SNAPSHOT = {"openai": "-2026-11-01", "anthropic": "-20261101"}


def to_number(value):
    return int(value) if value == int(value) else float(value)


def build_row(prices):
    """Build the prices of one date; `above` has those of prompts over its `input_tokens`."""
    prices_by_kind = {kind: getattr(prices, field) for kind, field in KINDS.items()}
    known = {kind: price for kind, price in prices_by_kind.items() if price is not None}
    flat = {k: p.base if isinstance(p, TieredPrices) else p for k, p in known.items()}
    out = {kind: to_number(price) for kind, price in flat.items()}
    starts = {t.start for p in known.values() if isinstance(p, TieredPrices) for t in p.tiers}
    assert len(starts) <= 1, "a model with several tiers needs a richer table"
    for start in starts:
        tiered = {
            k: p.tiers[0].price if isinstance(p, TieredPrices) else p for k, p in known.items()
        }
        out["above"] = {"input_tokens": start, **{k: to_number(p) for k, p in tiered.items()}}
    return out


def build_rows(provider, name):
    model = provider.find_model(name)
    assert model is not None, name
    dated = model.prices if isinstance(model.prices, list) else None
    out = [build_row(c.prices) for c in dated] if dated else [build_row(model.prices)]
    for entry, condition in zip(out, dated or (), strict=bool(dated)):
        if condition.constraint is not None:
            assert isinstance(condition.constraint, StartDateConstraint), name
            entry["from"] = condition.constraint.start_date.isoformat()
    merged = [out[0]]
    for entry in out[1:]:  # the source may start a row for a price that the table omits
        if {**entry, "from": ""} != {**merged[-1], "from": ""}:
            merged.append(entry)
    snapshot = SNAPSHOT.get(provider.id)
    if snapshot and getattr(provider.find_model(name + snapshot), "id", None) == model.id:
        for entry in merged:
            entry["snapshots"] = True
    return merged


def make_table(today: date) -> dict:
    """Build the table from the installed genai-prices."""
    package = distribution("genai-prices")
    license_text = next(f for f in package.files or () if f.name == "LICENSE").read_text()
    providers = {p.id: p for p in get_snapshot().providers}
    return {
        "as_of": today.isoformat(),
        "source": f"genai-prices {package.version}, https://github.com/pydantic/genai-prices",
        "license": " ".join(license_text.split()),
        "unit": "USD per million tokens; input is what is neither read from nor written to a cache",
        "models": {
            vendor: {name: build_rows(providers[vendor], name) for name in names}
            for vendor, names in MODELS.items()
        },
    }


if __name__ == "__main__":
    table = make_table(datetime.now(UTC).date())
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
