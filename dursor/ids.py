"""Identifiers of rows: 128 random bits, shown to people as their first digits."""

from __future__ import annotations

import os

SHORT = 8  # digits that people see


def new_id() -> str:
    """Return 128 random bits as 32 hex digits."""
    return os.urandom(16).hex()  # as `secrets` does, without its 5 ms of import


def short_id(identifier: str) -> str:
    """Return the digits of an id, or of a commit, that people see and type."""
    return identifier[:SHORT]
