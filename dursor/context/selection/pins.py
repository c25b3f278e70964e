"""Files the user asks to be sent, whatever the ranking says."""

from __future__ import annotations

from dataclasses import replace
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
    """PINNED in their order, each once; raises for a path that is not there or may not be sent."""
    pins = tuple(dict.fromkeys(path.removeprefix("./") for path in pinned))
    for path in pins:
        forbidden = rules.reason(path)
        if forbidden is not None:
            raise PolicyError(f"{path} may not be sent: {forbidden}", hint=_way_in(path, rules))
        if path not in entries:
            raise UsageError(f"no file {path!r} in the tree", hint=_close(path, entries))
        if path in refused:
            raise UsageError(
                f"{path} cannot be sent: {refused[path].reason}", hint=_bring(path, refused[path])
            )
    return pins


def check_pins_fit(
    pins: Sequence[str], picks: Collection[SelectedFile], source: TextSource, budget: int
) -> None:
    """Raise UsageError unless every one of PINS is among PICKS."""
    missing = set(pins) - {pick.path for pick in picks}
    for path in (pin for pin in pins if pin in missing):
        if path in source.refused:
            raise UsageError(f"{path} cannot be sent: {source.refused[path].reason}")
        needed = sum(source.tokens(pin) for pin in pins)
        raise UsageError(
            f"{path} does not fit: the pinned files need {needed} tokens, the budget is {budget}",
            hint=f"--context-budget {needed}",
        )


def _way_in(path: str, rules: PathRules) -> str:
    """Say how PATH may be sent all the same; where nothing allows it, what there is instead."""
    from glob import escape  # noqa: PLC0415 - only a refusal needs them
    from shlex import quote  # noqa: PLC0415

    glob = escape(path)
    allowed = replace(rules, allowed=(*rules.allowed, glob)).reason(path) is None
    return f"--allow-path {quote(glob)}" if allowed else "git ls-files"


def _bring(path: str, refusal: Refusal) -> str | None:
    """Say how PATH comes into a partial clone, if that is what it lacks."""
    from shlex import quote  # noqa: PLC0415 - only a refusal needs it

    return f"git show {quote(f'HEAD:{path}')}" if refusal.reason == REASON_NOT_FETCHED else None


def _close(path: str, entries: Mapping[str, Entry]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - only a misspelling needs it

    below = [known for known in entries if known.startswith(path.rstrip("/") + "/")]
    if below:
        return f"{path} is a folder; name a file: --file {below[0]}"
    name = path.rpartition("/")[2]
    same = [known for known in entries if known.rpartition("/")[2] == name]
    close = same[:1] or get_close_matches(path, list(entries), n=1)
    return f"did you mean --file {close[0]}" if close else None
