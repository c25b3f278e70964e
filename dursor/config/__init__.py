"""Settings: the environment first, then the user's config.toml, then the defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dursor.config.settings import Setting, Settings

if TYPE_CHECKING:
    from dursor.config.policy import RepoPolicy

__all__ = ["RepoPolicy", "Setting", "Settings"]


def __getattr__(name: str) -> Any:
    if name == "RepoPolicy":
        from dursor.config.policy import RepoPolicy  # noqa: PLC0415 - only rounds need it

        return RepoPolicy
    raise AttributeError(name)
