"""Anthropic."""

from dursor.domain import ModelProfile
from dursor.providers.vendor import ErrorKind, ModelLimits, Vendor

VENDOR = Vendor(
    name="anthropic",
    key_variables=("ANTHROPIC_API_KEY",),
    base_url="https://api.anthropic.com",
    base_url_variable="ANTHROPIC_BASE_URL",
    adapters={"messages": "dursor.providers.adapters.anthropic:MessagesAdapter"},
    built_in=(
        ModelProfile(
            id="c47e0f3b92d84e61a8d50b7c3f9e1a24",
            name="claude",
            provider="anthropic",
            model_name="claude-sonnet-5-5",
            display_name="Claude Sonnet 5.5",
            built_in=True,
        ),
    ),
    limits={
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
    error_codes={
        ErrorKind.OUT_OF_CREDIT: ("enforced_spend_limit_reached",),
        ErrorKind.CONTEXT_TOO_LARGE: ("request_too_large",),
        ErrorKind.MODEL_NOT_FOUND: ("not_found_error",),
        ErrorKind.NO_ACCESS: ("authentication_error", "permission_error", "billing_error"),
        ErrorKind.RATE_LIMITED: ("rate_limit_error",),
        ErrorKind.TRANSIENT: ("overloaded_error", "api_error", "timeout_error"),
    },
    too_large_phrases=("prompt is too long",),
)
