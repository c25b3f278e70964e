"""Settings: the environment before the user's config.toml before the defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dursor.config.settings import Settings, Value

if TYPE_CHECKING:
    from dursor.config.policy import RepoPolicy

__all__ = ["RepoPolicy", "Settings", "Value"]


def __getattr__(name: str) -> Any:
    if name == "RepoPolicy":
        from dursor.config.policy import RepoPolicy  # noqa: PLC0415 # only rounds need it

        return RepoPolicy
    raise AttributeError(name)
