import subprocess
import sys
from pathlib import Path

import pytest
from genai_prices.data_snapshot import get_snapshot
from make_prices import MODELS

from dursor.domain import ModelProfile, Secret
from dursor.providers import vendors
from dursor.providers.base import Endpoint
from dursor.providers.call import load_adapter
from dursor.providers.vendor import UNKNOWN, ErrorKind
from dursor.providers.vendors import BUILT_IN, VENDORS

ROWS = [(vendor, model) for vendor, models in MODELS.items() for model in models]


def profile(provider="openai", base_url=None, **options):
    return ModelProfile("0" * 32, "n", provider, "m", "M", base_url, options)


def test_the_built_in_profiles():
    """Stored runs refer to the ids, so these never change; users type the names."""
    assert [(p.id, p.name, p.provider, p.model_name) for p in BUILT_IN] == [
        ("8d51a9ad7a3c4b0f9f2f6a1be5c07d16", "gpt", "openai", "gpt-6.1-sol"),
        ("c47e0f3b92d84e61a8d50b7c3f9e1a24", "claude", "anthropic", "claude-sonnet-5-5"),
        ("1be2d6f05c9747a3b06e84a1d72f35c9", "gemini", "google", "gemini-3.8-flash"),
    ]
    assert all(p.built_in and p.base_url is None for p in BUILT_IN)


def test_the_registry_is_complete():
    modules = {path.stem for path in Path(vendors.__file__).parent.glob("*.py")} - {"__init__"}
    assert set(VENDORS) == modules


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)
def test_every_vendor_has_every_entry(vendor):
    assert VENDORS[vendor.name] is vendor
    assert vendor.key_variables
    assert all(name.endswith("_API_KEY") for name in vendor.key_variables)
    assert vendor.base_url.startswith("https://")
    assert vendor.base_url_variable.endswith("_BASE_URL")
    assert vendor.built_in
    for profile in vendor.built_in:
        assert profile.provider == vendor.name
        assert vendor.find_limits(profile.model_name) != UNKNOWN
    for api in vendor.adapters:
        endpoint = Endpoint(vendor.name, "m", Secret("k"), api=api)
        adapter = load_adapter(endpoint)
        assert adapter.build_probe(endpoint).url.startswith(vendor.base_url)
        assert adapter.create_decoder().usage is None
    assert vendor.compatible_api in {None, *vendor.adapters}
    essential = {ErrorKind.MODEL_NOT_FOUND, ErrorKind.NO_ACCESS, ErrorKind.RATE_LIMITED}
    assert essential <= set(vendor.error_codes)
    assert MODELS[vendor.name]


def test_no_two_vendors_share_a_variable_or_an_error_code():
    variables = [name for v in VENDORS.values() for name in (*v.key_variables, v.base_url_variable)]
    codes = [c for v in VENDORS.values() for codes in v.error_codes.values() for c in codes]
    assert len(set(variables)) == len(variables)
    assert len(set(codes)) == len(codes)


def test_the_key_variables_of_google_in_the_order_of_its_sdk():
    assert VENDORS["google"].key_variables == ("GOOGLE_API_KEY", "GEMINI_API_KEY")


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("openai", "OPENAI_BASE_URL"),
        ("anthropic", "ANTHROPIC_BASE_URL"),
        ("google", "GOOGLE_GEMINI_BASE_URL"),
    ],
)
def test_a_profile_s_base_url_comes_before_the_environment_s(provider, variable):
    find, environ = VENDORS[provider].find_base_url, {variable: " http://gateway/v1 "}
    assert find(profile(provider), environ) == "http://gateway/v1"
    assert find(profile(provider, "http://mine"), environ) == "http://mine"
    assert find(profile(provider), {variable: ""}) is None
    assert find(profile(provider), {}) is None


def test_a_server_of_the_user_speaks_chat_unless_configured_otherwise():
    select = VENDORS["openai"].select_api
    assert select(profile()) == "responses"
    assert select(profile(base_url="http://mine/v1")) == "chat"
    assert select(profile(base_url="http://mine/v1", api="responses")) == "responses"
    assert select(profile(api="chat")) == "chat"
    assert VENDORS["anthropic"].select_api(profile("anthropic", "http://mine")) == "messages"


def test_limits_are_those_of_the_longest_known_prefix():
    assert VENDORS["openai"].find_limits("gpt-6.1-sol").context_window == 1_050_000
    assert VENDORS["openai"].find_limits("gpt-5.4-mini-2026-03-17").context_window == 400_000
    assert VENDORS["anthropic"].find_limits("claude-haiku-4-5").context_window == 200_000
    assert VENDORS["google"].find_limits("gemini-3.8-flash").max_output == 65_536
    for vendor in VENDORS.values():
        assert vendor.find_limits("llama-3") == UNKNOWN


@pytest.mark.parametrize(("vendor", "model"), ROWS)
def test_no_window_exceeds_the_source_s(vendor, model):
    source = next(p for p in get_snapshot().providers if p.id == vendor).find_model(model)
    known = VENDORS[vendor].find_limits(model).context_window
    assert known != UNKNOWN.context_window
    assert source.context_window is None or known <= source.context_window


@pytest.mark.parametrize("module", ["vendors", "prices", "base", "sse"])
def test_modules_of_cheap_commands_are_light(module):
    code = f"import sys, dursor.providers.{module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"asyncio", "httpx", "h11", "ssl", "socket", "logging", "email", "urllib.request"}
    assert heavy.isdisjoint(loaded)


def test_the_client_does_not_load_httpx_s_command_line():
    code = "import sys, dursor.providers.client; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "httpx" in loaded
    assert {"click", "rich", "pygments"}.isdisjoint(loaded)
