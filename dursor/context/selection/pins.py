"""Files the user wants to send, whatever their rank."""

from __future__ import annotations

from dataclasses import replace
from glob import escape
from shlex import quote
from typing import TYPE_CHECKING

from dursor.context.sendable import REASON_NOT_FETCHED
from dursor.errors import PolicyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dursor.context.selection.selection import SelectedFile
    from dursor.context.sendable import Refusal
    from dursor.context.source import TextSource
    from dursor.pathrules import PathRules
    from dursor.tree import Entry


def check_pins(
    pinned: Sequence[str],
    entries: Mapping[str, Entry],
    refused: Mapping[str, Refusal],
    rules: PathRules,
) -> tuple[str, ...]:
    """Return PINNED without duplicates; UsageError or PolicyError if one cannot be sent."""
    pins = tuple(dict.fromkeys(path.removeprefix("./") for path in pinned))
    for path in pins:
        if (forbidden := rules.find_reason(path)) is not None:
            raise PolicyError(
                f"{path} may not be sent: {forbidden}", hint=_suggest_option(path, rules)
            )
        if path not in entries:
            raise UsageError(f"file {path!r} does not exist", hint=_suggest_path(path, entries))
        if path in refused:
            reason = refused[path].reason
            hint = f"git show {quote(f'HEAD:{path}')}" if reason == REASON_NOT_FETCHED else None
            raise UsageError(f"{path} cannot be sent: {reason}", hint=hint)
    return pins


def check_pins_fit(
    pins: Sequence[str], selected: Collection[SelectedFile], source: TextSource, budget: int
) -> None:
    """Raise UsageError unless all PINS are SELECTED."""
    paths = {file.path for file in selected}
    for path in (pin for pin in pins if pin not in paths):
        if path in source.refused:
            raise UsageError(f"{path} cannot be sent: {source.refused[path].reason}")
        needed = sum(source.count_tokens(pin) for pin in pins)
        raise UsageError(
            f"{path} does not fit: the pinned files need {needed} tokens, the budget is {budget}",
            hint=f"--context-budget {needed}",
        )


def _suggest_option(path: str, rules: PathRules) -> str:
    """Suggest the option that allows PATH, or a list of other paths if none does."""
    glob = escape(path)
    allowed = replace(rules, allowed=(*rules.allowed, glob)).find_reason(path) is None
    return f"--allow-path {quote(glob)}" if allowed else "git ls-files"


def _suggest_path(path: str, entries: Mapping[str, Entry]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - only a misspelling needs it

    below = next((known for known in entries if known.startswith(path.rstrip("/") + "/")), None)
    if below:
        return f"{path} is a folder; name a file: --file {below}"
    name = path.rpartition("/")[2]
    same = [known for known in entries if known.rpartition("/")[2] == name]
    close = same[:1] or get_close_matches(path, list(entries), n=1)
    return f"did you mean --file {close[0]}" if close else None
