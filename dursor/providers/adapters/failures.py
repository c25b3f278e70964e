"""Errors for replies that end without success."""

from __future__ import annotations

from typing import NoReturn

from dursor.errors import ProviderError, RefusedError, TruncatedError
from dursor.providers.adapters.error_payloads import to_one_line

WITHOUT_TOOLS = "run it without tools: dursor run --no-explore ..."


def raise_truncated(reason: str) -> NoReturn:
    """Raise the error for a reply that reached the output limit."""
    raise TruncatedError(
        f"the reply reached the output limit ({reason})",
        hint="add a model with a higher limit: "
        "dursor models add NAME --max-output-tokens 64000 ...",
    )


def raise_refused(reason: str, detail: str = "") -> NoReturn:
    """Raise the error for a refusal by the vendor or the model."""
    suffix = f": {to_one_line(detail)}" if detail.strip() else ""
    raise RefusedError(f"the model refused ({to_one_line(reason)}){suffix}")


def raise_incomplete(reason: str) -> NoReturn:
    """Raise the error for a reply that ended with neither success nor a known failure."""
    hint = WITHOUT_TOOLS if "TOOL_CALL" in reason else None
    raise ProviderError(
        f"the reply is incomplete: it ended with {to_one_line(reason)!r}", hint=hint
    )
