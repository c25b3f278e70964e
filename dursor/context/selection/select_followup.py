"""The context of a later round: the files of its task's first round, then new ones.

A vendor caches requests by their beginning. A later round on the same base therefore repeats the
first one's beginning exactly, and sends the current state of files next to its instruction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from dursor.context.selection.guidance import GUIDANCE_REASON, select_guidance
from dursor.context.selection.repo_map import render_map
from dursor.context.selection.select import list_unsent, list_withheld, select_context
from dursor.context.selection.selection import SelectedFile, Selection
from dursor.context.sendable import check_content, check_entry, split_sendable
from dursor.context.source import TextSource
from dursor.context.text.measure import FILE_TOKENS, estimate_tokens, split_lines
from dursor.secrets.placeholders import Placeholders
from dursor.tree import Overlay

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from dursor.context.index.commit_cache import CommitLog
    from dursor.context.selection.selection import Ranges
    from dursor.domain import ContextFile
    from dursor.pathrules import PathRules
    from dursor.secrets.placeholders import PlaceholderKey
    from dursor.tree import Changes, Tree

CHANGED_TOKENS = 8_000  # for the current state of files, not part of the budget
MARGIN = 20  # lines on each side of a change in a file too large to send whole
CHANGED_REASON = "current state, after the answer this round follows"


@dataclass(frozen=True)
class FollowUpSelector:
    """Selects the context of rounds on BASE with CHANGES."""

    base: Tree
    changes: Changes
    rules: PathRules
    cache_dir: Path | None = None
    history: CommitLog | None = None
    key: PlaceholderKey | None = None

    def select(
        self,
        earlier: Sequence[ContextFile],
        instruction: str,
        *,
        budget: int,
        pinned: Sequence[str] = (),
    ) -> Selection | None:
        """Select for INSTRUCTION, in a task whose first round sent EARLIER files of the same base.

        None if they cannot be sent again: a rule forbids one now, or the budget is too low for them
        and the pinned files. Raises like `select_context`.
        """
        sendable, _ = split_sendable(self.base.entries(), self.rules)
        source = TextSource(self.base, Placeholders(self.key))
        guidance = select_guidance(sendable, source)
        known = [file for file in earlier if file.reason != GUIDANCE_REASON]
        again = (_select_again(file, sendable, source) for file in known)
        kept = tuple(file for file in again if file is not None)
        complete = {file.path for file in kept if file.ranges is None}
        pins = {path.removeprefix("./") for path in pinned} - (complete - self.changes.keys())
        room = budget - sum(file.tokens for file in kept)
        if len(kept) < len(known) or self._count_pins(pins) > room:
            return None
        sent = (complete | self.changes.keys()) - pins
        wanted = [path for path in pinned if path.removeprefix("./") in pins]
        fresh = self._select_unsent(instruction, sent, wanted, room)
        shown = {(file.path, file.ranges) for file in kept}
        added = (f for f in fresh.files if f.path in pins or (f.path, f.ranges) not in shown)
        changed, omitted = self._select_changed(source, pins)
        masked = list_withheld({}, source.secrets, "", fits=False)
        return replace(
            fresh,
            budget=budget,
            files=kept,
            withheld=(*masked, *fresh.withheld),
            repo_map=render_map(list_unsent(sendable, kept, guidance)),
            guidance=guidance,
            placeholders=fresh.placeholders | source.placeholders.mapping,
            added=tuple(added),
            changed=changed,
            deleted=tuple(path for path, state in self.changes.items() if state is None),
            omitted=omitted,
        )

    def _select_unsent(
        self, instruction: str, sent: Iterable[str], pinned: Sequence[str], budget: int
    ) -> Selection:
        return select_context(
            Overlay(self._current, dict.fromkeys(sent)),
            instruction,
            budget=budget,
            pinned=pinned,
            rules=self.rules,
            cache_dir=self.cache_dir,
            history=self.history,
            key=self.key,
        )

    @cached_property
    def _current(self) -> Tree:
        return Overlay(self.base, self.changes)

    def _count_pins(self, pins: Collection[str]) -> int:
        """Count the tokens of PINS; `select_context` refuses those that may not be sent."""
        source, entries = TextSource(self._current, Placeholders(self.key)), self._current.entries()
        known = [path for path in pins if path in entries]
        sent = (path for path in known if check_entry(path, entries[path], self.rules) is None)
        return sum(source.count_tokens(path) for path in sent)

    def _select_changed(
        self, source: TextSource, pins: Collection[str]
    ) -> tuple[tuple[SelectedFile, ...], tuple[str, ...]]:
        """Select changed files, whole or in part; also return the paths of those too large."""
        room, entries = CHANGED_TOKENS, self._current.entries()
        files: list[SelectedFile] = []
        omitted: list[str] = []
        for path, state in self.changes.items():
            if state is None or path in pins:
                continue
            if check_entry(path, entries[path], self.rules) or check_content(state.data):
                continue
            text, _ = source.placeholders.replace(state.data.decode("utf-8"), path)
            ranges: Ranges | None = None
            if _count_tokens(text) > room:
                old = self.base.read(path) if path in self.base.entries() else b""
                before, _ = source.placeholders.replace(old.decode("utf-8", "replace"), path)
                ranges, text = _cut_around_changes(before, text)
            tokens = _count_tokens(text)
            if tokens > room:
                omitted.append(path)
            else:
                room -= tokens
                files.append(SelectedFile(path, ranges, tokens, CHANGED_REASON, text))
        return tuple(files), tuple(omitted)


def _select_again(
    file: ContextFile, sendable: Collection[str], source: TextSource
) -> SelectedFile | None:
    """Select FILE as before, or return None if that is not possible."""
    text = source.read(file.path) if file.path in sendable else None
    if text is None:
        return None
    if file.ranges is not None:
        lines = split_lines(text)
        if any(last > len(lines) for _, last in file.ranges):
            return None
        text = "".join("".join(lines[first - 1 : last]) for first, last in file.ranges)
    return SelectedFile(file.path, file.ranges, file.tokens, file.reason, text)


def _count_tokens(text: str) -> int:
    return estimate_tokens(len(text.encode("utf-8"))) + FILE_TOKENS


def _cut_around_changes(old: str, new: str) -> tuple[Ranges, str]:
    """Cut NEW to the lines from the first to the last change of OLD, with a margin."""
    before, after = split_lines(old), split_lines(new)
    pairs = list(zip(before, after, strict=False))
    first = next((n for n, (a, b) in enumerate(pairs) if a != b), len(pairs))
    tail = list(zip(reversed(before[first:]), reversed(after[first:]), strict=False))
    same = next((n for n, (a, b) in enumerate(tail) if a != b), len(tail))
    start = max(0, first - MARGIN)
    end = min(len(after), len(after) - same + MARGIN)
    return ((start + 1, end),), "".join(after[start:end])
