"""OpenAI, and servers compatible with its Chat Completions."""

from dursor.domain import ModelProfile
from dursor.providers.vendor import ErrorKind, ModelLimits, Vendor

VENDOR = Vendor(
    name="openai",
    key_variables=("OPENAI_API_KEY",),
    base_url="https://api.openai.com/v1",
    base_url_variable="OPENAI_BASE_URL",
    adapters={
        "responses": "dursor.providers.adapters.openai:ResponsesAdapter",
        "chat": "dursor.providers.adapters.chat:ChatAdapter",
    },
    compatible_api="chat",
    built_in=(
        ModelProfile(
            id="8d51a9ad7a3c4b0f9f2f6a1be5c07d16",
            name="gpt",
            provider="openai",
            model_name="gpt-6.1-sol",
            display_name="GPT-6.1 Sol",
            built_in=True,
        ),
    ),
    limits={
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
    error_codes={
        ErrorKind.OUT_OF_CREDIT: (
            "insufficient_quota",
            "credit_balance_exhausted",
            "billing_hard_limit_reached",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
            "organization_usage_limit_exceeded",
        ),
        ErrorKind.CONTEXT_TOO_LARGE: ("context_length_exceeded", "exceed_context_size_error"),
        ErrorKind.MODEL_NOT_FOUND: ("model_not_found",),
        ErrorKind.NO_ACCESS: ("invalid_api_key",),
        ErrorKind.REFUSED: (
            "content_filter",
            "content_policy_violation",
            "invalid_prompt",
            "bio_policy",
            "misalignment_policy_violation",
        ),
        ErrorKind.RATE_LIMITED: ("rate_limit_exceeded",),
        ErrorKind.TRANSIENT: ("server_is_overloaded", "slow_down", "server_error"),
    },
)
