"""Settings: the environment before the user's config.toml before the defaults."""

from dursor.config.policy import RepoPolicy
from dursor.config.settings import Settings, Value

__all__ = ["RepoPolicy", "Settings", "Value"]
