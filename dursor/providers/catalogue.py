"""The models dursor knows: built-in profiles, key variables, base URLs, limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.domain import ModelProfile, ProviderName

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_VARIABLES: Mapping[ProviderName, tuple[str, ...]] = {
    ProviderName.OPENAI: ("OPENAI_API_KEY",),
    ProviderName.ANTHROPIC: ("ANTHROPIC_API_KEY",),
    ProviderName.GOOGLE: ("GOOGLE_API_KEY", "GEMINI_API_KEY"),  # in this order, as in its SDK
}
BASE_URL_VARIABLES: Mapping[ProviderName, str] = {
    ProviderName.OPENAI: "OPENAI_BASE_URL",
    ProviderName.ANTHROPIC: "ANTHROPIC_BASE_URL",
    ProviderName.GOOGLE: "GOOGLE_GEMINI_BASE_URL",
}
BASE_URLS: Mapping[ProviderName, str] = {
    ProviderName.OPENAI: "https://api.openai.com/v1",
    ProviderName.ANTHROPIC: "https://api.anthropic.com",
    ProviderName.GOOGLE: "https://generativelanguage.googleapis.com",
}
DEFAULT_MAX_OUTPUT = 32_000


@dataclass(frozen=True)
class ModelLimits:
    """Tokens: what one request may hold, input and output together, and the most it may answer."""

    context_window: int
    max_output: int


UNKNOWN = ModelLimits(128_000, 32_000)
_LIMITS: Mapping[ProviderName, Mapping[str, ModelLimits]] = {
    ProviderName.OPENAI: {
        "gpt-6": ModelLimits(1_050_000, 128_000),
        "gpt-5.6": ModelLimits(1_050_000, 128_000),
        "gpt-5.5": ModelLimits(1_000_000, 128_000),
        "gpt-5.4": ModelLimits(1_050_000, 128_000),
        "gpt-5.4-mini": ModelLimits(400_000, 128_000),
        "gpt-5.4-nano": ModelLimits(400_000, 128_000),
        "gpt-5.3": ModelLimits(128_000, 16_384),
        "gpt-5.3-codex": ModelLimits(400_000, 128_000),
        "gpt-5": ModelLimits(400_000, 128_000),
        "gpt-4.1": ModelLimits(1_000_000, 32_768),
        "gpt-4o": ModelLimits(128_000, 16_384),
    },
    ProviderName.ANTHROPIC: {
        "claude-sonnet-5": ModelLimits(1_000_000, 128_000),
        "claude-opus-5": ModelLimits(1_000_000, 128_000),
        "claude-fable-5": ModelLimits(1_000_000, 128_000),
        "claude-haiku-5": ModelLimits(1_000_000, 128_000),
        "claude-sonnet-4-6": ModelLimits(1_000_000, 64_000),
        "claude-opus-4-6": ModelLimits(1_000_000, 64_000),
        "claude-opus-4-7": ModelLimits(1_000_000, 64_000),
        "claude-opus-4-8": ModelLimits(1_000_000, 64_000),
        "claude-": ModelLimits(200_000, 32_000),
    },
    ProviderName.GOOGLE: {"gemini-": ModelLimits(1_000_000, 65_536)},
}

# The ids are drawn once and never change: stored runs point to them.
BUILT_IN: tuple[ModelProfile, ...] = (
    ModelProfile(
        id="8d51a9ad7a3c4b0f9f2f6a1be5c07d16",
        name="gpt",
        provider=ProviderName.OPENAI,
        model_name="gpt-6.1-sol",
        display_name="GPT-6.1 Sol",
        built_in=True,
    ),
    ModelProfile(
        id="c47e0f3b92d84e61a8d50b7c3f9e1a24",
        name="claude",
        provider=ProviderName.ANTHROPIC,
        model_name="claude-sonnet-5-5",
        display_name="Claude Sonnet 5.5",
        built_in=True,
    ),
    ModelProfile(
        id="1be2d6f05c9747a3b06e84a1d72f35c9",
        name="gemini",
        provider=ProviderName.GOOGLE,
        model_name="gemini-3.8-flash",
        display_name="Gemini 3.8 Flash",
        built_in=True,
    ),
)


def built_in(name: str) -> ModelProfile | None:
    """Find the built-in profile called NAME."""
    return next((profile for profile in BUILT_IN if profile.name == name), None)


def limits(provider: ProviderName, model_name: str) -> ModelLimits:
    """Find the limits of the longest known name that MODEL_NAME begins with, else a guess."""
    known = [prefix for prefix in _LIMITS[provider] if model_name.startswith(prefix)]
    return _LIMITS[provider][max(known, key=len)] if known else UNKNOWN


def window(provider: ProviderName, model_name: str) -> int:
    """Tell how many tokens one request may hold, input and output together."""
    return limits(provider, model_name).context_window


def base_url(profile: ModelProfile, environ: Mapping[str, str]) -> str | None:
    """Find the base URL the user set for PROFILE, its own first; None is the vendor's."""
    return profile.base_url or environ.get(BASE_URL_VARIABLES[profile.provider], "").strip() or None


def api(profile: ModelProfile) -> str | None:
    """Tell which of OpenAI's two formats PROFILE speaks; None for the other vendors.

    A profile with a base URL of its own is a compatible server, so Chat Completions unless its
    options say otherwise; a base URL from the environment keeps the vendor's own protocol.
    """
    if profile.provider is not ProviderName.OPENAI:
        return None
    return profile.options.get("api") or ("chat" if profile.base_url else "responses")
