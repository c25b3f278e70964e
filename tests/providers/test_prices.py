import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from genai_prices import Usage as SourceUsage
from genai_prices import calc_price
from hypothesis import given
from hypothesis import strategies as st
from make_prices import make_table

from dursor.domain import Secret, Usage
from dursor.providers import prices
from dursor.providers.base import Endpoint

TABLE = json.loads((Path(prices.__file__).parent / "prices.json").read_text())
ROWS = [(vendor, model) for vendor, models in TABLE["models"].items() for model in models]
TODAY = date(2026, 11, 22)
DAYS = [TODAY, date(2026, 11, 29), date(2026, 11, 30), date(2026, 12, 1), date(2027, 1, 2)]
USAGES = [
    Usage(1_000, 600, 200, 50),
    Usage(272_000, 0, 10_000),
    Usage(272_001, 100_000, 10_000, 5_000, 50_000),
    Usage(900_000, 0, 0, 0, 900_000),
    Usage(),
]


def endpoint(vendor, model, **more):
    return Endpoint(vendor, model, Secret("k"), **more)


def at_source(vendor, model, usage, day):
    total = calc_price(
        SourceUsage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cached_input_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        ),
        model,
        provider_id=vendor,
        genai_request_timestamp=datetime.combine(day, datetime.min.time(), UTC),
    ).total_price
    return pytest.approx(float(total), rel=1e-9)


@pytest.mark.parametrize(("vendor", "model"), ROWS)
def test_the_table_agrees_with_its_source(vendor, model):
    """The drift test: run tests/make_prices.py when it fails."""
    for day in DAYS:
        for usage in USAGES:
            ours = prices.price_usage(endpoint(vendor, model), usage, day)
            assert ours == at_source(vendor, model, usage, day), (day, usage)


@pytest.mark.parametrize(("vendor", "model"), ROWS)
def test_a_dated_snapshot_has_the_source_s_price_or_none(vendor, model):
    name = f"{model}-2026-10-10" if vendor == "openai" else f"{model}-20261010"
    ours = prices.price_usage(endpoint(vendor, name), USAGES[0], TODAY)
    if ours is not None:
        assert ours == at_source(vendor, name, USAGES[0], TODAY)
    else:
        assert "snapshots" not in TABLE["models"][vendor][model][0]


def test_the_script_reproduces_the_table():
    assert make_table(date.fromisoformat(TABLE["as_of"])) == TABLE
    assert len(ROWS) >= 25
    assert "Permission is hereby granted" in TABLE["license"]


def test_the_built_in_models_have_prices():
    from dursor.providers.vendors import BUILT_IN

    for profile in BUILT_IN:
        assert prices.price_usage(endpoint(profile.provider, profile.model_name), USAGES[0], TODAY)


def test_prices_change_on_their_day():
    argon, flash = endpoint("google", "gemini-4-argon"), endpoint("google", "gemini-3.8-flash")
    usage = Usage(1_000_000, 0, 1_000_000)
    assert prices.price_usage(argon, usage, date(2026, 11, 30)) == 12.0
    assert prices.price_usage(argon, usage, date(2026, 12, 1)) == 24.0
    assert prices.price_usage(flash, usage, date(2026, 12, 31)) == 4.5
    assert prices.price_usage(flash, usage, date(2027, 1, 1)) == 9.0
    assert prices.price_usage(argon, usage, datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC)) == 24.0
    assert prices.price_usage(argon, usage, datetime(2026, 11, 30, 23, 59, tzinfo=UTC)) == 12.0


def test_a_long_prompt_raises_the_price_of_every_token():
    sol = endpoint("openai", "gpt-6.1-sol")
    assert prices.price_usage(sol, Usage(272_000, 0, 1_000_000), TODAY) == pytest.approx(10.544)
    assert prices.price_usage(sol, Usage(272_001, 0, 1_000_000), TODAY) == pytest.approx(16.088004)


@pytest.mark.parametrize(
    ("vendor", "model"),
    [
        ("openai", "gpt-6.2-sol"),
        ("openai", "gpt-6.1-sol-mini"),
        ("openai", "gpt-6.1-sol-2026-10-10-preview"),
        ("openai", ""),
        ("anthropic", "gpt-6.1-sol"),
        ("google", "gemini-flash-latest"),
    ],
)
def test_an_unknown_model_has_no_price(vendor, model):
    assert prices.price_usage(endpoint(vendor, model), USAGES[0], TODAY) is None
    assert prices.price_worst_case(endpoint(vendor, model), 1000, TODAY) is None


def test_a_user_s_own_server_has_only_the_user_s_price():
    own = endpoint("openai", "gpt-6.1-sol", base_url="http://localhost/v1", own_server=True)
    mine = {"gpt-6.1-sol": {"input": 1.0, "output": 2.0}}
    assert prices.price_usage(own, USAGES[0], TODAY) is None
    assert prices.price_worst_case(own, 1000, TODAY) is None
    assert prices.price_usage(own, Usage(1_000_000, 400_000, 1_000_000), TODAY, mine) == 3.0


def test_the_user_s_prices_come_first():
    sol = endpoint("openai", "gpt-6.1-sol")
    mine = {"gpt-6.1-sol": {"input": 1, "cached_input": 0.5, "output": 2}}
    usage = Usage(1_000_000, 400_000, 1_000_000, 0, 100_000)
    assert prices.price_usage(sol, usage, TODAY, mine) == pytest.approx(2.8)
    assert prices.price_usage(sol, usage, TODAY, {"other": {"input": 1, "output": 1}}) != 2.8


def test_an_incomplete_price_is_unknown():
    sol = endpoint("openai", "gpt-6.1-sol")
    assert prices.price_usage(sol, USAGES[0], TODAY, {"gpt-6.1-sol": {"input": 1}}) is None


@given(
    st.sampled_from(ROWS),
    st.sampled_from(DAYS),
    st.integers(0, 1_000_000),
    st.integers(0, 128_000),
    st.data(),
)
def test_no_reply_costs_more_than_its_worst_case(row, day, given, used, data):
    cached = data.draw(st.integers(0, given))
    written = data.draw(st.integers(0, given - cached))
    target = endpoint(*row, max_output_tokens=128_000)
    spent = prices.price_usage(target, Usage(given, cached, used, 0, written), day)
    assert spent <= prices.price_worst_case(target, given, day) * (1 + 1e-9)
