"""Reading TOML that a person wrote: what is wrong with it, and in which line."""

from __future__ import annotations

from typing import Any


def parsed(text: str) -> dict[str, Any]:
    """Parse TEXT; ValueError says in one line what is wrong and where."""
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("its values are nested too deep") from error
    except ValueError as error:
        lines = max(1, len(text.splitlines()))
        said = str(error).replace("at end of document", f"at line {lines}, the last")
        raise ValueError(" ".join(said.split())[:200]) from error
