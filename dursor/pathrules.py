"""Which paths may never be sent to a model, nor be touched by its answer."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_FORBIDDEN = (".git", ".env", ".env.*", "*.secret", "*.key", "*.pem", "credentials.*")


@dataclass(frozen=True)
class PathRules:
    """The defaults, what was added to them, and what was allowed in spite of them (globs)."""

    forbidden: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    def reason(self, path: str) -> str | None:
        """Why PATH is forbidden, in a few words, or None."""
        raise NotImplementedError
