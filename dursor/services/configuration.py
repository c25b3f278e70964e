"""Read and change the user's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.config.options import parse_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dursor.config import Setting, Settings


@dataclass(frozen=True)
class Configuration:
    """Reads and changes the user's configuration."""

    settings: Settings
    find_model: Callable[[str], object]  # raises for a name that no model has

    @property
    def path(self) -> Path:
        """The user's config.toml, which need not exist."""
        return self.settings.config_file

    def list(self) -> list[Setting]:
        return self.settings.find_all()

    def get(self, key: str) -> Setting:
        """Return one setting; UsageError for a key that does not exist."""
        return self.settings.find(key)

    def set(self, key: str, value: str) -> Setting:
        """Write one setting; NotFoundError for a model that does not exist."""
        if key == "models":
            for word in parse_words(value):
                self.find_model(word.partition(":")[0])
        return self.settings.set(key, value)
