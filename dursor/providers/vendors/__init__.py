"""The registry of vendors: a module and a line below for each."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.providers.vendor import Vendor

MODULES = (
    "openai",
    "anthropic",
    "google",
)
VENDORS: Mapping[str, Vendor] = {
    name: import_module(f"{__name__}.{name}").VENDOR for name in MODULES
}
BUILT_IN = tuple(profile for vendor in VENDORS.values() for profile in vendor.built_in)
