"""Verbs over the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.config.options import parse_words
from dursor.services.results import Setting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dursor.config import Settings, Value


@dataclass(frozen=True)
class Configuration:
    """Reads and changes the user's configuration."""

    settings: Settings
    find_model: Callable[[str], object]  # raises for a name that no model has

    @property
    def path(self) -> Path:
        """The user's config.toml, whether it is there or not."""
        return self.settings.config_file

    def list(self) -> list[Setting]:
        """Every value and where it comes from."""
        return [_setting(value) for value in self.settings.values()]

    def get(self, key: str) -> Setting:
        """One value; UsageError for a key that does not exist."""
        return _setting(self.settings.value(key))

    def set(self, key: str, value: str) -> Setting:
        """Write one value into config.toml; NotFoundError for a model that does not exist."""
        if key == "models":
            for word in parse_words(value):
                self.find_model(word.partition(":")[0])
        return _setting(self.settings.set(key, value))


def _setting(value: Value) -> Setting:
    return Setting(value.key, value.value, value.source)
