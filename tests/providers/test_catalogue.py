import subprocess
import sys

import pytest
from genai_prices.data_snapshot import get_snapshot
from make_prices import MODELS

from dursor.domain import ModelProfile, ProviderName
from dursor.providers import catalogue

ROWS = [(vendor, model) for vendor, models in MODELS.items() for model in models]


def profile(provider="openai", base_url=None, **options):
    return ModelProfile("0" * 32, "n", ProviderName(provider), "m", "M", base_url, options)


def test_the_built_in_profiles():
    """Stored runs point to the ids, so these may not change; names are what users type."""
    assert [(p.id, p.name, p.provider, p.model_name) for p in catalogue.BUILT_IN] == [
        ("8d51a9ad7a3c4b0f9f2f6a1be5c07d16", "gpt", "openai", "gpt-6.1-sol"),
        ("c47e0f3b92d84e61a8d50b7c3f9e1a24", "claude", "anthropic", "claude-sonnet-5-5"),
        ("1be2d6f05c9747a3b06e84a1d72f35c9", "gemini", "google", "gemini-3.8-flash"),
    ]
    assert all(p.built_in and p.base_url is None for p in catalogue.BUILT_IN)
    assert catalogue.built_in("claude") is catalogue.BUILT_IN[1]
    assert catalogue.built_in("llama") is None


def test_keys_and_base_urls_as_the_sdks_read_them():
    assert catalogue.KEY_VARIABLES["google"] == ("GOOGLE_API_KEY", "GEMINI_API_KEY")
    for table in (catalogue.KEY_VARIABLES, catalogue.BASE_URL_VARIABLES, catalogue.BASE_URLS):
        assert set(table) == set(ProviderName)
    assert all(url.startswith("https://") for url in catalogue.BASE_URLS.values())


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("openai", "OPENAI_BASE_URL"),
        ("anthropic", "ANTHROPIC_BASE_URL"),
        ("google", "GOOGLE_GEMINI_BASE_URL"),
    ],
)
def test_a_profile_s_base_url_comes_before_the_environment_s(provider, variable):
    environ = {variable: " http://gateway/v1 "}
    assert catalogue.base_url(profile(provider), environ) == "http://gateway/v1"
    assert catalogue.base_url(profile(provider, "http://mine"), environ) == "http://mine"
    assert catalogue.base_url(profile(provider), {variable: ""}) is None
    assert catalogue.base_url(profile(provider), {}) is None


def test_a_server_of_the_user_s_own_speaks_chat_unless_told_otherwise():
    assert catalogue.api(profile()) == "responses"
    assert catalogue.api(profile(base_url="http://mine/v1")) == "chat"
    assert catalogue.api(profile(base_url="http://mine/v1", api="responses")) == "responses"
    assert catalogue.api(profile(api="chat")) == "chat"
    assert catalogue.api(profile("anthropic", "http://mine")) is None


def test_windows():
    assert catalogue.window(ProviderName.OPENAI, "gpt-6.1-sol") == 1_050_000
    assert catalogue.window(ProviderName.OPENAI, "gpt-5.4-mini-2026-03-17") == 400_000
    assert catalogue.window(ProviderName.ANTHROPIC, "claude-haiku-4-5") == 200_000
    assert catalogue.limits(ProviderName.GOOGLE, "gemini-3.8-flash").max_output == 65_536
    for provider in ProviderName:
        assert catalogue.limits(provider, "llama-3").context_window == 128_000


@pytest.mark.parametrize(("vendor", "model"), ROWS)
def test_no_window_is_larger_than_the_source_knows(vendor, model):
    source = next(p for p in get_snapshot().providers if p.id == vendor).find_model(model)
    known = catalogue.window(ProviderName(vendor), model)
    assert known != catalogue.UNKNOWN.context_window
    assert source.context_window is None or known <= source.context_window


@pytest.mark.parametrize("module", ["catalogue", "prices", "base", "sse"])
def test_what_cheap_commands_load_is_light(module):
    code = f"import sys, dursor.providers.{module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"asyncio", "httpx", "h11", "ssl", "socket", "logging", "email", "urllib.request"}
    assert heavy.isdisjoint(loaded)


def test_the_client_does_not_load_what_httpx_s_command_line_needs():
    code = "import sys, dursor.providers.client; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "httpx" in loaded
    assert {"click", "rich", "pygments"}.isdisjoint(loaded)
