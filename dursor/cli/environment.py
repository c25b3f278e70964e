"""Which environment variables may hold a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.domain import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

MARKS = ("KEY", "TOKEN", "SECRET", "PASSW", "PASSPHRASE", "CREDENTIAL")


def may_be_secret(name: str) -> bool:
    """Whether a variable of this NAME may hold a secret."""
    return any(mark in name.upper() for mark in MARKS)


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what may be a secret."""
    return {name: value for name, value in environment.items() if not may_be_secret(name)}


def secrets(environment: Mapping[str, str]) -> list[Secret]:
    """Take only what may be a secret."""
    return [Secret(value) for name, value in environment.items() if may_be_secret(name)]
