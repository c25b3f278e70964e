"""The record of a vendor. Keep it light: model name completion loads every record."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.domain import ModelProfile


class ErrorKind(Enum):
    """The meaning of a vendor's error code."""

    OUT_OF_CREDIT = auto()
    CONTEXT_TOO_LARGE = auto()
    MODEL_NOT_FOUND = auto()
    NO_ACCESS = auto()
    REFUSED = auto()
    RATE_LIMITED = auto()
    TRANSIENT = auto()  # another attempt may succeed


class ModelLimits(NamedTuple):
    """Tokens of one request, input and output together, and of its output alone."""

    context_window: int
    max_output: int


UNKNOWN = ModelLimits(128_000, 32_000)


class Vendor(NamedTuple):
    """Everything that differs from vendor to vendor, apart from its wire formats."""

    name: str
    key_variables: tuple[str, ...]  # in order of precedence
    base_url: str
    base_url_variable: str  # as in the vendor's SDK
    adapters: Mapping[str, str]  # wire format to "module:Class", the default format first
    built_in: tuple[ModelProfile, ...]  # ids never change: stored runs refer to them
    limits: Mapping[str, ModelLimits]  # by prefix of the model name
    error_codes: Mapping[ErrorKind, tuple[str, ...]]
    too_large_phrases: tuple[str, ...] = ()  # in messages about an over-long prompt without a code
    compatible_api: str | None = None  # the format of servers at a profile's own base URL

    def find_limits(self, model_name: str) -> ModelLimits:
        """Return the limits of the longest known prefix of MODEL_NAME, else a guess."""
        prefixes = [prefix for prefix in self.limits if model_name.startswith(prefix)]
        return self.limits[max(prefixes, key=len)] if prefixes else UNKNOWN

    def find_base_url(self, profile: ModelProfile, env: Mapping[str, str]) -> str | None:
        """Return the base URL set for PROFILE, its own first; None is the vendor's."""
        return profile.base_url or env.get(self.base_url_variable, "").strip() or None

    def select_api(self, profile: ModelProfile) -> str:
        """Select the wire format for PROFILE.

        A profile with its own base URL is a compatible server. A base URL from the environment
        keeps the vendor's default format.
        """
        compatible = self.compatible_api if profile.base_url else None
        return profile.options.get("api") or compatible or next(iter(self.adapters))
