"""Google's Gemini."""

from dursor.domain import ModelProfile
from dursor.providers.vendor import ErrorKind, ModelLimits, Vendor

VENDOR = Vendor(
    name="google",
    key_variables=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    base_url="https://generativelanguage.googleapis.com",
    base_url_variable="GOOGLE_GEMINI_BASE_URL",
    adapters={"gemini": "dursor.providers.adapters.google:GeminiAdapter"},
    built_in=(
        ModelProfile(
            id="1be2d6f05c9747a3b06e84a1d72f35c9",
            name="gemini",
            provider="google",
            model_name="gemini-3.8-flash",
            display_name="Gemini 3.8 Flash",
            built_in=True,
        ),
    ),
    limits={"gemini-": ModelLimits(1_000_000, 65_536)},
    error_codes={
        ErrorKind.MODEL_NOT_FOUND: ("NOT_FOUND",),
        ErrorKind.NO_ACCESS: (
            "API_KEY_INVALID",
            "UNAUTHENTICATED",
            "PERMISSION_DENIED",
            "FAILED_PRECONDITION",  # a country or account that is not served
        ),
        ErrorKind.RATE_LIMITED: ("RESOURCE_EXHAUSTED",),
        ErrorKind.TRANSIENT: (
            "UNAVAILABLE",
            "INTERNAL",
            "DEADLINE_EXCEEDED",
            "MALFORMED_FUNCTION_CALL",
        ),
    },
    too_large_phrases=("input token count",),
)
