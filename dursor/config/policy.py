"""What a repository may ask for in `.dursor.toml`: to be treated more strictly, nothing else."""

from __future__ import annotations

from typing import Any, NamedTuple

from dursor.config import options, toml
from dursor.errors import PolicyError

FILE = ".dursor.toml"
LARGEST = 64 * 1024
LIMITS = ("max_files", "context_budget", "max_output_tokens", "timeout", "budget_usd")
_LONGEST_NAME = 40


class RepoPolicy(NamedTuple):
    """Added forbidden paths, and limits of which the lower one wins; None means no limit.

    `explore` False: no model may look around beyond what it is shown.
    """

    forbidden_paths: tuple[str, ...] = ()
    max_files: int | None = None
    context_budget: int | None = None
    max_output_tokens: int | None = None
    timeout: float | None = None
    budget_usd: float | None = None
    warnings: tuple[str, ...] = ()  # keys that a repository cannot set
    explore: bool = True

    @classmethod
    def parse(cls, text: str | bytes) -> RepoPolicy:
        """Read the file; PolicyError when it is broken, for then nobody knows what it forbids."""
        found = _parsed(text)
        known = {name: _value(name, found[name]) for name in _ALLOWED if name in found}
        ignored = [name for name in found if name not in _ALLOWED]
        return cls(**known, warnings=_warnings(ignored))

    def limit(self, name: str, value: float | None) -> float | None:
        """Give the stricter of VALUE and the repository's limit NAME; None is no limit."""
        limits = [one for one in (value, getattr(self, name)) if one is not None]
        return min(limits, default=None)


_ALLOWED = ("forbidden_paths", *LIMITS, "explore")


def _parsed(text: str | bytes) -> dict[str, Any]:
    try:
        content = text.decode() if isinstance(text, bytes) else text
        if len(content) > LARGEST:
            raise PolicyError(f"{FILE} at the base commit is larger than {LARGEST // 1024} KiB")
        return toml.parsed(content)
    except ValueError as error:
        raise _broken(str(error)) from error


def _value(name: str, raw: Any) -> Any:
    try:
        value = options.OPTIONS[name].parse(raw)
    except ValueError as error:
        raise _broken(f"{name} takes {options.OPTIONS[name].accepts}") from error
    if name == "explore":
        return value != "off"
    if isinstance(raw, str):
        raise _broken(f"{name} takes {options.OPTIONS[name].accepts}")
    return value


def _broken(why: str) -> PolicyError:
    return PolicyError(
        f"{FILE} at the base commit is broken: {why}", hint=f"mend {FILE} and commit it"
    )


def _warnings(names: list[str]) -> tuple[str, ...]:
    if not names:
        return ()
    shown = ", ".join(repr(name[:_LONGEST_NAME]) for name in names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (f"{FILE} may only tighten limits; ignored: {shown}{more}",)
