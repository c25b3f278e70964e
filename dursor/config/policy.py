"""A repository's `.dursor.toml`, which can only tighten the limits."""

from __future__ import annotations

from typing import Any, NamedTuple

from dursor.config.options import OPTIONS
from dursor.config.settings import parse_toml
from dursor.errors import PolicyError

FILE = ".dursor.toml"
SIZE_LIMIT = 64 * 1024
LIMITS = ("max_files", "context_budget", "max_output_tokens", "timeout", "budget_usd")
_NAME_LIMIT = 40


class RepoPolicy(NamedTuple):
    """Additional forbidden paths and limits. The lower limit applies; None means no limit.

    With `explore` False, models cannot read files with tools.
    """

    forbidden_paths: tuple[str, ...] = ()
    max_files: int | None = None
    context_budget: int | None = None
    max_output_tokens: int | None = None
    timeout: float | None = None
    budget_usd: float | None = None
    warnings: tuple[str, ...] = ()
    explore: bool = True

    @classmethod
    def parse(cls, text: str | bytes) -> RepoPolicy:
        """Read the file; PolicyError if it is not valid."""
        content = _parse(text)
        allowed = {name: _parse_value(name, content[name]) for name in _ALLOWED if name in content}
        ignored = [name for name in content if name not in _ALLOWED]
        return cls(**allowed, warnings=_list_warnings(ignored))

    def limit(self, name: str, value: float | None) -> float | None:
        """Return the stricter of VALUE and the repository's limit NAME; None is no limit."""
        limits = [limit for limit in (value, getattr(self, name)) if limit is not None]
        return min(limits, default=None)


_ALLOWED = ("forbidden_paths", *LIMITS, "explore")


def _parse(text: str | bytes) -> dict[str, Any]:
    try:
        content = text.decode() if isinstance(text, bytes) else text
        if len(content) > SIZE_LIMIT:
            raise PolicyError(f"{FILE} at the base commit is larger than {SIZE_LIMIT // 1024} KiB")
        return parse_toml(content)
    except ValueError as error:
        raise _explain_invalid(str(error)) from error


def _parse_value(name: str, raw: Any) -> Any:
    try:
        value = OPTIONS[name].parse(raw)
        if isinstance(raw, str) and name != "explore":
            raise ValueError  # noqa: TRY301 - as for every other invalid value
    except ValueError as error:
        raise _explain_invalid(f"{name} must be {OPTIONS[name].accepts}") from error
    return value != "off" if name == "explore" else value


def _explain_invalid(reason: str) -> PolicyError:
    return PolicyError(
        f"{FILE} at the base commit is not valid: {reason}", hint=f"correct {FILE} and commit it"
    )


def _list_warnings(names: list[str]) -> tuple[str, ...]:
    if not names:
        return ()
    listed = ", ".join(repr(name[:_NAME_LIMIT]) for name in names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (f"{FILE} may only tighten limits; ignored: {listed}{more}",)
